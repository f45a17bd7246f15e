import type { FastifyInstance, FastifyRequest } from 'fastify'
import { FatalError } from '../errors.ts'
import { parseBody } from '../protocols/json-body.ts'
import { readVertex, writeVertex } from '../protocols/vertex.ts'
import { VertexHealthSchema, vertexAnswer, vertexBody } from '../schemas/vertex.ts'
import { ask, signatureOf } from './ask.ts'
import { addTextBody } from './predict-bodies.ts'

export interface VertexOptions {
  /** AIP_HEALTH_ROUTE */
  readonly healthRoute: string | undefined
  /** AIP_PREDICT_ROUTE */
  readonly predictRoute: string | undefined
  readonly maxRows: number
}

const about = { tags: ['Vertex AI'] }

/** Routes of ours that say what Vertex AI's health checks ask. */
const readyRoutes = ['/health/ready', '/ping']

/**
 * The two routes that Vertex AI asks a container for, at the addresses that it names.
 *
 * @throws FatalError for an address that another route has already
 */
export async function vertexRoutes (app: FastifyInstance, { healthRoute, predictRoute, maxRows }: VertexOptions): Promise<void> {
  app.removeAllContentTypeParsers()
  addTextBody(app, 'application/json', parseBody)
  if (healthRoute !== undefined && !readyRoutes.includes(healthRoute)) addHealth(app, healthRoute)
  if (predictRoute !== undefined) addPredict(app, predictRoute, maxRows)
}

function addHealth (app: FastifyInstance, path: string): void {
  refuseTaken(path, 'AIP_HEALTH_ROUTE', `${readyRoutes.join(' or ')}, or an address of its own`)
  app.get(escaped(path), {
    config: { errors: 'vertex' },
    schema: { ...about, summary: 'Whether predictions can be answered', response: { 200: VertexHealthSchema, 503: VertexHealthSchema } },
  }, async (_request, reply) => {
    const ready = app.serviceReady()
    if (!ready) reply.code(503).header('retry-after', '1')
    return { status: ready ? 'ready' as const : 'unavailable' as const }
  })
}

function addPredict (app: FastifyInstance, path: string, maxRows: number): void {
  refuseTaken(path, 'AIP_PREDICT_ROUTE', 'an address of its own, such as /vertex/predict')
  app.post(escaped(path), {
    config: { scope: 'predict', errors: 'vertex', requestBody: vertexBody },
    schema: { ...about, summary: 'Predict with the default model, as Vertex AI does', response: { 200: vertexAnswer } },
  }, async (request: FastifyRequest, reply) => {
    const model = app.inference.registry.resolve({})
    request.answeredBy = model.manifest
    const asked = app.inference.read(model, 'vertex', () => readVertex(request.body, signatureOf(model, maxRows)))
    const answered = await ask(reply, model, asked, 'vertex')
    return reply.type('application/json; charset=utf-8').send(writeVertex(answered))
  })
}

/** Below these nothing may be added: an address there would hide a model or a page. */
const taken = /^\/(predict|models|health|metrics|docs|redoc|invocations|ping|version|execution-parameters|drift|console|v2|v1\/models)?(\/|$)/

function refuseTaken (path: string, setting: string, remedy: string): void {
  if (taken.test(path)) throw new FatalError(`Wrong settings:\n  ${setting}: "${path}" is taken by another route (allowed: ${remedy})`)
}

/** To the router a colon begins a parameter, and two are one colon. */
function escaped (path: string): string {
  return path.replaceAll(':', '::')
}
