import type { FastifyInstance } from 'fastify'
import { ModelDetailSchema, ModelListSchema, VersionDetailSchema } from '../schemas/model-status.ts'

const about = { tags: ['Models'] }
const config = { scope: 'predict', produces: 'application/json' } as const

/** What is loaded, and what is not and why. */
export async function modelRoutes (app: FastifyInstance): Promise<void> {
  const { registry } = app.inference
  app.get('/models', { config, schema: { ...about, summary: 'The models, their versions and states', response: { 200: ModelListSchema } } },
    async () => ({ models: registry.summaries() }))

  app.get<{ Params: { name: string } }>('/models/:name', { config, schema: { ...about, summary: 'One model: its versions, and the one that answers in full', response: { 200: ModelDetailSchema } } },
    async ({ params }) => registry.detail(params.name))

  app.get<{ Params: { name: string, version: string } }>('/models/:name/versions/:version', { config, schema: { ...about, summary: 'One version: its state and its manifest', response: { 200: VersionDetailSchema } } },
    async ({ params }) => registry.versionDetail(params.name, params.version))
}
