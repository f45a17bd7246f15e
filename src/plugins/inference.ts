import fp from 'fastify-plugin'
import type { Inference } from '../serving/inference.ts'

declare module 'fastify' { interface FastifyInstance { inference: Inference } }

/** Adds `app.inference`. Frees every session once the last answer has left. */
export default fp<{ inference: Inference }>(async (app, { inference }) => {
  app.decorate('inference', inference)
  app.addHook('onClose', async () => { await inference.registry.close() })
}, { name: 'inference', fastify: '5.x' })
