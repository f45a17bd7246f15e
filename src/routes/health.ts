import type { FastifyInstance } from 'fastify'
import Type from 'typebox'

const HealthSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('draining')]),
  uptime_s: Type.Number({ description: 'Seconds since the process started' }),
  ready: Type.Boolean(),
  models: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), { description: 'The version that answers for each model; null while none can' }),
  store: Type.Optional(Type.Object({
    status: Type.Union([Type.Literal('ok'), Type.Literal('stale')]),
    reason: Type.Optional(Type.String({ description: 'Why it could not be read' })),
    since: Type.Optional(Type.String({ format: 'date-time' })),
  }, { description: 'Where the models are in S3: stale while it cannot be read, and what was loaded or copied before goes on answering' })),
})

const ReadySchema = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('loading'), Type.Literal('draining'), Type.Literal('unavailable')]),
  failures: Type.Array(Type.Object({
    model: Type.String(),
    version: Type.Optional(Type.String()),
    reason: Type.String(),
  }), { description: 'Versions that are not served, with the reason\'s code' }),
})

const open = { tags: ['Health'] }

/** Liveness never depends on a model or on another service; readiness is about the models. */
export async function healthRoutes (app: FastifyInstance): Promise<void> {
  app.get('/health', { schema: { ...open, summary: 'Liveness and a summary', response: { 200: HealthSchema } } }, async () => ({
    status: app.draining() ? 'draining' as const : 'ok' as const,
    uptime_s: Math.round(process.uptime() * 10) / 10,
    ready: app.serviceReady(),
    models: Object.fromEntries(app.inference.registry.list().map(({ name, serving }) => [name, serving ?? null])),
    store: app.inference.registry.storeHealth(),
  }))

  app.get('/health/live', {
    schema: { ...open, summary: 'Liveness', response: { 200: Type.Object({ status: Type.Literal('live') }) } },
  }, async () => ({ status: 'live' as const }))

  app.get('/health/ready', {
    schema: { ...open, summary: 'Readiness', description: '200 once every version that answers has loaded, warmed up and passed its golden rows; 503 before that and while the server drains.', response: { 200: ReadySchema, 503: ReadySchema } },
  }, async (_request, reply) => {
    const { registry } = app.inference
    const ready = app.serviceReady()
    if (!ready) reply.code(503).header('retry-after', '1')
    const status = ready ? 'ready' as const : app.draining() ? 'draining' as const : registry.settled && !registry.ready ? 'unavailable' as const : 'loading' as const
    return { status, failures: registry.failures().map(({ model, version, reason }) => ({ model, version, reason })) }
  })
}
