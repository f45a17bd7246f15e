import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import { placed } from '../protocols/asked.ts'
import { modelMetadata } from '../protocols/oip/metadata.ts'
import { columnPlace, readInferRequest } from '../protocols/oip/request.ts'
import { type InferAnswer, writeInferAnswer } from '../protocols/oip/response.ts'
import { LiveSchema, ModelListSchema, ModelMetadataSchema, ModelReadySchema, ReadySchema, ServerMetadataSchema, inferRequestBody, inferResponse } from '../schemas/oip.ts'
import { Caller } from './caller.ts'
import { type TensorBody, addTensorBodies } from './oip-body.ts'
import { acceptTrailingSlashes } from './oip-slashes.ts'

interface Route { Params: { name: string, version?: string }, Body: TensorBody | undefined }

const about = { tags: ['Open Inference Protocol v2'] }
const open = { errors: 'oip' } as const
const config = { scope: 'predict', errors: 'oip', produces: 'application/json' } as const

/** What of the protocol's extensions there is here. */
const extensions = ['binary_tensor_data', 'model_repository', 'statistics']

/** Below, one write is cheaper than a stream. */
const streamedBytes = 64 * 1024

/** Open Inference Protocol v2 over REST, as KServe and Triton speak it: the server, its models, inference. */
export async function oipRoutes (app: FastifyInstance, { version }: { version: string }): Promise<void> {
  acceptTrailingSlashes(app)
  addTensorBodies(app)
  serverRoutes(app, version)
  for (const url of ['/v2/models/:name', '/v2/models/:name/versions/:version']) modelRoutes(app, url)
}

function serverRoutes (app: FastifyInstance, version: string): void {
  app.get('/v2', { config, schema: { ...about, summary: 'The server and its extensions', response: { 200: ServerMetadataSchema } } },
    async () => ({ name: 'modelport', version, extensions }))

  app.get('/v2/health/live', { config: open, schema: { ...about, summary: 'Liveness', response: { 200: LiveSchema } } },
    async () => ({ live: true }))

  app.get('/v2/health/ready', { config: open, schema: { ...about, summary: 'Readiness', response: { 200: ReadySchema, 503: ReadySchema } } },
    async (_request, reply) => {
      if (app.serviceReady()) return { ready: true }
      reply.code(503).header('retry-after', '1')
      return { ready: false, error: 'The models are not ready; GET /health/ready says more.' }
    })

  app.get('/v2/models', { config, schema: { ...about, summary: 'The names of the models', response: { 200: ModelListSchema } } },
    async () => ({ models: app.inference.registry.list().map(({ name }) => name) }))
}

function modelRoutes (app: FastifyInstance, url: string): void {
  const { registry } = app.inference
  app.get<Route>(url, { config, schema: { ...about, summary: 'Inputs and outputs of a model', response: { 200: ModelMetadataSchema } } },
    async ({ params }) => {
      const { manifest, engine } = registry.resolve(params)
      const status = registry.list().find(({ name }) => name === params.name)
      const versions = [...status?.versions ?? []].flatMap(([ready, { state }]) => state === 'ready' ? [ready] : [])
      return modelMetadata(manifest, versions, engine)
    })

  app.get<Route>(`${url}/ready`, { config, schema: { ...about, summary: 'Whether a model can answer', response: { 200: ModelReadySchema } } },
    async ({ params }) => {
      const { manifest } = registry.resolve(params)
      return { name: manifest.name, version: manifest.version, ready: true }
    })

  app.post<Route>(`${url}/infer`, {
    config: { scope: 'predict', errors: 'oip', requestBody: inferRequestBody, bodyExamples: 'tensors' },
    schema: { ...about, summary: 'Infer from tensors', response: { 200: inferResponse } },
  }, infer)

  async function infer (request: FastifyRequest<Route>, reply: FastifyReply): Promise<FastifyReply> {
    const { body } = request
    const model = registry.resolve(request.params)
    request.answeredBy = model.manifest
    const call = app.inference.read(model, 'oip', () => readInferRequest(present(body), model.engine))
    const answer = app.inference.infer(model, call.inputs, { signal: new Caller(reply), protocol: 'oip' })
    const { outputs } = await placed(answer, columnPlace(call, model.manifest.features))
    // Not sooner, for an output may be an input. A run that failed may still be under way and look at the body.
    if (body !== undefined) reply.raw.once('finish', body.release)
    return send(reply, writeInferAnswer(model.manifest, call, outputs))
  }
}

function present (body: TensorBody | undefined): TensorBody {
  if (body === undefined) throw new ApiError('NOT_JSON', 'The body is empty.')
  return body
}

function send (reply: FastifyReply, { json, binary }: InferAnswer): FastifyReply {
  if (binary.length === 0) return reply.type('application/json; charset=utf-8').send(json)
  const head = Buffer.from(json)
  const length = binary.reduce((sum, part) => sum + part.length, head.length)
  reply.headers({ 'content-type': 'application/octet-stream', 'inference-header-content-length': head.length, 'content-length': length })
  const parts = [head, ...binary]
  return reply.send(length < streamedBytes ? Buffer.concat(parts) : Readable.from(parts, { objectMode: false }))
}
