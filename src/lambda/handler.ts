import { ApiError } from '../errors.ts'
import { shapeOfPath, writeError } from '../schemas/protocol-errors.ts'
import { type GatewayEvent, type LambdaRequest, readEvent } from './event.ts'
import { type HttpAnswer, type LambdaResult, maxResultMb, writeResult } from './result.ts'

/** What Lambda says of an invocation, as far as it is read here. */
export interface LambdaContext {
  readonly awsRequestId: string
  callbackWaitsForEmptyEventLoop?: boolean
  readonly getRemainingTimeInMillis: () => number
}

export type LambdaHandler = (event: GatewayEvent, context: LambdaContext) => Promise<LambdaResult>

/** A request as the app takes it without a connection. */
export interface Injected {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string | string[]>
  readonly payload?: Buffer
  readonly remoteAddress: string
  readonly signal: AbortSignal
}

export interface HandlerOptions {
  /** The app. */
  readonly answer: (request: Injected) => Promise<HttpAnswer>
  /** Of every answer that the app did not write itself. */
  readonly securityHeaders: Readonly<Record<string, string>>
  /** Called with what no answer tells. */
  readonly warn: (facts: object, message: string) => void
  /** Before the result is handed over: from then on the process may stand still, for minutes or for ever. */
  readonly beforeFreeze: () => Promise<void> | void
}

/** What writing a 504 and the log takes, at the end of an invocation's time. */
const reserveMs = 300

/** One HTTP request through the app, in Lambda's terms. */
export function createHandler ({ answer, securityHeaders, warn, beforeFreeze }: HandlerOptions): LambdaHandler {
  return async (event, context) => {
    // Timers and connections to a store go on by themselves, and must not hold the answer back.
    context.callbackWaitsForEmptyEventLoop = false
    const request = readEvent(event)
    request.headers['x-request-id'] ??= context.awsRequestId
    const late = (): HttpAnswer => {
      warn({ request_id: context.awsRequestId, path: request.url.split('?', 1)[0] }, 'the time of the function was over before the answer')
      const error = new ApiError('INFERENCE_TIMEOUT', 'The time of the function is over; give it more (timeout), or send fewer rows at once.')
      return errorAnswer(error, request.url, { ...securityHeaders, 'x-request-id': context.awsRequestId })
    }
    const found = await inTime(answer, request, context.getRemainingTimeInMillis() - reserveMs, late)
    const result = writeResult(found, request.form, acceptEncoding(request)) ?? tooLarge(found, request, warn)
    await beforeFreeze()
    return result
  }
}

/** Rows that still wait at the end of the time are dropped; a run in a worker thread goes on, and its answer is thrown away. */
async function inTime (answer: HandlerOptions['answer'], { method, url, headers, body, remoteAddress }: LambdaRequest, remainingMs: number, late: () => HttpAnswer): Promise<HttpAnswer> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<HttpAnswer>(resolve => {
    timer = setTimeout(() => {
      resolve(late())
      abort.abort()
    }, Math.max(0, remainingMs))
  })
  const answered = answer({ method, url, headers, remoteAddress, signal: abort.signal, ...(body === undefined ? {} : { payload: body }) })
  // After the time nobody listens to it.
  answered.catch(() => {})
  try {
    return await Promise.race([answered, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function tooLarge ({ headers, rawPayload: { byteLength } }: HttpAnswer, { url, form }: LambdaRequest, warn: HandlerOptions['warn']): LambdaResult {
  const maxMb = maxResultMb(form)
  warn({ request_id: headers['x-request-id'], answer_bytes: byteLength, limit_bytes: maxMb * 1e6 }, 'the answer was too large for Lambda')
  const error = new ApiError('ANSWER_TOO_LARGE', `The answer has ${(byteLength / 1e6).toFixed(1)} MB, and ${maxMb} MB can be sent from here. Send fewer rows at once, or accept gzip.`)
  const result = writeResult(errorAnswer(error, url, headers), form, '')
  if (result === undefined) throw error
  return result
}

/** In place of the app's answer, under the same headers. */
function errorAnswer (error: ApiError, url: string, headers: HttpAnswer['headers']): HttpAnswer {
  const { contentType, text } = writeError(shapeOfPath(url), error, url, `${headers['x-request-id'] ?? ''}`)
  return { statusCode: error.status, headers: { ...headers, ...error.headers, 'content-type': contentType, 'content-encoding': undefined }, rawPayload: Buffer.from(text) }
}

function acceptEncoding ({ headers }: LambdaRequest): string {
  return [headers['accept-encoding'] ?? ''].flat().join(', ')
}
