import type { Feature, Manifest } from '../artifact/manifest.ts'
import { exampleValue } from './examples.ts'

/** A JSON Schema, draft 2020-12, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What of a model has a schema of its own. */
export type SchemaPart = 'Row' | 'Features' | 'Batch' | 'Request' | 'Prediction' | 'Answer' | 'BadRowAnswer' | 'BatchAnswer'

/** A manifest whose model takes rows; the task "tensor" has no features and no schema. */
export type RowManifest = Manifest & { features: Feature[] }

export interface SchemaOptions {
  /** Most rows of one request. */
  maxRows: number
  /** How one part refers to another, as a `$ref`. */
  ref: (part: SchemaPart | 'Fault' | 'RowErrors') => string
}

export function takesRows (manifest: Manifest): manifest is RowManifest {
  return manifest.features !== undefined
}

/**
 * What a model version takes and answers. The limits are those that the row reader checks; `Request`
 * is any JSON body of a prediction; what is answered is an `Answer`, a `BatchAnswer` or, for one bad row
 * with `partial=true`, a `BadRowAnswer`.
 */
export function modelSchemas (manifest: RowManifest, { maxRows, ref }: SchemaOptions): Record<SchemaPart, JsonSchema> {
  const row = { oneOf: [{ $ref: ref('Row') }, { $ref: ref('Features') }] }
  const outcome = outcomeProperties(manifest)
  const envelope = envelopeProperties(manifest, ref('Fault'))
  return {
    Row: rowSchema(manifest.features),
    Features: object('One row under "features"', {
      features: { oneOf: [valuesSchema(manifest.features), { $ref: ref('Row') }] },
    }),
    Batch: object('Many rows', {
      instances: { type: 'array', minItems: 1, maxItems: maxRows, items: row },
    }),
    Request: { title: 'One row or many', oneOf: [{ $ref: ref('Row') }, { $ref: ref('Features') }, { $ref: ref('Batch') }] },
    Prediction: object('One prediction', outcome),
    Answer: object('Answer to one row', { ...outcome, ...envelope }, ['warnings']),
    BadRowAnswer: object('Answer to one bad row with partial=true', {
      errors: { type: 'array', minItems: 1, items: { $ref: ref('Fault') } },
      ...envelope,
    }, ['warnings']),
    BatchAnswer: object('Answer to many rows', {
      predictions: {
        description: 'In the order of the rows.',
        type: 'array',
        items: { oneOf: [{ $ref: ref('Prediction') }, { $ref: ref('RowErrors') }] },
      },
      ...envelope,
    }, ['warnings']),
  }
}

export function featureSchema (feature: Feature): JsonSchema {
  const { type, enum: members, required, minimum, maximum, unit, range } = feature
  const optional = required === false
  return defined({
    type: optional ? [type, 'null'] : type,
    description: describeFeature(feature),
    enum: members && [...new Set<unknown>(optional ? [...members, null] : members)],
    minimum,
    maximum,
    examples: [exampleValue(feature)],
    'x-unit': unit,
    'x-range': range,
  })
}

function rowSchema (features: readonly Feature[]): JsonSchema {
  const optional = features.filter(feature => feature.required === false).map(feature => feature.name)
  const properties = Object.fromEntries(features.map(feature => [feature.name, featureSchema(feature)]))
  return object('One row by feature name', properties, optional)
}

function valuesSchema (features: readonly Feature[]): JsonSchema {
  return {
    title: 'Values in the order of the features',
    type: 'array',
    prefixItems: features.map(feature => ({ title: feature.name, ...featureSchema(feature) })),
    items: false,
    minItems: features.length,
    maxItems: features.length,
  }
}

function outcomeProperties ({ task, labels, outputs }: RowManifest): Record<string, JsonSchema> {
  if (task !== 'classification' || labels === undefined) return { prediction: { type: 'number' } }
  return defined({
    prediction: { description: 'Index of the class.', type: 'integer', minimum: 0, maximum: labels.length - 1 },
    class_name: { type: 'string', enum: [...new Set(labels)] },
    probabilities: outputs?.probabilities === undefined ? undefined : probabilitiesSchema(labels),
  }) as Record<string, JsonSchema>
}

function probabilitiesSchema (labels: readonly string[]): JsonSchema {
  return {
    description: `One per class: ${labels.join(', ')}.`,
    type: 'array',
    items: { type: 'number' },
    minItems: labels.length,
    maxItems: labels.length,
  }
}

function envelopeProperties ({ name, version }: RowManifest, fault: string): Record<string, JsonSchema> {
  return {
    model: object(undefined, { name: { type: 'string', const: name }, version: { type: 'string', const: version } }),
    latency_ms: { description: 'Time in the server, in milliseconds.', type: 'number', minimum: 0 },
    warnings: {
      description: 'Values outside the range of the training data; absent when there are none.',
      type: 'array',
      items: { $ref: fault },
    },
  }
}

function describeFeature ({ description, unit, range, required }: Feature): string | undefined {
  const sentences = [
    description?.replace(/\.?\s*$/, '.'),
    unit && `Unit: ${unit}.`,
    range && `Training data: ${range[0]} to ${range[1]}; outside is a warning.`,
    required === false && 'May be missing.',
  ]
  return sentences.filter(Boolean).join(' ') || undefined
}

/** An object that allows no other property and requires those that are not `optional`. */
function object (title: string | undefined, properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter(name => !optional.includes(name))
  return defined({
    title,
    type: 'object',
    properties,
    required: required.length > 0 ? required : undefined,
    additionalProperties: false,
  })
}

/** Without the members that are undefined: a schema must not have them. */
function defined (schema: Record<string, unknown>): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined))
}
