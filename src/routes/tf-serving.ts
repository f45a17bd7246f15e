import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseBody } from '../protocols/json-body.ts'
import { type Verb, readExamples, readPredict, writePredict, writeResults } from '../protocols/tfserving.ts'
import { modelMetadata, modelStatus } from '../protocols/tfserving-status.ts'
import { MetadataSchema, StatusSchema, examplesBody, predictAnswer, predictBody, resultsAnswer } from '../schemas/tfserving.ts'
import { ask, signatureOf } from './ask.ts'
import { addTextBody } from './predict-bodies.ts'

interface Params { name: string, version?: string, alias?: string }
interface Route { Params: Params, Body: unknown }

const about = { tags: ['TensorFlow Serving v1'] }
const errors = 'tfserving' as const
const config = { scope: 'predict', errors } as const

/** The three ways to name a version: none, by itself, by its alias. */
const places = ['/v1/models/:name', '/v1/models/:name/versions/:version', '/v1/models/:name/labels/:alias']

/** TensorFlow Serving's REST API, for every model. */
export async function tfServingRoutes (app: FastifyInstance, { maxRows }: { maxRows: number }): Promise<void> {
  app.removeAllContentTypeParsers()
  // Its clients need not name the type, and curl names another one.
  for (const type of ['application/json', '*']) addTextBody(app, type, parseBody)
  for (const place of places) {
    statusRoutes(app, place)
    // The last parameter ends at the colon of the verb, which `::` stands for.
    const called = (verb: Verb): string => `${place}(^[^:]+)::${verb}`
    app.post<Route>(called('predict'), {
      config: { ...config, requestBody: predictBody },
      schema: { ...about, summary: 'Predict from rows or columns', response: { 200: predictAnswer } },
    }, async (request, reply) => await predict(request, reply, maxRows))
    for (const verb of ['classify', 'regress'] as const) {
      app.post<Route>(called(verb), {
        config: { ...config, requestBody: examplesBody },
        schema: { ...about, summary: verb === 'classify' ? 'Classes and their scores' : 'One number for each example', response: { 200: resultsAnswer } },
      }, async (request, reply) => await answerExamples(request, reply, verb, maxRows))
    }
  }
}

function statusRoutes (app: FastifyInstance, place: string): void {
  const { registry } = app.inference
  app.get<Route>(place, { config, schema: { ...about, summary: 'The states of a model\'s versions', response: { 200: StatusSchema } } },
    async ({ params }) => modelStatus(registry.detail(params.name), params))

  app.get<Route>(`${place}/metadata`, { config, schema: { ...about, summary: 'Inputs and outputs of a model', response: { 200: MetadataSchema } } },
    async ({ params }) => {
      const { manifest, engine } = registry.resolve(params)
      return modelMetadata(manifest, engine)
    })
}

async function predict (request: FastifyRequest<Route>, reply: FastifyReply, maxRows: number): Promise<FastifyReply> {
  const { inference } = reply.server
  const model = inference.registry.resolve(request.params)
  request.answeredBy = model.manifest
  const { asked, format } = inference.read(model, 'tfserving', () => readPredict(request.body, signatureOf(model, maxRows)))
  const answered = await ask(reply, model, asked, 'tfserving')
  return reply.type('application/json; charset=utf-8').send(writePredict(answered, format))
}

async function answerExamples (request: FastifyRequest<Route>, reply: FastifyReply, verb: Verb, maxRows: number): Promise<FastifyReply> {
  const { inference } = reply.server
  const model = inference.registry.resolve(request.params)
  request.answeredBy = model.manifest
  const asked = inference.read(model, 'tfserving', () => readExamples(request.body, verb, signatureOf(model, maxRows)))
  const answered = await ask(reply, model, asked, 'tfserving')
  return reply.type('application/json; charset=utf-8').send(writeResults(answered, verb, model.manifest.labels))
}
