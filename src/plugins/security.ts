import cors from '@fastify/cors'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What every answer carries; for answers that are written before a route's hooks run. */
    securityHeaders: Readonly<Record<string, string>>
  }
}

/**
 * For answers that no browser renders. A fixed table: @fastify/helmet makes its headers anew for each
 * request, which costs more than all else that Fastify does for it; it serves the pages of the docs.
 */
const securityHeaders = Object.freeze({
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // A prediction is about the caller's row, and a state is out of date at once.
  'cache-control': 'no-store',
})

/** A year, of this host only: its subdomains are not ours to decide. */
const strictTransport = 'max-age=31536000'

/** Security headers on every answer, and CORS for the origins that may call from a browser. */
export default fp<{ config: Pick<Config, 'corsOrigin' | 'trustProxy'> }>(async (app, { config }) => {
  app.decorate('securityHeaders', securityHeaders)
  const mayBeSecure = config.trustProxy !== false
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders)
    // Browsers ignore it over plain HTTP, and only a trusted proxy can know that it was not.
    if (mayBeSecure && request.protocol === 'https') reply.header('strict-transport-security', strictTransport)
    done()
  })
  if (config.corsOrigin !== undefined) {
    await app.register(cors, {
      origin: parseOrigins(config.corsOrigin),
      methods: ['GET', 'HEAD', 'POST'],
      allowedHeaders: ['authorization', 'content-type', 'x-request-id'],
      exposedHeaders: ['x-request-id', 'server-timing', 'ratelimit', 'ratelimit-policy', 'retry-after'],
      // Its answer to OPTIONS without an origin would be plain text, not a problem.
      strictPreflight: false,
      maxAge: 600,
    })
  }
}, { name: 'security', fastify: '5.x' })

/** The setting has been checked: each is what a browser may send. */
function parseOrigins (text: string): '*' | string[] {
  const origins = text.split(',').map(origin => origin.trim())
  return origins.includes('*') ? '*' : origins
}
