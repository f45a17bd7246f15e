import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Golden } from '../../src/artifact/golden.ts'
import type { Manifest } from '../../src/artifact/manifest.ts'
import { compilePreprocessor } from '../../src/preprocess/compile.ts'
import type { Preprocessor } from '../../src/preprocess/spec.ts'
import { trainVersion } from '../../src/training/pipeline.ts'
import { ColumnHintSchema, ParamsSchema, TrainingPlanSchema, parseTrainingPlan } from '../../src/training/training-file.ts'
import { openModel, runModel } from '../onnx/session.ts'

const repository = resolve(import.meta.dirname, '../..')
const names = ['iris', 'penguins', 'mpg']

async function committed (name: string, file: string): Promise<Buffer> {
  return readFile(join(repository, 'models', name, '1.0.0', file))
}

async function json<T> (name: string, file: string): Promise<T> {
  return JSON.parse(await committed(name, file).then(String)) as T
}

test.each(names)('training %s again gives the committed files, byte for byte', async name => {
  const folder = join(repository, 'training')
  const file = `${name}.json`
  const { createdAt } = await json<Manifest>(name, 'manifest.json')
  const { files } = await trainVersion(parseTrainingPlan(await readFile(join(folder, file)), file), { folder, createdAt: new Date(createdAt!) })
  for (const [file, content] of Object.entries(files)) {
    expect(Buffer.compare(Buffer.from(content), await committed(name, file)), file).toBe(0)
  }
})

test.each(names)('%s answers its golden rows through the real runtime, bit for bit', async name => {
  const manifest = await json<Manifest>(name, 'manifest.json')
  const golden = await json<Golden>(name, 'golden.json')
  const encoder = compilePreprocessor(await json<Preprocessor>(name, 'preprocessor.json'), manifest.features!)
  const data = new Float32Array(golden.rows.length * encoder.width)
  golden.rows.forEach(({ row }, i) => encoder.write(manifest.features!.map(feature => row[feature.name] ?? null), data, i * encoder.width))
  const session = await openModel(await committed(name, 'model.onnx'))
  const outputs = await runModel(session, { X: { type: 'float32', shape: [golden.rows.length, encoder.width], data } })
  await session.release()
  if (manifest.task === 'regression') {
    expect(Array.from(outputs['value']!.data as Float32Array)).toEqual(golden.rows.map(({ prediction }) => prediction))
  } else {
    expect(Array.from(outputs['label']!.data as BigInt64Array, Number)).toEqual(golden.rows.map(({ prediction }) => prediction))
    expect(Array.from(outputs['probabilities']!.data as Float32Array)).toEqual(golden.rows.flatMap(({ probabilities }) => probabilities!))
  }
})

test.each<[string, Record<string, number>, Record<string, number>]>([
  ['iris', { accuracy: 0.93 }, { accuracy: 0.94 }],
  ['penguins', { accuracy: 0.96 }, { accuracy: 0.96 }],
  ['mpg', { r2: 0.8 }, { r2: 0.8 }],
])('%s is as good as it must be', async (name, held, folds) => {
  const { metrics } = await json<Manifest>(name, 'manifest.json')
  for (const [metric, least] of Object.entries(held)) expect(metrics![metric]).toBeGreaterThanOrEqual(least)
  for (const [metric, least] of Object.entries(folds)) {
    expect((metrics!['cv'] as Record<string, { mean: number }>)[metric]!.mean).toBeGreaterThanOrEqual(least)
  }
})

test('golden rows with missing values are among those of penguins and mpg', async () => {
  for (const name of ['penguins', 'mpg']) {
    const { rows } = await json<Golden>(name, 'golden.json')
    expect(rows).toHaveLength(20)
    expect(rows.some(({ row }) => Object.values(row).includes(null))).toBe(true)
  }
})

test('the iris of the examples is a setosa', async () => {
  const { features, labels } = await json<Manifest>('iris', 'manifest.json')
  expect(features!.map(({ example }) => example)).toEqual([5.1, 3.5, 1.4, 0.2])
  const session = await openModel(await committed('iris', 'model.onnx'))
  const { label } = await runModel(session, { X: { type: 'float32', shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) } })
  await session.release()
  expect(labels![Number((label!.data as BigInt64Array)[0])]).toBe('setosa')
})

interface Measured {
  accuracy?: number
  r2?: number
  test: { rows: number }
  cv: Record<string, { mean: number, std: number }>
}

test('docs/training.md tells the same figures', async () => {
  const text = await readFile(join(repository, 'docs', 'training.md'), 'utf8')
  for (const [name, metric, title] of [['iris', 'accuracy', 'accuracy'], ['penguins', 'accuracy', 'accuracy'], ['mpg', 'r2', 'R²']] as const) {
    const { metrics } = await json<{ metrics: Measured }>(name, 'manifest.json')
    const { mean, std } = metrics.cv[metric]!
    const row = text.split('\n').find(line => line.startsWith(`| \`${name}\` |`))
    expect(row).toContain(`| ${title} ${metrics[metric]!.toFixed(3)} of ${metrics.test.rows} rows | ${title} ${mean.toFixed(3)} ± ${std.toFixed(3)} |`)
  }
})

test('docs/training.md explains every key of a training file', async () => {
  const text = await readFile(join(repository, 'docs', 'training.md'), 'utf8')
  const { properties } = TrainingPlanSchema
  for (const key of Object.keys(properties).filter(key => key !== '$schema')) expect(text, key).toContain(`"${key}": `)
  for (const key of Object.keys(ColumnHintSchema.properties)) expect(text, key).toMatch(new RegExp(`^\\|.*\`${key}\`.*\\|`, 'm'))
  for (const key of Object.keys(ParamsSchema.properties)) expect(text, key).toContain(`| \`${key}\` |`)
})
