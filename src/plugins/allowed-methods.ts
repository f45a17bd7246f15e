import type { FastifyInstance } from 'fastify'

interface KnownRoute { readonly pattern: RegExp, readonly methods: readonly string[] }

/**
 * Listens to the routes as they are added.
 *
 * @returns the methods that some route answers at a path, sorted; none for an unknown path
 */
export function allowedMethods (app: FastifyInstance): (path: string) => string[] {
  const routes: KnownRoute[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: toPattern(url), methods: [method].flat() })
  })
  return path => {
    const methods = routes.filter(({ pattern }) => pattern.test(path)).flatMap(route => route.methods)
    return [...new Set(methods)].sort()
  }
}

/** `/models/:name/predict` and `/docs/*` in the router's words, as a regular expression. */
function toPattern (url: string): RegExp {
  const parts = url.split('/').map(part => {
    if (part === '*') return '.*'
    // Two colons are the router's way to write one.
    return part.startsWith(':') && !part.startsWith('::') ? '[^/]+' : part.replaceAll('::', ':').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
