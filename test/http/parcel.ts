import type { Manifest } from '../../src/artifact/manifest.ts'
import { floats, model, node } from '../../src/onnx/build.ts'
import type { Preprocessor } from '../../src/preprocess/spec.ts'
import { type Files, withManifest } from '../helpers/models.ts'

/** One feature of every kind. */
const features: NonNullable<Manifest['features']> = [
  { name: 'weight', type: 'number', minimum: 0, maximum: 30, range: [1, 10] },
  { name: 'pieces', type: 'integer', minimum: -5, maximum: 5 },
  { name: 'size', type: 'string', enum: ['small', 'large'] },
  { name: 'grade', type: 'number', enum: [1, 2, 3] },
  { name: 'fragile', type: 'boolean' },
  { name: 'city', type: 'string' },
  { name: 'value', type: 'number' },
  { name: 'a/b~c', type: 'number', required: false },
]

const preprocessor: Preprocessor = {
  schemaVersion: 1,
  output: { name: 'X', type: 'float32' },
  columns: [
    { feature: 'weight', steps: [] },
    { feature: 'pieces', steps: [] },
    { feature: 'size', steps: [{ ordinal: { categories: ['small', 'large'], unknown: 'error' } }] },
    { feature: 'grade', steps: [] },
    { feature: 'fragile', steps: [] },
    { feature: 'city', steps: [{ oneHot: { categories: ['Bern', 'Graz'], unknown: 'error' } }] },
    { feature: 'value', steps: [] },
    { feature: 'a/b~c', steps: [{ impute: 0 }] },
  ],
}

/** The price of a parcel: the sum of its columns, Bern counts 10 and Graz 20. */
export function parcelFiles (): Files {
  return withManifest({
    'model.onnx': model({
      graph: {
        inputs: [{ name: 'X', type: 'float32', shape: ['rows', 9] }],
        outputs: [{ name: 'price', type: 'float32', shape: ['rows', 1] }],
        nodes: [node('MatMul', ['X', 'W'], ['price'])],
        initializers: { W: floats([1, 1, 1, 1, 1, 10, 20, 1, 1], [9, 1]) },
      },
    }),
    'preprocessor.json': preprocessor,
  }, { name: 'parcel', task: 'regression', labels: undefined, outputs: { value: 'price' }, features })
}

/** A good row; each value as JSON text, so that a test can write what no JSON library would. */
export const goodParcel: Readonly<Record<string, string>> = {
  weight: '2.5', pieces: '3', size: '"large"', grade: '2', fragile: 'true', city: '"Bern"', value: '100', 'a/b~c': '1',
}

/** 2.5 + 3 + 1 + 2 + 1 + 10 + 100 + 1 */
export const goodPrice = 120.5

/** The ways in which a row may be written, and how a fault in it is told. */
export const rowForms = [
  {
    form: 'an object',
    write: objectText,
    path: (name: string) => `/${escape(name)}`,
    says: (_name: string, message: string) => message,
  },
  {
    form: 'a list of features',
    write: (row: Readonly<Record<string, string>>) => `{"features": [${Object.values(row).join(', ')}]}`,
    path: (name: string) => `/features/${features.findIndex(feature => feature.name === name)}`,
    says: (name: string, message: string) => `${name} ${message}`,
  },
  {
    form: 'an object of features',
    write: (row: Readonly<Record<string, string>>) => `{"features": ${objectText(row)}}`,
    path: (name: string) => `/features/${escape(name)}`,
    says: (_name: string, message: string) => message,
  },
]

export function objectText (row: Readonly<Record<string, string>>): string {
  return `{${Object.entries(row).map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`
}

/** RFC 6901. */
function escape (name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
