import type { Fault } from '../errors.ts'
import { type ExampleRow, examplePrediction, exampleRows, toCsv, toNdjson } from './examples.ts'
import { type RowManifest, modelSchemas } from './json-schema.ts'
import { type Components, headerRefs, predictStatuses, problemContent, problemExample } from './openapi-components.ts'
import { compileRowReader } from './row-reader.ts'

/** A served version and the name under which its components stand. */
export interface KeyedModel { key: string, manifest: RowManifest }

export interface Operation extends Record<string, unknown> {
  description?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: { in: string, name: string, description?: string, schema?: Record<string, unknown>, example?: unknown }[]
  responses: Record<string, { description?: string } | { $ref: string }>
}

export interface PredictText { operationId: string, summary: string, description: string }

/** One predict operation; its body and answers are the components of the version that answers. */
export function predictOperation (key: string, tag: string, auth: boolean, text: PredictText): Operation {
  const problems = predictStatuses(auth).map(status => [status, { $ref: `#/components/responses/Problem${status}` }])
  return {
    tags: [tag],
    ...text,
    security: auth ? [{ bearer: ['predict'] }] : [],
    parameters: [{
      in: 'query',
      name: 'partial',
      description: 'Many rows: predict the good ones although others are bad, and put the faults into the places of the bad ones.',
      schema: { type: 'boolean', default: false },
    }],
    requestBody: { $ref: `#/components/requestBodies/${key}` },
    responses: {
      ...Object.fromEntries(problems),
      200: { $ref: `#/components/responses/${key}` },
      422: { $ref: `#/components/responses/${key}-Invalid` },
    },
  }
}

/** The schemas, bodies and answers of one version. */
export function modelComponents ({ key, manifest }: KeyedModel, maxRows: number): Required<Pick<Components, 'schemas' | 'requestBodies' | 'responses'>> {
  const ref = (part: string): string => `#/components/schemas/${part === 'Fault' || part === 'RowErrors' ? part : `${key}-${part}`}`
  const schemas = Object.entries(modelSchemas(manifest, { maxRows, ref })).map(([part, schema]) => [`${key}-${part}`, schema])
  return {
    schemas: Object.fromEntries(schemas),
    requestBodies: { [key]: requestBody(key, manifest) },
    responses: { [key]: answer(key, manifest), [`${key}-Invalid`]: invalid(manifest) },
  }
}

function requestBody (key: string, { features }: RowManifest): Record<string, unknown> {
  const [row, other] = exampleRows(features)
  // Not Object.values, which would put a feature called "0" first.
  const asList = (named: ExampleRow): object => ({ features: features.map(({ name }) => named[name]) })
  return {
    required: true,
    content: {
      'application/json': {
        schema: { $ref: `#/components/schemas/${key}-Request` },
        examples: {
          row: { summary: 'One row by feature name', value: row },
          list: { summary: 'One row as a list, in the order of the features', value: asList(row) },
          many: { summary: 'Many rows', value: { instances: [row, other] } },
        },
      },
      'text/csv': {
        schema: { type: 'string', description: 'A header with the names of the features, then a line per row.' },
        example: toCsv(features, [row, other]),
      },
      'application/x-ndjson': {
        schema: { type: 'string', description: 'A row as JSON per line.' },
        // Under the names of the JSON examples, which Swagger UI keeps when the type is changed.
        examples: {
          row: { summary: 'One row by feature name', value: toNdjson([row]) },
          list: { summary: 'Rows as lists, in the order of the features', value: toNdjson([row, other].map(asList)) },
          many: { summary: 'Many rows', value: toNdjson([row, other]) },
        },
      },
    },
  }
}

function answer (key: string, manifest: RowManifest): Record<string, unknown> {
  const prediction = examplePrediction(manifest)
  const envelope = { model: { name: manifest.name, version: manifest.version }, latency_ms: 0.21 }
  const errors = exampleFaults(manifest)
  const part = (name: string): unknown => ({ $ref: `#/components/schemas/${key}-${name}` })
  return {
    description: 'The prediction of one row, or of many rows in their order',
    headers: headerRefs('X-Request-Id', 'Server-Timing', 'RateLimit-Policy', 'RateLimit'),
    content: {
      'application/json': {
        schema: { oneOf: [part('Answer'), part('BatchAnswer'), part('BadRowAnswer')] },
        examples: {
          row: { summary: 'One row', value: { ...prediction, ...envelope } },
          many: { summary: 'Many rows', value: { predictions: [prediction, prediction], ...envelope } },
          partial: { summary: 'Many rows with partial=true', value: { predictions: [prediction, { errors }], ...envelope } },
        },
      },
    },
  }
}

function invalid (manifest: RowManifest): Record<string, unknown> {
  const errors = exampleFaults(manifest)
  return {
    description: 'The input is not valid: every fault of it, not only the first',
    content: problemContent({
      INVALID_INPUT: problemExample('INVALID_INPUT', `${errors.length === 1 ? 'One value does' : `${errors.length} values do`} not fit the model.`, errors),
    }),
  }
}

/** What the server itself says of a row with a mistyped value in its first two features. */
function exampleFaults ({ features }: RowManifest): Fault[] {
  const [row] = exampleRows(features)
  const bad = features.slice(0, 2).map(({ name, type }) => [name, type === 'string' ? 7 : 'many'])
  const input: ExampleRow = { ...row, ...Object.fromEntries(bad) }
  const faults: Fault[] = []
  compileRowReader(features).read(input, faults)
  return faults
}
