import fp from 'fastify-plugin'
import type { Peers } from '../peers.ts'
import type { Inference } from '../serving/inference.ts'

declare module 'fastify' {
  interface FastifyInstance {
    inference: Inference
    /** Whether the whole service can answer: this process, and once at least every other one. */
    serviceReady: () => boolean
  }
}

/** Adds `app.inference` and `app.serviceReady`. Frees every session once the last answer has left. */
export default fp<{ inference: Inference, peers?: Peers | undefined }>(async (app, { inference, peers }) => {
  app.decorate('inference', inference)
  app.decorate('serviceReady', () => inference.registry.ready && !app.draining() && (peers === undefined || peers.ready()))
  app.addHook('onClose', async () => { await inference.registry.close() })
}, { name: 'inference', fastify: '5.x', dependencies: ['lifecycle'] })
