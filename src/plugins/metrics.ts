import fp from 'fastify-plugin'
import type { Monitor } from '../monitor/monitor.ts'

declare module 'fastify' { interface FastifyInstance { monitor: Monitor } }

/** A caller may send any of the methods that Node parses; only these become a label. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Adds `app.monitor`, and counts every answer by its route's pattern. */
export default fp<{ monitor: Monitor }>(async (app, { monitor }) => {
  app.decorate('monitor', monitor)
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched'
    const method = knownMethods.has(request.method) ? request.method : 'OTHER'
    monitor.httpResponse(method, route, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
}, { name: 'metrics', fastify: '5.x' })
