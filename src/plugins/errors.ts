import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ApiError, type ErrorCode, type Fault } from '../errors.ts'
import { toProblem } from '../schemas/problem.ts'
import { type ErrorShape, shapeOfPath, writeError } from '../schemas/protocol-errors.ts'
import { allowedMethods } from './allowed-methods.ts'

declare module 'fastify' {
  interface FastifyRequest { errorCode: ErrorCode | undefined }
  interface FastifyContextConfig {
    /** In whose words this route tells its errors; problem+json unless told. */
    errors?: ErrorShape
  }
}

/** What the framework and its plugins throw, in our words. */
const frameworkErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json, text/csv or application/x-ndjson, and name it in content-type.'],
  FST_ERR_CTP_EMPTY_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Name the type of the body in content-type.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The body is above the limit of this server (BODY_LIMIT). Send the rows in several requests.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['NOT_JSON', 'The body is empty.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['NOT_JSON', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'The body is not as long as content-length says.'],
  FST_ERR_BAD_URL: ['BAD_REQUEST', 'The address is not a valid URL path.'],
  FST_ERR_MAX_PARAM_LENGTH: ['URI_TOO_LONG', 'A part of the address is too long.'],
}

/** Every error of the server in the words of its route, and 404 and 405 for what no route answers. */
export default fp(async app => {
  app.decorateRequest('errorCode', undefined)
  app.setErrorHandler((error: FastifyError, request, reply) => { sendError(error, request, reply) })
  const routes = allowedMethods(app)
  app.setNotFoundHandler((request, reply) => { sendError(missing(routes, request), request, reply) })
  // Before the body is read: what is wrong with it does not matter where nothing would take it.
  app.addHook('preParsing', (request, _reply, _payload, done) => { done(request.is404 ? missing(routes, request) : null) })
}, { name: 'errors', fastify: '5.x' })

/** Also for errors before routing, where no handler is set. */
export function sendError (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toApiError(error)
  if (known.status >= 500 && known.code === 'INTERNAL') request.log.error({ request_id: request.id, err: error }, 'request failed')
  if (known.code === 'UNRUNNABLE_VALUES') request.log.warn({ request_id: request.id, err: known.cause }, 'the model could not run what a caller sent')
  request.errorCode = known.code
  for (const [name, value] of Object.entries(known.headers)) reply.header(name, value)
  const shape = request.routeOptions?.config?.errors ?? shapeOfPath(request.url)
  const { contentType, text } = writeError(shape, known, request.url, request.id)
  reply.code(known.status).type(contentType).send(text)
}

function toApiError (error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const { code = '', statusCode = 500, message, validation } = error as Partial<FastifyError>
  const known = Object.hasOwn(frameworkErrors, code) ? frameworkErrors[code] : undefined
  if (known !== undefined) return new ApiError(known[0], known[1], { cause: error })
  if (validation !== undefined) return new ApiError('BAD_REQUEST', 'The address or its parameters are wrong.', { errors: validation.map(queryFault) })
  if (statusCode >= 400 && statusCode < 500) return new ApiError('BAD_REQUEST', message ?? 'The request is malformed.', { cause: error })
  return new ApiError('INTERNAL', 'The server failed; its log has the reason under this request_id.', { cause: error })
}

function queryFault ({ instancePath, message = 'is wrong', params }: NonNullable<FastifyError['validation']>[number]): Fault {
  const name = params['additionalProperty']
  return typeof name === 'string' ? { path: `${instancePath}/${name}`, message: 'is not a parameter' } : { path: instancePath, message }
}

function missing (routes: ReturnType<typeof allowedMethods>, request: FastifyRequest): ApiError {
  const [path = ''] = request.url.split('?', 1)
  const methods = routes(path)
  // A route that looks for a file asks for this answer too.
  if (methods.length === 0 || methods.includes(request.method)) return new ApiError('ROUTE_NOT_FOUND', 'There is no such route; GET /docs lists those there are.')
  const allow = methods.join(', ')
  return new ApiError('METHOD_NOT_ALLOWED', `This route answers ${allow}.`, { headers: { allow } })
}

const clientErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The header fields are larger than the server reads.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request did not arrive in time.'],
}

/** For `clientErrorHandler`: what is not even HTTP is answered on the bare socket. */
export function answerClientError (this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [code, detail] = clientErrors[error.code ?? ''] ?? ['BAD_REQUEST', 'The request is not valid HTTP.']
  const problem = new ApiError(code, detail)
  const requestId = randomUUID()
  const body = JSON.stringify(toProblem(problem, '', requestId))
  socket.end([
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    ...Object.entries(this.securityHeaders).map(([name, value]) => `${name}: ${value}`),
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n'))
}
