import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Value from 'typebox/value'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Baseline, BaselineSchema } from '../../src/artifact/baseline.ts'
import { type Golden, GoldenSchema } from '../../src/artifact/golden.ts'
import { ManifestSchema, manifestFaults } from '../../src/artifact/manifest.ts'
import { type Preprocessor, PreprocessorSchema } from '../../src/preprocess/spec.ts'
import { type TrainedVersion, trainVersion } from '../../src/training/pipeline.ts'
import type { TrainingPlan } from '../../src/training/training-file.ts'

let folder: string
let trained: TrainedVersion

const rows = 200
const plan: TrainingPlan = {
  name: 'shop',
  description: 'Who comes back',
  data: { file: 'shop.csv' },
  target: { column: 'returns' },
  columns: { spent: { unit: 'EUR', minimum: 0 } },
  params: { trees: 15 },
  cv: 3,
}

/** Who spent much or has the plan "pro" comes back; every tenth amount is unknown. */
function shopCsv (): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const spent = i * 37 % 101
    const tariff = ['basic', 'pro', 'free'][i % 3]!
    return [i % 10 === 9 ? '' : spent, tariff, i % 2 === 0, spent > 60 || tariff === 'pro' ? 'yes' : 'no'].join(',')
  })
  return ['spent,tariff,member,returns', ...lines].join('\n')
}

function train (more: Partial<TrainingPlan> = {}): Promise<TrainedVersion> {
  return trainVersion({ ...plan, ...more }, { folder, createdAt: new Date('2026-11-21T06:00:00Z') })
}

