import type { FastifyPluginAsync } from 'fastify'
import Type from 'typebox'

export interface MetricsRouteOptions {
  /** What a caller's token must allow; undefined: the route is open. */
  readonly scope: 'metrics' | undefined
}

/** `GET /metrics`: what Prometheus scrapes. */
export const metricsRoute: FastifyPluginAsync<MetricsRouteOptions> = async (app, { scope }) => {
  const schema = {
    tags: ['Operations'],
    summary: 'Metrics of the whole service',
    description: 'Prometheus text format.',
    response: { 200: { description: 'Every series at this moment', content: { 'text/plain': { schema: Type.String() } } } },
  }
  app.get('/metrics', { schema, config: { scope } }, async (_request, reply) => {
    return reply.type(app.monitor.contentType).send(await app.renderMetrics())
  })
}
