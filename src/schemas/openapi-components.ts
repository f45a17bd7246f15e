import { ApiError, type ErrorCode, type Fault, errorTable } from '../errors.ts'
import type { JsonSchema } from './json-schema.ts'
import { type Problem, ProblemSchema, toProblem } from './problem.ts'

/** The part of the document that is the same for every model. */
export interface Components {
  schemas: Record<string, unknown>
  responses?: Record<string, unknown>
  requestBodies?: Record<string, unknown>
  headers?: Record<string, unknown>
  securitySchemes?: Record<string, unknown>
}

/** What a caller would read in each error that a documented route can answer with. */
const details: Partial<Record<ErrorCode, string>> = {
  NOT_JSON: 'The body is not valid JSON: it ends too early.',
  BAD_ENVELOPE: '"instances" must be a list of rows.',
  UNAUTHENTICATED: 'Send a token: Authorization: Bearer <token>',
  FORBIDDEN: 'This needs a token with the scope predict',
  MODEL_NOT_FOUND: 'There is no model of that name.',
  VERSION_NOT_FOUND: 'The model has no such version.',
  NOT_ACCEPTABLE: 'The answer can only be application/json.',
  BODY_TOO_LARGE: 'The body is above the limit.',
  TOO_MANY_ROWS: 'The request has too many rows. Send them in several requests.',
  UNSUPPORTED_MEDIA_TYPE: 'Send the body as application/json, text/csv or application/x-ndjson, and name it in content-type.',
  RATE_LIMITED: 'More than 1000 requests within 60 seconds; try again in 12',
  INTERNAL: 'The server failed; its log has the reason under this request_id.',
  DRAINING: 'The server is shutting down; another one will answer.',
  OVERLOADED: 'The server has more work than it can do in time.',
  QUEUE_FULL: 'Too many rows are waiting. Try again.',
  MODEL_NOT_READY: 'The model is still loading. Try again.',
  INFERENCE_TIMEOUT: 'The model gave no answer in time.',
}

/** Which errors a prediction can answer with, besides the model's own 422. */
export function predictStatuses (auth: boolean): number[] {
  return [400, ...(auth ? [401, 403] : []), 404, 406, 413, 415, 429, 500, 503, 504]
}

const extraHeaders: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit-Policy', 'RateLimit'],
  503: ['Retry-After'],
}

export function headerRefs (...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}

/** A problem as `/predict` would answer it; `errors` only where the input is at fault. */
export function problemExample (code: ErrorCode, detail: string, errors?: readonly Fault[]): Problem {
  return toProblem(new ApiError(code, detail, errors === undefined ? {} : { errors }), '/predict', 'req-7f3k2q')
}

export function problemContent (examples: Readonly<Record<string, Problem>>): Record<string, unknown> {
  const named = Object.entries(examples).map(([name, value]) => [name, { summary: value.title, value }])
  return {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      examples: Object.fromEntries(named),
    },
  }
}

function problemResponse (status: number): Record<string, unknown> {
  const rows = errorTable().filter(row => row.status === status && details[row.code] !== undefined)
  const examples = rows.map(({ code }) => [code, problemExample(code, details[code] ?? '')])
  return {
    description: rows.map(row => row.title).join(' · '),
    ...(extraHeaders[status] === undefined ? {} : { headers: headerRefs(...extraHeaders[status]) }),
    content: problemContent(Object.fromEntries(examples)),
  }
}

export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A JSON Web Token; its scopes decide what it may do. `npx modelport token --help` tells how to sign one.',
  },
} as const

const fault: JsonSchema = {
  title: 'Place and fault',
  type: 'object',
  properties: {
    path: { description: 'JSON pointer into the body.', type: 'string', examples: ['/instances/3/plan'] },
    message: { type: 'string', examples: ['must be one of basic, pro'] },
  },
  required: ['path', 'message'],
  additionalProperties: false,
}

const sharedSchemas: Record<string, JsonSchema> = {
  Fault: fault,
  RowErrors: {
    title: 'A row that could not be predicted',
    description: 'Only with `partial=true`.',
    type: 'object',
    properties: { errors: { type: 'array', minItems: 1, items: { $ref: '#/components/schemas/Fault' } } },
    required: ['errors'],
    additionalProperties: false,
  },
  Problem: { title: 'Problem', description: 'An error as RFC 9457 has it.', ...ProblemSchema },
}

const sharedHeaders = {
  'X-Request-Id': header('The caller\'s request id where it sent a valid one, else a new one.', 'req-7f3k2q'),
  'Server-Timing': header('Milliseconds per stage.', 'validate;dur=0.03, queue;dur=0.05, run;dur=0.11'),
  'RateLimit-Policy': header('Requests (q) per window of seconds (w).', '"default";q=1000;w=60'),
  RateLimit: header('Requests left (r), and seconds until the window ends (t).', '"default";r=999;t=60'),
  'Retry-After': header('Seconds to wait.', 12, 'integer'),
  'WWW-Authenticate': header('The kind of token to send, and what is wrong with the one that was sent.', 'Bearer realm="modelport"'),
}

/** What every document has, whatever the models. */
export function sharedComponents (auth: boolean): Components {
  const statuses = predictStatuses(auth)
  const { 'WWW-Authenticate': challenge, ...headers } = sharedHeaders
  return {
    schemas: sharedSchemas,
    responses: Object.fromEntries(statuses.map(status => [`Problem${status}`, problemResponse(status)])),
    headers: auth ? { ...headers, 'WWW-Authenticate': challenge } : headers,
    ...(auth ? { securitySchemes } : {}),
  }
}

const page = (summary: string, mediaType: string, type = 'string') => ({
  get: {
    tags: ['Documents'],
    summary,
    responses: { 200: { description: 'The document', content: { [mediaType]: { schema: { type } } } } },
  },
})

/** Routes that do not describe themselves. */
export const documentPaths = {
  '/docs': page('Swagger UI', 'text/html'),
  '/docs/json': page('This document', 'application/json', 'object'),
  '/docs/yaml': page('This document as YAML', 'application/x-yaml'),
  '/redoc': page('ReDoc', 'text/html'),
}

function header (description: string, example: string | number, type = 'string'): unknown {
  return { description, schema: { type }, example }
}