function json<T> (file: string): T {
  return JSON.parse(trained.files[file] as string) as T
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-pipeline-'))
  await writeFile(join(folder, 'shop.csv'), shopCsv())
  trained = await train()
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('every file has the shape that the server reads', () => {
  expect(Object.keys(trained.files).sort()).toEqual(['baseline.json', 'golden.json', 'manifest.json', 'model.onnx', 'preprocessor.json'])
  expect([...Value.Errors(ManifestSchema, json('manifest.json'))]).toEqual([])
  expect([...Value.Errors(GoldenSchema, json('golden.json'))]).toEqual([])
  expect([...Value.Errors(BaselineSchema, json('baseline.json'))]).toEqual([])
  expect([...Value.Errors(PreprocessorSchema, json('preprocessor.json'))]).toEqual([])
  expect(manifestFaults(trained.manifest)).toEqual([])
})

test('the manifest says what the model is and where it comes from', () => {
  expect(json('manifest.json')).toEqual({
    schemaVersion: 1,
    name: 'shop',
    version: '1.0.0',
    createdAt: '2026-11-21T06:00:00Z',
    description: 'Who comes back',
    task: 'classification',
    labels: ['no', 'yes'],
    outputs: { label: 'label', probabilities: 'probabilities' },
    files: expect.any(Object),
    features: [
      { name: 'spent', type: 'number', unit: 'EUR', example: 0, minimum: 0, range: [0, 100], required: false },
      { name: 'tariff', type: 'string', example: 'basic', enum: ['basic', 'free', 'pro'] },
      { name: 'member', type: 'boolean', example: true },
    ],
    metrics: expect.objectContaining({ test: { share: 0.2, rows: 40 } }),
    training: {
      dataset: 'shop.csv',
      sha256: createHash('sha256').update(shopCsv()).digest('hex'),
      rows,
      target: 'returns',
      algorithm: 'random-forest',
      params: { trees: 15, maxDepth: 8, minSamplesLeaf: 1, bootstrap: true, maxFeatures: 'sqrt' },
      seed: 42,
    },
  })
})

test('the manifest lists every other file with its size and hash', () => {
  const { 'manifest.json': _, ...others } = trained.files
  expect(trained.manifest.files).toEqual(Object.fromEntries(Object.entries(others).map(([name, content]) => [name, {
    bytes: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex'),
  }])))
})

test('the metrics are those of rows that were held back', () => {
  const metrics = trained.manifest.metrics as { accuracy: number, confusion_matrix: number[][], cv: { folds: number, accuracy: { mean: number } } }
  expect(metrics.accuracy).toBeGreaterThan(0.85)
  expect(metrics.confusion_matrix.flat().reduce((sum, count) => sum + count, 0)).toBe(40)
  expect(metrics.cv.folds).toBe(3)
  expect(metrics.cv.accuracy.mean).toBeGreaterThan(0.85)
})

test('noise is not learned, because the metrics come from rows that were held back', async () => {
  // Noise that the trees can only memorise: were the rows not held back, accuracy would be near 1.
  await writeFile(join(folder, 'noise.csv'), ['x,y', ...Array.from({ length: 400 }, (_, i) => `${i},${i * i * 31 % 97 < 48 ? 'a' : 'b'}`)].join('\n'))
  const { manifest } = await train({ data: { file: 'noise.csv' }, target: { column: 'y' }, columns: {} })
  expect((manifest.metrics as { cv: { accuracy: { mean: number } } }).cv.accuracy.mean).toBeLessThan(0.75)
})

test('golden rows cover the classes and missing values', () => {
  const { rows } = json<Golden>('golden.json')
  expect(rows).toHaveLength(20)
  expect(rows.filter(({ prediction }) => prediction === 0).length).toBeGreaterThan(4)
  expect(rows.filter(({ prediction }) => prediction === 1).length).toBeGreaterThan(4)
  expect(rows.filter(({ row }) => row['spent'] === null).length).toBeGreaterThanOrEqual(4)
  for (const { prediction, probabilities } of rows) {
    expect(probabilities![prediction]).toBe(Math.max(...probabilities!))
    expect(probabilities!.map(Math.fround)).toEqual(probabilities)
  }
})

test('the baseline counts every row of every feature, and every prediction', () => {
  const { rows: counted, features, prediction } = json<Baseline>('baseline.json')
  expect(counted).toBe(rows)
  for (const histogram of [...Object.values(features), prediction]) {
    const other = histogram.kind === 'category' ? histogram.other : 0
    expect(histogram.counts.reduce((sum, count) => sum + count, histogram.missing + other)).toBe(rows)
  }
  expect(features['spent']).toMatchObject({ kind: 'number', missing: 20, edges: { length: 9 } })
  expect(features['tariff']).toMatchObject({ kind: 'category', categories: ['basic', 'free', 'pro'], counts: [67, 66, 67] })
  expect(prediction).toMatchObject({ kind: 'category', categories: ['no', 'yes'] })
})

test('the preprocessor is what the training data went through, categories from the least to the most likely to return', () => {
  expect(json<Preprocessor>('preprocessor.json').columns).toEqual([
    { feature: 'spent', steps: [] },
    { feature: 'tariff', steps: [{ ordinal: { categories: ['basic', 'free', 'pro'], unknown: 'error' } }] },
    { feature: 'member', steps: [] },
  ])
})

test('the same plan gives the same files, another seed another model', async () => {
  expect((await train()).files).toEqual(trained.files)
  expect((await train({ seed: 7 })).files['model.onnx']).not.toEqual(trained.files['model.onnx'])
})

test('a regression says what it cannot have a class for', async () => {
  const { manifest, files } = await train({ target: { column: 'spent' }, columns: {}, cv: 0 })
  expect(manifest).toMatchObject({ task: 'regression', outputs: { value: 'value' }, metrics: { r2: expect.any(Number) } })
  expect(manifest.labels).toBeUndefined()
  expect(manifest.metrics).not.toHaveProperty('cv')
  const { rows } = JSON.parse(files['golden.json'] as string) as Golden
  expect(rows[0]).toEqual({ row: expect.any(Object), prediction: expect.any(Number) })
  expect(Math.max(...rows.map(row => row.prediction)) - Math.min(...rows.map(row => row.prediction))).toBeGreaterThan(20)
})

test('what the user did not ask for is said', async () => {
  const { notices } = await train({ target: { column: 'spent' }, columns: {}, cv: 0 })
  expect(notices).toEqual(['20 rows without "spent" are left out'])
})

test.each<[string, Partial<TrainingPlan>, string]>([
  ['a reserved name', { columns: { spent: { name: 'instances' } } }, '"instances" is reserved'],
  ['one name for two features', { columns: { spent: { name: 'tariff' } } }, '"tariff" occurs twice'],
  ['a number that the model\'s input cannot hold', { data: { file: 'huge.csv' }, target: { column: 'y' }, columns: {} }, 'Row 1, x: is too large'],
])('refuses %s', async (_, more, message) => {
  await writeFile(join(folder, 'huge.csv'), ['x,y', ...Array.from({ length: 20 }, (_, i) => `${i + 1}e39,${i % 2}`)].join('\n'))
  await expect(train(more)).rejects.toThrow(message)
})
