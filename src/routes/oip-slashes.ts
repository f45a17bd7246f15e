import type { FastifyInstance } from 'fastify'

/** Clients of this protocol may end any address with a slash: every route added to this scope from here on answers there too. */
export function acceptTrailingSlashes (app: FastifyInstance): void {
  app.addHook('onRoute', options => {
    // Fastify adds the HEAD of each GET itself.
    if (options.method === 'HEAD' || options.url.endsWith('/')) return
    app.route({ ...options, url: `${options.url}/`, schema: { ...options.schema, hide: true } })
  })
}
