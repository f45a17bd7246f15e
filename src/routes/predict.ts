import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { PredictInput } from '../schemas/decode.ts'
import { Caller } from './caller.ts'
import { addPredictBodies } from './predict-bodies.ts'
import { serverTiming, shortMs } from './server-timing.ts'

const QuerySchema = Type.Object({
  partial: Type.Optional(Type.Boolean({ description: 'Answer the good rows and put each bad row\'s errors in its place' })),
}, { additionalProperties: false })

interface Route { Params: { name?: string, version?: string }, Querystring: Static<typeof QuerySchema>, Body: PredictInput | undefined }

/** POST /predict and its forms for one model and one version. */
export async function predictRoutes (app: FastifyInstance): Promise<void> {
  addPredictBodies(app)
  for (const url of ['/predict', '/models/:name/predict', '/models/:name/versions/:version/predict']) {
    app.post<Route>(url, {
      config: { scope: 'predict', produces: 'application/json' },
      schema: { tags: ['Predictions'], summary: 'Predict', querystring: QuerySchema },
    }, predict)
  }

  async function predict (request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const { query, body } = request
    const model = app.inference.registry.resolve(request.params)
    request.answeredBy = model.manifest
    const { single, predictions, warnings, timings, writeAnswer } = await app.inference.predict(
      model, body ?? { type: 'json', body }, { partial: query.partial === true, signal: new Caller(reply) })
    reply.header('server-timing', serverTiming(timings))
    reply.type('application/json; charset=utf-8')
    return writeAnswer({ single, predictions, warnings, latencyMs: shortMs(timings.totalMs) })
  }
}
