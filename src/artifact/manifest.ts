import Type, { type Static } from 'typebox'
import { isName, nameRule } from './names.ts'

const count = Type.Integer({ minimum: 0 })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** One column of the caller's row. `minimum`, `maximum` and `enum` refuse; `range` only warns. */
export const FeatureSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 256 }),
  type: Type.Union([Type.Literal('number'), Type.Literal('integer'), Type.Literal('string'), Type.Literal('boolean')]),
  unit: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  example: Type.Optional(Type.Union([Type.Number(), Type.String(), Type.Boolean()])),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
  enum: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]), { minItems: 1 })),
  required: Type.Optional(Type.Boolean()),
}, { additionalProperties: false })

export const ManifestSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  name: Type.String(),
  version: Type.String(),
  createdAt: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  task: Type.Union([Type.Literal('classification'), Type.Literal('regression'), Type.Literal('tensor')]),
  files: Type.Record(Type.String(), Type.Object({ sha256: Sha256, bytes: count }, { additionalProperties: false })),
  features: Type.Optional(Type.Array(FeatureSchema, { minItems: 1 })),
  labels: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
  outputs: Type.Optional(Type.Object({
    label: Type.Optional(Type.String()),
    probabilities: Type.Optional(Type.String()),
    value: Type.Optional(Type.String()),
  }, { additionalProperties: false })),
  metrics: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  training: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})

export type Feature = Static<typeof FeatureSchema>

/** What a model is: the single source of its request schema, documents, preprocessing and tests. */
export type Manifest = Static<typeof ManifestSchema>

const reservedFeatureNames = new Set(['features', 'instances', ...Object.getOwnPropertyNames(Object.prototype)])

/** What the schema cannot say: the faults of a manifest that has the right shape. */
export function manifestFaults (manifest: Manifest): string[] {
  return [
    ...nameFaults(manifest),
    ...fileFaults(manifest),
    ...taskFaults(manifest),
    ...(manifest.features ?? []).flatMap((feature, i) => featureFaults(feature, `/features/${i}`)),
    ...duplicates((manifest.features ?? []).map(feature => feature.name)).map(name => `/features: "${name}" occurs twice`),
    ...duplicates(manifest.labels ?? []).map(label => `/labels: "${label}" occurs twice`),
  ]
}

function nameFaults ({ name, version }: Manifest): string[] {
  const faults: string[] = []
  if (!isName(name)) faults.push(`/name: must be ${nameRule}`)
  if (!isName(version)) faults.push(`/version: must be ${nameRule}`)
  return faults
}

/** What only means something beside features. */
const tabularFiles = ['preprocessor.json', 'golden.json', 'baseline.json']

function fileFaults ({ task, files }: Manifest): string[] {
  const faults: string[] = []
  for (const file of Object.keys(files)) {
    if (!isName(file)) faults.push(`/files: "${file}" must be the name of a file in the version's own folder`)
    else if (file === 'manifest.json') faults.push('/files: manifest.json cannot hold its own hash; leave it out')
    else if (task === 'tensor' && tabularFiles.includes(file)) faults.push(`/files: ${file} needs features, and the task "tensor" has none`)
  }
  if (!('model.onnx' in files)) faults.push('/files: must list model.onnx')
  if ('preprocessor.json' in files && 'preprocessor.onnx' in files) faults.push('/files: preprocessor.json and preprocessor.onnx exclude each other')
  return faults
}

function taskFaults ({ task, features, labels, outputs }: Manifest): string[] {
  switch (task) {
    case 'classification': return [
      ...(features === undefined ? ['/features: is required for a classification'] : []),
      ...(labels === undefined ? ['/labels: is required for a classification'] : []),
      ...(outputs?.label === undefined && outputs?.probabilities === undefined
        ? ['/outputs: must name "label" or "probabilities" for a classification']
        : []),
    ]
    case 'regression': return [
      ...(features === undefined ? ['/features: is required for a regression'] : []),
      ...(outputs?.value === undefined ? ['/outputs: must name "value" for a regression'] : []),
    ]
    case 'tensor': return features === undefined ? [] : ['/features: are not for the task "tensor"']
  }
}

function featureFaults (feature: Feature, path: string): string[] {
  const isNumeric = feature.type === 'number' || feature.type === 'integer'
  const expected = isNumeric ? 'number' : feature.type
  return [
    ...(reservedFeatureNames.has(feature.name) ? [`${path}/name: "${feature.name}" is reserved`] : []),
    ...(isNumeric ? limitFaults(feature, path) : misplacedLimits(feature, path)),
    ...[...feature.enum ?? [], feature.example]
      .filter(value => value !== undefined && typeof value !== expected)
      .map(value => `${path}: ${JSON.stringify(value)} is not a ${feature.type}`),
  ]
}

function limitFaults ({ minimum = -Infinity, maximum = Infinity, range }: Feature, path: string): string[] {
  return [
    ...(minimum > maximum ? [`${path}: minimum is above maximum`] : []),
    ...(range !== undefined && range[0] > range[1] ? [`${path}/range: begins above its end`] : []),
  ]
}

function misplacedLimits ({ type, minimum, maximum, range }: Feature, path: string): string[] {
  const isLimited = minimum !== undefined || maximum !== undefined || range !== undefined
  return isLimited ? [`${path}: minimum, maximum and range are for numbers, this is a ${type}`] : []
}

function duplicates (names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
}
