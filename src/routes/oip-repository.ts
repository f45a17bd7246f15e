import type { FastifyInstance } from 'fastify'
import { ApiError } from '../errors.ts'
import { checkControl, readIndexRequest } from '../protocols/oip/repository.ts'
import { DoneSchema, IndexSchema, indexRequestBody, loadRequestBody, unloadRequestBody } from '../schemas/oip-repository.ts'
import { acceptTrailingSlashes } from './oip-slashes.ts'

interface Route { Params: { model: string } }

const about = { tags: ['Open Inference Protocol v2: repository'] }
const config = { scope: 'admin', errors: 'oip', produces: 'application/json' } as const
const done = { 200: DoneSchema }

/** The repository extension of the Open Inference Protocol: what there is, load, unload. */
export async function oipRepositoryRoutes (app: FastifyInstance): Promise<void> {
  acceptTrailingSlashes(app)
  addControlBodies(app)

  app.post('/v2/repository/index', {
    config: { ...config, requestBody: indexRequestBody },
    schema: { ...about, summary: 'Every version of the repository, loaded or not', response: { 200: IndexSchema } },
  }, async ({ body }) => {
    const readyOnly = readIndexRequest(body)
    const rows = await app.repository.index()
    return readyOnly ? rows.filter(({ state }) => state === 'READY') : rows
  })

  app.post<Route>('/v2/repository/models/:model/load', {
    config: { ...config, requestBody: loadRequestBody },
    schema: { ...about, summary: 'Load a model, or load it again', description: 'Reads all versions of the model anew. What is new or changed is opened and proven with its golden rows before it answers; what fails leaves the old one answering.', response: done },
  }, async ({ params, body }) => {
    checkControl(body, [])
    await app.repository.load(params.model)
    return {}
  })

  app.post<Route>('/v2/repository/models/:model/unload', {
    config: { ...config, requestBody: unloadRequestBody },
    schema: { ...about, summary: 'Take a model out of service', description: 'Requests under way are answered; new ones are answered with 503 until it is loaded again.', response: done },
  }, async ({ params, body }) => {
    checkControl(body, ['unload_dependents'])
    await app.repository.unload(params.model)
    return {}
  })
}

/** JSON under any name or none: Triton's clients name no type, and often there is no body at all. */
function addControlBodies (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text.trim() === '' ? undefined : JSON.parse(text))
    } catch (error) {
      done(new ApiError('NOT_JSON', `The body is not valid JSON: ${(error as Error).message}`), undefined)
    }
  })
}
