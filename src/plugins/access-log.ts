import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** Which version the request reached, for the log; set by whoever knows. */
    answeredBy: { readonly name: string, readonly version: string } | undefined
  }
}

export interface AccessLogOptions {
  readonly enabled: boolean
  /** LOG_INPUTS: the body of each prediction, which may hold personal data. */
  readonly inputs: boolean
}

/** One line per request, when it has been answered: who asked what of which version, and how that went. */
export default fp<AccessLogOptions>(async (app, { enabled, inputs }) => {
  app.decorateRequest('answeredBy', undefined)
  if (!enabled) return
  app.addHook('onResponse', (request, reply, done) => {
    request.log.info({
      request_id: request.id,
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 1000) / 1000,
      remote_address: request.ip,
      subject: request.subject,
      model: request.answeredBy?.name,
      version: request.answeredBy?.version,
      error: request.errorCode,
      inputs: inputs ? request.body : undefined,
    }, 'request')
    done()
  })
}, { name: 'access-log', dependencies: ['errors', 'auth'], fastify: '5.x' })
