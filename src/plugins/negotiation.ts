import fp from 'fastify-plugin'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The media type of this route's answers; a caller whose Accept rules it out gets 406. */
    produces?: string
  }
}

/** Refuses, before anything is read, a request whose answer the caller would not take. */
export default fp(async app => {
  app.addHook('onRequest', (request, _reply, done) => {
    const { produces } = request.routeOptions.config
    const { accept } = request.headers
    if (produces === undefined || !accept || accept === '*/*' || accepts(accept, produces)) return done()
    done(new ApiError('NOT_ACCEPTABLE', `This route answers ${produces}; Accept allows only ${accept.slice(0, 200)}.`))
  })
}, { name: 'negotiation', fastify: '5.x' })

/** RFC 9110, 12.5.1: the most specific range that matches decides, and q=0 rules out. */
function accepts (accept: string, mediaType: string): boolean {
  const [type] = mediaType.split('/', 1)
  const ranges = new Map(accept.split(',').map(range => {
    const [name = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    return [name, parameters.every(parameter => !/^q=0(\.0*)?$/.test(parameter))]
  }))
  return ranges.get(mediaType) ?? ranges.get(`${type}/*`) ?? ranges.get('*/*') ?? false
}
