import type { FastifyReply, FastifyRequest } from 'fastify'
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
  /** Writes a line from members that are JSON already; unset: lines go through the log. */
  readonly writeInfo?: ((members: string, message: string) => void) | undefined
}

/** One line per request, when it has been answered: who asked what of which version, and how that went. */
export default fp<AccessLogOptions>(async (app, { enabled, inputs, writeInfo }) => {
  app.decorateRequest('answeredBy', undefined)
  if (!enabled) return
  app.addHook('onResponse', (request, reply, done) => {
    const entry = entryOf(request, reply, inputs)
    if (writeInfo === undefined) request.log.info(entry, 'request')
    else writeInfo(membersOf(entry), 'request')
    done()
  })
}, { name: 'access-log', dependencies: ['errors', 'auth'], fastify: '5.x' })

type Entry = ReturnType<typeof entryOf>

function entryOf (request: FastifyRequest, reply: FastifyReply, inputs: boolean) {
  const [path = ''] = request.url.split('?', 1)
  return {
    request_id: request.id,
    method: request.method,
    path,
    status: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime * 1000) / 1000,
    remote_address: request.ip,
    subject: request.subject,
    model: request.answeredBy?.name,
    version: request.answeredBy?.version,
    error: request.errorCode,
    inputs: inputs ? request.body : undefined,
  }
}

/**
 * What the log would write, for a fifth of the time: of every request this is the largest part that is
 * not its answer. Only what a caller or an operator chose can hold a character that JSON escapes.
 */
function membersOf (entry: Entry): string {
  const { request_id: id, method, path, status, duration_ms: ms, remote_address: address, subject, model, version, error, inputs } = entry
  let members = `"request_id":"${id}","method":"${method}","path":${JSON.stringify(path)},"status":${status},"duration_ms":${ms},"remote_address":"${address}"`
  if (subject !== undefined) members += `,"subject":${JSON.stringify(subject)}`
  if (model !== undefined) members += `,"model":"${model}","version":"${version}"`
  if (error !== undefined) members += `,"error":"${error}"`
  if (inputs !== undefined) members += `,"inputs":${JSON.stringify(inputs)}`
  return members
}
