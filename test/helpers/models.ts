import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Manifest } from '../../src/artifact/manifest.ts'
import { floats, model, node } from '../../src/onnx/build.ts'
import type { Preprocessor } from '../../src/preprocess/spec.ts'

/** A version's files by name; objects become JSON. */
export type Files = Record<string, Uint8Array | string | object>

/** Weights of the flower model: rows are X's columns (length, kind=red, kind=blue, age), columns the classes. */
const weights = floats([2, -2, 1, -1, -1, 1, 0.5, -0.5], [4, 2])

export const flowerPreprocessor: Preprocessor = {
  schemaVersion: 1,
  output: { name: 'X', type: 'float32' },
  columns: [
    { feature: 'length', steps: [{ standardize: { mean: 5, scale: 2 } }] },
    { feature: 'kind', steps: [{ oneHot: { categories: ['red', 'blue'], unknown: 'error' } }] },
    { feature: 'age', steps: [{ impute: 1 }, { clip: [0, 100] }] },
  ],
}

export const flowerFeatures: NonNullable<Manifest['features']> = [
  { name: 'length', type: 'number', unit: 'cm', example: 5.1, minimum: 0, maximum: 30, range: [1, 10], required: true },
  { name: 'kind', type: 'string', enum: ['red', 'blue'], example: 'red' },
  { name: 'age', type: 'number', required: false },
]

/** softmax(X · weights): a classifier small enough to work out by hand. */
export function flowerOnnx (columns = 4): Uint8Array {
  return model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['rows', columns] }],
      outputs: [{ name: 'label', type: 'int64', shape: ['rows'] }, { name: 'probabilities', type: 'float32', shape: ['rows', 2] }],
      nodes: [
        node('MatMul', ['X', 'W'], ['scores']),
        node('Softmax', ['scores'], ['probabilities'], { axis: 1n }),
        node('ArgMax', ['scores'], ['label'], { axis: 1n, keepdims: 0n }),
      ],
      initializers: { W: columns === 4 ? weights : floats(new Array<number>(columns * 2).fill(1), [columns, 2]) },
    },
  })
}

/** What the flower model answers, worked out in doubles. */
export function flowerProbabilities (length: number, kind: 'red' | 'blue', age = 1): [number, number] {
  const score = 2 * ((length - 5) / 2) + (kind === 'red' ? 1 : -1) + 0.5 * age
  const p = 1 / (1 + Math.exp(-2 * score))
  return [p, 1 - p]
}

/** A sound version of the flower model. */
export function flowerFiles (name = 'flower', version = '1.0.0'): Files {
  return withManifest({
    'model.onnx': flowerOnnx(),
    'preprocessor.json': flowerPreprocessor,
    'golden.json': {
      schemaVersion: 1,
      rows: [
        { row: { length: 6, kind: 'red', age: 2 }, prediction: 0, probabilities: flowerProbabilities(6, 'red', 2) },
        { row: { length: 2, kind: 'blue', age: null }, prediction: 1, probabilities: flowerProbabilities(2, 'blue') },
      ],
    },
  }, { name, version })
}

/** x · 2 + 1, without a preprocessor. */
export function regressionFiles (name = 'line', version = '1.0.0'): Files {
  return withManifest({
    'model.onnx': model({
      graph: {
        inputs: [{ name: 'X', type: 'float32', shape: ['rows', 1] }],
        outputs: [{ name: 'value', type: 'float32', shape: ['rows', 1] }],
        nodes: [node('Mul', ['X', 'two'], ['doubled']), node('Add', ['doubled', 'one'], ['value'])],
        initializers: { two: floats([2]), one: floats([1]) },
      },
    }),
  }, { name, version, task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number', example: 3 }] })
}

/** Takes some ten milliseconds a row, `layers` products with a square matrix, and one row a run, so that requests wait. Its answer is tanh(x). */
export function heavyFiles (name = 'heavy', version = '1.0.0', layers = 40): Files {
  const size = 1024
  const names = Array.from({ length: layers }, (_, i) => `h${i}`)
  return withManifest({
    'model.onnx': model({
      graph: {
        inputs: [{ name: 'X', type: 'float32', shape: [1, 1] }],
        outputs: [{ name: 'value', type: 'float32', shape: [1, 1] }],
        nodes: [
          node('MatMul', ['X', 'first'], ['h0']),
          ...names.slice(1).map((to, i) => node('MatMul', [`h${i}`, 'square'], [to])),
          node('ReduceMean', [`h${layers - 1}`], ['mean'], { axes: BigInt64Array.of(1n), keepdims: 1n }),
          node('Tanh', ['mean'], ['value']),
        ],
        initializers: {
          first: floats(new Array<number>(size).fill(1), [1, size]),
          square: floats(new Array<number>(size * size).fill(1 / size), [size, size]),
        },
      },
    }),
  }, { name, version, task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number', example: 1 }] })
}

/** Adds a manifest whose hashes are right, over what a test wants different in it. */
export function withManifest (files: Files, different: Partial<Manifest> = {}): Files {
  const listed = Object.fromEntries(Object.entries(files).map(([file, content]) => {
    const bytes = toBytes(content)
    return [file, { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength }]
  }))
  const manifest: Manifest = {
    schemaVersion: 1,
    name: 'flower',
    version: '1.0.0',
    description: 'Tells two flowers apart',
    task: 'classification',
    files: listed,
    features: flowerFeatures,
    labels: ['rose', 'violet'],
    outputs: { label: 'label', probabilities: 'probabilities' },
    ...different,
  }
  return { ...files, 'manifest.json': manifest }
}

/** A model repository in a temporary folder: paths below it to their contents. */
export async function repository (contents: Record<string, Files | Uint8Array | string>): Promise<{ path: string, remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'modelport-test-'))
  for (const [place, content] of Object.entries(contents)) {
    await writeFiles(join(path, place), content)
  }
  return { path, remove: async () => { await rm(path, { recursive: true, force: true }) } }
}

/** A folder's files, or one file. */
export async function writeFiles (path: string, content: Files | Uint8Array | string): Promise<void> {
  const files = typeof content === 'string' || content instanceof Uint8Array ? { '': content } : content
  for (const [file, data] of Object.entries(files)) await write(join(path, file), data)
}

async function write (path: string, content: Uint8Array | string | object): Promise<void> {
  const target = path.replace(/\/$/, '')
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, toBytes(content))
}

export function toBytes (content: Uint8Array | string | object): Uint8Array {
  if (content instanceof Uint8Array) return content
  return new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content))
}
