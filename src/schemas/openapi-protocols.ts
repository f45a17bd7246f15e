import { ApiError, type ErrorCode, errorTable } from '../errors.ts'
import type { Feature, Manifest } from '../artifact/manifest.ts'
import { type ExampleRow, exampleRows } from './examples.ts'
import type { Operation } from './openapi-model.ts'
import { type ErrorShape, writeError } from './protocol-errors.ts'

/** A protocol's own words for rows of a model, for which examples are made from its manifest. */
export type BodyExamples = 'tensors' | 'dataframe' | 'instances'

/** What a route tells the document beyond its schema, as @fastify/swagger hands it through. */
export interface ProtocolRoute {
  'x-errors'?: ErrorShape
  'x-request-body'?: { content: Record<string, object> }
  'x-body-examples'?: BodyExamples
}

const text = { type: 'string' }

const errorSchemas: Readonly<Record<Exclude<ErrorShape, 'problem'>, Record<string, unknown>>> = {
  oip: objectOf({ error: text }),
  tfserving: objectOf({ error: text }),
  mlflow: objectOf({ error_code: text, message: text }),
  vertex: objectOf({ error: objectOf({ code: { type: 'integer' }, message: text, status: text }) }),
}

/** The error that stands for each status in an example. */
const exampleErrors: readonly (readonly [ErrorCode, string])[] = [
  ['BAD_ENVELOPE', 'The body must be an object.'],
  ['UNAUTHENTICATED', 'Send a token: Authorization: Bearer <token>'],
  ['FORBIDDEN', 'This needs a token with the scope predict'],
  ['MODEL_NOT_FOUND', 'There is no model of that name.'],
  ['NOT_ACCEPTABLE', 'The answer can only be application/json.'],
  ['BODY_TOO_LARGE', 'The body is above the limit.'],
  ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
  ['INVALID_INPUT', 'One value does not fit the model.'],
  ['RATE_LIMITED', 'More than 1000 requests within 60 seconds; try again in 12'],
  ['MODEL_NOT_READY', 'The model is still loading. Try again.'],
  ['INFERENCE_TIMEOUT', 'The model gave no answer in time.'],
]

/** Which errors an operation can answer with, whatever its own schema says. */
function statusesOf (operation: Operation, auth: boolean, scope: string | undefined, hasBody: boolean): number[] {
  const inPath = operation.parameters?.some(({ in: place }) => place === 'path') === true
  return [
    ...(hasBody ? [400, 413, 415, 422, 504] : []),
    ...(auth && scope !== undefined ? [401, 403] : []),
    ...(inPath ? [404] : []),
    ...(scope === undefined ? [] : [429, 503]),
  ]
}

/** The errors of a route in its protocol's own shape. */
export function protocolResponses (shape: Exclude<ErrorShape, 'problem'>, operation: Operation, options: { auth: boolean, scope: string | undefined, hasBody: boolean }): Operation['responses'] {
  const statuses = statusesOf(operation, options.auth, options.scope, options.hasBody)
  return Object.fromEntries(statuses.map(status => [status, errorResponse(shape, status)]))
}

function errorResponse (shape: Exclude<ErrorShape, 'problem'>, status: number): { description: string, content: object } {
  const codes = errorTable().filter(row => row.status === status)
  const [code = 'INTERNAL', detail = ''] = exampleErrors.find(([known]) => codes.some(row => row.code === known)) ?? []
  const error = new ApiError(code, detail)
  const example = JSON.parse(writeError(shape, error, '/', 'req-7f3k2q').text) as unknown
  return {
    description: error.title,
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(shape)}` }, example } },
  }
}

/** The components that the errors of these shapes refer to. */
export function protocolSchemas (shapes: ReadonlySet<ErrorShape>): Record<string, unknown> {
  return Object.fromEntries([...shapes].flatMap(shape => shape === 'problem' ? [] : [[schemaName(shape), { title: `Error (${titles[shape]})`, ...errorSchemas[shape] }]]))
}

const titles = { oip: 'Open Inference Protocol', tfserving: 'TensorFlow Serving', mlflow: 'MLflow', vertex: 'Vertex AI' } as const

function schemaName (shape: Exclude<ErrorShape, 'problem'>): string {
  return `${shape}-Error`
}

/** A body with examples of the models that are loaded, by their names. */
export function withExamples (body: { content: Record<string, object> }, kind: BodyExamples | undefined, manifests: readonly Manifest[]): { content: Record<string, object> } {
  const json = body.content['application/json']
  const examples = kind === undefined ? [] : manifests.flatMap(({ name, features }) => features === undefined ? [] : [[name, { summary: name, value: writeRows(kind, features) }] as const])
  if (json === undefined || examples.length === 0) return body
  return { ...body, content: { ...body.content, 'application/json': { ...json, examples: Object.fromEntries(examples) } } }
}

function writeRows (kind: BodyExamples, features: readonly Feature[]): object {
  const rows = exampleRows(features)
  switch (kind) {
    case 'tensors': return { inputs: features.map(feature => columnOf(feature, rows)) }
    case 'dataframe': return { dataframe_records: rows }
    case 'instances': return { instances: rows }
    default: return kind satisfies never
  }
}

const columnTypes = { number: 'FP64', integer: 'INT64', string: 'BYTES', boolean: 'BOOL' } as const

function columnOf ({ name, type }: Feature, rows: readonly ExampleRow[]): object {
  return { name, datatype: columnTypes[type], shape: [rows.length], data: rows.map(row => row[name]) }
}

function objectOf (properties: Record<string, unknown>): Record<string, unknown> {
  return { type: 'object', properties, required: Object.keys(properties) }
}
