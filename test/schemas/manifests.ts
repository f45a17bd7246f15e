import fc from 'fast-check'
import { type Feature, type Manifest, manifestFaults } from '../../src/artifact/manifest.ts'
import type { RowManifest } from '../../src/schemas/json-schema.ts'

const files = { 'model.onnx': { sha256: '0'.repeat(64), bytes: 1 } }

export const iris: RowManifest = {
  schemaVersion: 1,
  name: 'iris',
  version: '1.0.0',
  description: 'Species of an iris.',
  task: 'classification',
  files,
  features: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name, i) => ({
    name, type: 'number', unit: 'cm', minimum: 0, maximum: 30, example: [5.1, 3.5, 1.4, 0.2][i] ?? 1, range: [0.1, 7.9],
  })),
  labels: ['setosa', 'versicolor', 'virginica'],
  outputs: { label: 'label', probabilities: 'probabilities' },
  metrics: { accuracy: 0.966666, confusion_matrix: [[1]] },
}

export const mpg: RowManifest = {
  schemaVersion: 1,
  name: 'mpg',
  version: '2.1.0',
  task: 'regression',
  files,
  features: [
    { name: 'horsepower', type: 'number', unit: 'hp', description: 'Power of the engine.', minimum: 1, range: [46, 230], required: false },
    { name: 'cylinders', type: 'integer', minimum: 3, maximum: 12, example: 8 },
    { name: 'origin', type: 'string', enum: ['USA', 'Europe', 'Japan'], example: 'Europe', required: false },
    { name: 'turbo', type: 'boolean' },
  ],
  outputs: { value: 'variable' },
}

export const resnet: Manifest = { schemaVersion: 1, name: 'resnet', version: '3', task: 'tensor', files }

/** Names as they occur in real tables, and as nobody should write them. */
const featureName = fc.oneof(
  fc.constantFrom('age', 'Größe', 'a b', 'a/b', 'a~1b', 'x,y', '"q"', '%20', '#', '0', '日本'),
  fc.string({ minLength: 1, maxLength: 8 })
)

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(x => x + 0)

const numberFeature = fc.record({
  type: fc.constantFrom('number' as const, 'integer' as const),
  limits: fc.option(fc.tuple(fc.integer({ min: -50, max: 0 }), fc.integer({ min: 0, max: 50 })), { nil: undefined }),
  enum: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1 }), { nil: undefined }),
  range: fc.option(fc.tuple(number, number), { nil: undefined }),
  example: fc.option(number, { nil: undefined }),
  required: fc.option(fc.boolean(), { nil: undefined }),
}).map(({ limits, ...rest }) => ({ ...rest, minimum: limits?.[0], maximum: rest.enum === undefined ? limits?.[1] : undefined }))

const otherFeature = fc.oneof(
  fc.record({
    type: fc.constant('string' as const),
    enum: fc.option(fc.uniqueArray(fc.string({ maxLength: 4 }), { minLength: 1 }), { nil: undefined }),
    example: fc.option(fc.string({ maxLength: 4 }), { nil: undefined }),
    required: fc.option(fc.boolean(), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('boolean' as const), required: fc.option(fc.boolean(), { nil: undefined }) })
)

const features = fc.uniqueArray(fc.tuple(featureName, fc.oneof(numberFeature, otherFeature)), { selector: ([name]) => name, minLength: 1, maxLength: 5 })
  .map(list => list.map(([name, rest]) => JSON.parse(JSON.stringify({ name, ...rest })) as Feature))

const modelName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,6}$/)

/** Manifests that pass every check, and for each of whose features some value is allowed. */
export const manifests: fc.Arbitrary<RowManifest> = fc.record({
  name: modelName,
  version: modelName,
  features,
  labels: fc.option(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { nil: undefined }),
}).map(({ labels, ...rest }): RowManifest => labels === undefined
  ? { schemaVersion: 1, task: 'regression', files, outputs: { value: 'y' }, ...rest }
  : { schemaVersion: 1, task: 'classification', files, outputs: { probabilities: 'p' }, labels, ...rest })
  .filter(manifest => manifestFaults(manifest).length === 0)
