/**
 * Every error a caller can meet. The code decides the status and the title, here and nowhere else;
 * whoever throws adds the detail: which value, what was expected, what to do. docs/errors.md holds
 * the same table for readers, and a test compares the two.
 */
const table = {
  NOT_JSON: [400, 'The body is not valid JSON'],
  BAD_REQUEST: [400, 'The request is malformed'],
  BAD_ENVELOPE: [400, 'The body has the wrong shape'],
  UNRUNNABLE_VALUES: [400, 'The model cannot run these values'],
  LOAD_FAILED: [400, 'The model could not be loaded'],
  UNAUTHENTICATED: [401, 'A valid token is required'],
  FORBIDDEN: [403, 'The token lacks the scope'],
  ROUTE_NOT_FOUND: [404, 'No such route'],
  MODEL_NOT_FOUND: [404, 'No such model'],
  VERSION_NOT_FOUND: [404, 'No such version'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  NOT_ACCEPTABLE: [406, 'No acceptable representation'],
  REQUEST_TIMEOUT: [408, 'The request took too long to arrive'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  TOO_MANY_ROWS: [413, 'Too many rows'],
  ANSWER_TOO_LARGE: [413, 'The answer is too large'],
  URI_TOO_LONG: [414, 'The address is too long'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Unsupported content type'],
  INVALID_INPUT: [422, 'The input is not valid'],
  RATE_LIMITED: [429, 'Too many requests'],
  CALLER_LEFT: [499, 'The caller left before the answer'],
  HEADERS_TOO_LARGE: [431, 'The header fields are too large'],
  INTERNAL: [500, 'Internal error'],
  DRAINING: [503, 'The server is shutting down'],
  OVERLOADED: [503, 'The server is overloaded'],
  QUEUE_FULL: [503, 'The queue is full'],
  KEYS_UNAVAILABLE: [503, 'Tokens cannot be checked now'],
  MODEL_NOT_READY: [503, 'The model is not ready'],
  INFERENCE_TIMEOUT: [504, 'Inference took too long'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ErrorCode = keyof typeof table

/** One fault in the caller's input, at a JSON pointer into the body (`''` is the body itself). */
export interface Fault { path: string, message: string }

export interface ApiErrorOptions {
  errors?: readonly Fault[]
  headers?: Readonly<Record<string, string>>
  cause?: unknown
}

/** An error whose `message` may be shown to the caller. Anything else that is thrown becomes INTERNAL. */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  readonly errors: readonly Fault[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor (code: ErrorCode, detail: string, options: ApiErrorOptions = {}) {
    super(detail, { cause: options.cause })
    this.name = 'ApiError'
    this.code = code
    this.status = table[code][0]
    this.title = table[code][1]
    this.errors = options.errors
    this.headers = options.headers ?? {}
  }
}

/** The table as rows, for the documents. */
export function errorTable (): { code: ErrorCode, status: number, title: string }[] {
  return Object.entries(table).map(([code, [status, title]]) => ({ code: code as ErrorCode, status, title }))
}

/** What stops a start or a command: one line for the operator, no stack. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
}
