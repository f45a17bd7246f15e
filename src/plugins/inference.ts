import fp from 'fastify-plugin'
import { ApiError } from '../errors.ts'
import type { Peers } from '../peers.ts'
import type { Inference } from '../serving/inference.ts'
import type { Registry } from '../serving/registry.ts'

declare module 'fastify' {
  interface FastifyInstance {
    inference: Inference
    /** Whether the whole service can answer: this process, and once at least every other one. */
    serviceReady: () => boolean
    repository: Repository
  }
}

/** Control over what is served, in all processes of the service. */
export interface Repository {
  readonly index: Registry['index']
  /** @throws ApiError that says what of it could not be done; what answered before goes on answering */
  readonly load: (model: string) => Promise<void>
  /** @throws ApiError */
  readonly unload: (model: string) => Promise<void>
}

/** Adds `app.inference`, `app.repository` and `app.serviceReady`. Frees every session once the last answer has left. */
export default fp<{ inference: Inference, peers?: Peers | undefined }>(async (app, { inference, peers }) => {
  app.decorate('inference', inference)
  const { registry } = inference
  const change = async (kind: 'load' | 'unload', model: string): Promise<void> => {
    if (!registry.settled) throw new ApiError('MODEL_NOT_READY', 'The repository is still being loaded; try again.', { headers: { 'retry-after': '1' } })
    await (peers ?? registry).change({ kind, model })
  }
  app.decorate('repository', { index: () => registry.index(), load: model => change('load', model), unload: model => change('unload', model) })
  app.decorate('serviceReady', () => registry.ready && !app.draining() && (peers === undefined || peers.ready()))
  app.addHook('onClose', async () => { await registry.close() })
}, { name: 'inference', fastify: '5.x', dependencies: ['lifecycle'] })
