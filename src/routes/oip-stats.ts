import type { FastifyInstance } from 'fastify'
import { modelStat } from '../protocols/oip/statistics.ts'
import { StatisticsSchema } from '../schemas/oip-repository.ts'
import { acceptTrailingSlashes } from './oip-slashes.ts'

interface Route { Params: { name?: string, version?: string } }

const config = { scope: 'predict', errors: 'oip', produces: 'application/json' } as const
const schema = { tags: ['Open Inference Protocol v2'], response: { 200: StatisticsSchema } }

/** Triton's statistics extension: what each version has done since it was loaded, in all processes together. */
export async function oipStatsRoutes (app: FastifyInstance): Promise<void> {
  acceptTrailingSlashes(app)
  for (const [url, summary] of [
    ['/v2/models/stats', 'What every model has done'],
    ['/v2/models/:name/stats', 'What the versions of a model have done'],
    ['/v2/models/:name/versions/:version/stats', 'What one version has done'],
  ] as const) {
    app.get<Route>(url, { config, schema: { ...schema, summary } }, async ({ params: { name, version } }) => {
      const { registry } = app.inference
      if (version !== undefined) registry.resolve({ name, version })
      else if (name !== undefined) registry.detail(name)
      const all = await app.modelStatistics()
      return { model_stats: all.filter(one => (name ?? one.name) === one.name && (version ?? one.version) === one.version).map(modelStat) }
    })
  }
}
