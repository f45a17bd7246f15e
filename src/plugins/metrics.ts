import fp from 'fastify-plugin'
import type { Monitor } from '../monitor/monitor.ts'
import type { VersionStatistics } from '../monitor/statistics.ts'
import type { Peers } from '../peers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    monitor: Monitor
    /** Prometheus text of the whole service. */
    renderMetrics: () => Promise<string>
    /** What the versions that serve have done, in all processes together. */
    modelStatistics: () => Promise<VersionStatistics[]>
  }
}

/** A caller may send any of the methods that Node parses; only these become a label. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Adds `app.monitor` and what is made of it, and counts every answer by its route's pattern. */
export default fp<{ monitor: Monitor, peers?: Peers | undefined }>(async (app, { monitor, peers }) => {
  app.decorate('monitor', monitor)
  app.decorate('renderMetrics', async () => await monitor.render(await peers?.snapshots()))
  app.decorate('modelStatistics', async () => await monitor.statistics(await peers?.snapshots()))
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched'
    const method = knownMethods.has(request.method) ? request.method : 'OTHER'
    monitor.httpResponse(method, route, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
}, { name: 'metrics', fastify: '5.x' })
