import underPressure from '@fastify/under-pressure'
import fp from 'fastify-plugin'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** True from the first signal on: nothing new is taken in, what is under way is answered. */
    draining: () => boolean
    startDraining: () => void
  }
}

/** A loop that is later than this cannot answer in time anyway; a full queue answers sooner than a late one. */
const maxEventLoopDelayMs = 1000

/** How often the delay is looked at. One late second is what loading a model can take; two are overload. */
const sampleMs = 1000

/**
 * Sheds what the server should not take: everything but the health routes once it is draining, and
 * predictions while the event loop is far behind. Runs before every other hook.
 *
 * @param sheds false where the process stands still between requests: its clock goes on, and looks like a late loop
 */
export default fp<{ sheds: boolean }>(async (app, { sheds }) => {
  let draining = false
  app.decorate('draining', () => draining)
  app.decorate('startDraining', () => { draining = true })

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    if (!draining || isHealth(request.routeOptions.url)) return done()
    done(new ApiError('DRAINING', 'The server is shutting down; another one will answer.', { headers: { 'retry-after': '1' } }))
  })

  // A keep-alive connection would hold the server open for its whole idle time.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close')
    done(null, payload)
  })

  if (!sheds) return
  let pressedSinceMs = 0
  let lastPressedMs = -Infinity
  await app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    sampleInterval: sampleMs,
    pressureHandler: request => {
      const nowMs = performance.now()
      if (nowMs - lastPressedMs > 2 * sampleMs) pressedSinceMs = nowMs
      lastPressedMs = nowMs
      if (nowMs - pressedSinceMs < sampleMs || request.routeOptions.config.scope !== 'predict') return
      throw new ApiError('OVERLOADED', 'The server has more work than it can do in time.', { headers: { 'retry-after': '1' } })
    },
  })
}, { name: 'lifecycle', fastify: '5.x' })

function isHealth (url: string | undefined): boolean {
  return /^\/(v2\/)?health/.test(url ?? '')
}
