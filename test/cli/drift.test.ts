import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Baseline } from '../../src/artifact/baseline.ts'
import { startApp } from '../helpers/app.ts'
import { flowerFiles, regressionFiles, repository, withManifest } from '../helpers/models.ts'
import { parseSeries } from '../monitor/prometheus-text.ts'
import { type Ended, modelport } from './modelport.ts'

/** 400 flowers: a fifth in each range of length, three quarters red, one in ten without an age. */
const flowerBaseline: Baseline = {
  schemaVersion: 1,
  rows: 400,
  features: {
    length: { kind: 'number', edges: [2, 4, 6, 8], counts: [80, 80, 80, 80, 80], missing: 0 },
    kind: { kind: 'category', categories: ['red', 'blue'], counts: [300, 100], other: 0, missing: 0 },
    age: { kind: 'number', edges: [2], counts: [200, 160], missing: 40 },
  },
  prediction: { kind: 'category', categories: ['rose', 'violet'], counts: [200, 200], other: 0, missing: 0 },
}

interface Flower { readonly length: number, readonly kind: string, readonly age: number | null }

/** In the shares of the baseline. */
const alike: readonly Flower[] = Array.from({ length: 400 }, (_, i) => ({ length: 1 + 2 * (i % 5), kind: i % 4 === 3 ? 'blue' : 'red', age: i % 10 === 9 ? null : i % 2 === 0 ? 1 : 3 }))
/** All are long and of no known age. */
const changed = alike.map(flower => ({ ...flower, length: 9.5, age: null }))

function csv (flowers: readonly Flower[]): string {
  return ['id,length,kind,age,answer', ...flowers.map(({ length, kind, age }, i) => `c${i},${length},${kind},${age ?? ''},"yes, no"`)].join('\r\n') + '\r\n'
}

function ndjson (flowers: readonly Flower[]): string {
  return flowers.map((flower, i) => `${JSON.stringify({ id: i, ...flower })}\n`).join('')
}

interface Told {
  name: string
  version: string
  data: { files: string[], rows: number, rejected: number }
  baseline: { rows: number }
  features: ({ name: string, missingRatio: number, baselineMissingRatio: number | null } & Partial<Record<'psi' | 'ks' | 'js', number>>)[]
  prediction: Record<string, number> | null
  failAbove: number | null
  above: string[]
}

let models: Awaited<ReturnType<typeof repository>>
let folder: string

function withBaseline (files: ReturnType<typeof flowerFiles>, baseline: Baseline, different: Parameters<typeof withManifest>[1] = {}) {
  const { 'manifest.json': _, ...others } = files
  return withManifest({ ...others, 'baseline.json': baseline }, different)
}

beforeAll(async () => {
  models = await repository({
    'flower/1.0.0': withBaseline(flowerFiles(), flowerBaseline),
    'line/1.0.0': withBaseline(regressionFiles(), {
      schemaVersion: 1, rows: 4, features: {}, prediction: { kind: 'number', edges: [5], counts: [2, 2], missing: 0 },
    }, { name: 'line', task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number', example: 3 }] }),
    'plain/1.0.0': flowerFiles('plain'),
    'raw/1': { 'model.onnx': flowerFiles()['model.onnx']! },
  })
  folder = await mkdtemp(join(tmpdir(), 'modelport-drift-'))
  await writeFile(join(folder, 'alike.csv'), csv(alike))
  await writeFile(join(folder, 'alike.ndjson'), ndjson(alike))
  await writeFile(join(folder, 'alike-1.csv.gz'), gzipSync(csv(alike.slice(0, 150))))
  await writeFile(join(folder, 'alike-2.jsonl.gz'), gzipSync(ndjson(alike.slice(150))))
  await writeFile(join(folder, 'changed.csv'), csv(changed))
  await writeFile(join(folder, 'x.csv'), 'x\n1\n2\n3\n')
  await writeFile(join(folder, 'mixed.csv'), 'length,kind,age\n3,red,1\n3,green,1\nlong,red,-\n3,red\n')
  await writeFile(join(folder, 'mixed.ndjson'), '{"length": 3, "kind": "red"}\n\n{"length": 3\n[3]\n{"kind": "red"}\n')
  await writeFile(join(folder, 'bad.csv'), 'length,kind\n3,green\n')
  await writeFile(join(folder, 'short.csv'), 'length\n3\n')
  await writeFile(join(folder, 'twice.csv'), 'length,kind,length\n3,red,3\n')
  await writeFile(join(folder, 'header.csv'), 'length,kind\n')
  await writeFile(join(folder, 'empty.csv'), '')
  await writeFile(join(folder, 'quote.csv'), 'length,kind\n3,"red\n')
  await writeFile(join(folder, 'cut.csv.gz'), gzipSync(csv(alike)).subarray(0, -20))
  await writeFile(join(folder, 'cut.ndjson.gz'), gzipSync(ndjson(alike)).subarray(0, -20))
  await writeFile(join(folder, 'no.csv.gz'), csv(alike))
  await writeFile(join(folder, 'table.xlsx'), '')
})

afterAll(async () => {
  await models.remove()
  await rm(folder, { recursive: true })
})

/** `DIR` in an argument is the folder of this test. */
async function drift (...args: readonly string[]): Promise<Ended> {
  return await modelport(['drift', ...args.map(arg => arg.replace('DIR', folder))], { env: { MODELS_DIR: models.path } })
}

async function told (...args: readonly string[]): Promise<Told> {
  const { code, out, err } = await drift(...args, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as Told
}

describe('data', () => {
  test('in the shares of the training data has not drifted, but for what the model says of it', async () => {
    const result = await told('flower', '--data', 'DIR/alike.csv')
    expect(result).toMatchObject({ name: 'flower', version: '1.0.0', data: { files: [join(folder, 'alike.csv')], rows: 400, rejected: 0 }, baseline: { rows: 400 }, failAbove: null, above: [] })
    for (const { psi } of result.features) expect(psi).toBeCloseTo(0, 12)
    expect(result.features).toMatchObject([
      { name: 'length', missingRatio: 0, baselineMissingRatio: 0, ks: 0 },
      { name: 'kind', missingRatio: 0, baselineMissingRatio: 0, js: 0 },
      { name: 'age', missingRatio: 0.1, baselineMissingRatio: 0.1, ks: 0 },
    ])
    // Of the flowers at hand, the model calls these many roses.
    const roses = alike.filter(({ length, kind, age }) => (length - 5) + (kind === 'red' ? 1 : -1) + 0.5 * (age ?? 1) > 0).length / 400
    expect(result.prediction?.['psi']).toBeCloseTo((roses - 0.5) * Math.log(roses / 0.5) + (0.5 - roses) * Math.log((1 - roses) / 0.5), 10)
  })

  test('that has changed is told by every test of every kind', async () => {
    const { features: [length, , age], prediction } = await told('flower@1.0.0', '--data', 'DIR/changed.csv')
    // All in the last of five ranges, the other four at the smallest share that counts.
    expect(length!.psi).toBeCloseTo(0.8 * Math.log(5) + 4 * (1e-4 - 0.2) * Math.log(1e-4 / 0.2), 10)
    expect(length!.ks).toBeCloseTo(0.8, 12)
    expect(age).toMatchObject({ missingRatio: 1, baselineMissingRatio: 0.1 })
    expect(age).not.toHaveProperty('ks')
    expect(prediction?.['js']).toBeGreaterThan(0.1)
  })

  test.each([['alike.ndjson'], ['alike-1.csv.gz', 'alike-2.jsonl.gz'], ['alike-*.gz']])('in other files is the same: %s %s', async (...files) => {
    const { data: _, ...expected } = await told('flower', '--data', 'DIR/alike.csv')
    const { data, ...result } = await told('flower', '--data', ...files.map(file => `DIR/${file}`))
    expect(result).toEqual(expected)
    expect(data.rows).toBe(400)
  })

  test('has the numbers of the server\'s metrics', async () => {
    const server = await startApp({}, { MODELS_DIR: models.path, METRICS_AUTH: 'off' })
    try {
      const flowers = alike.map((flower, i) => i % 3 === 0 ? { ...flower, length: 7.5, kind: 'blue' } : flower)
      const answer = await fetch(`${server.url}/models/flower/predict`, {
        method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/x-ndjson' }, body: flowers.map(flower => JSON.stringify(flower)).join('\n'),
      })
      expect(answer.status).toBe(200)
      const series = parseSeries(await (await fetch(`${server.url}/metrics`)).text()).filter(({ labels }) => labels['model'] === 'flower')
      await writeFile(join(folder, 'flowers.ndjson'), ndjson(flowers))
      const { features, prediction } = await told('flower', '--data', 'DIR/flowers.ndjson')
      const drifts = series.filter(({ name }) => name === 'modelport_feature_drift').map(({ labels, value }) => [labels['feature'], labels['test'], value])
      expect(features.flatMap(({ name, ...tests }) => (['psi', 'ks', 'js'] as const).flatMap(test => tests[test] === undefined ? [] : [[name, test, tests[test]]]))).toEqual(drifts)
      expect(prediction).toMatchObject(Object.fromEntries(series.filter(({ name }) => name === 'modelport_prediction_drift').map(({ labels, value }) => [labels['test'], value])))
      expect(drifts).toHaveLength(6)
    } finally {
      await server.close()
    }
  })

  test('of a regression is compared by its values; a feature that the baseline does not know, by nothing', async () => {
    const { code, out, err } = await drift('line', '--data', 'DIR/x.csv', '--json')
    expect({ code, err }).toEqual({ code: 0, err: 'warning: 3 rows say more about chance than about drift; 200 are enough for a look' })
    const { features, prediction } = JSON.parse(out) as Told
    expect(features).toEqual([{ name: 'x', missingRatio: 0, baselineMissingRatio: null }])
    expect(prediction).toMatchObject({ ks: expect.closeTo(1 / 6, 9) as number })
  })
})

test('a table tells what has drifted furthest first', async () => {
  const { out } = await drift('flower', '--data', 'DIR/changed.csv')
  const [title, head, ...lines] = out.split('\n')
  expect(title).toBe(`flower 1.0.0: 400 rows of ${join(folder, 'changed.csv')} beside 400 that it was trained on`)
  expect(head).toMatch(/^ +psi +ks +js +missing +in training$/)
  expect(lines.map(line => line.split(/ {2,}/))).toEqual([
    ['(prediction)', expect.any(String), '–', expect.any(String), '0.0 %', '0.0 %', 'another population'],
    ['age', expect.any(String), '–', '–', '100.0 %', '10.0 %', 'another population'],
    ['length', expect.any(String), '0.800', '–', '0.0 %', '0.0 %', 'another population'],
    ['kind', '0.000', '–', '0.000', '0.0 %', '0.0 %'],
  ])
})

describe('--fail-above', () => {
  test('fails where a PSI is above it, after the numbers, and names which', async () => {
    const { code, out, err } = await drift('flower', '--data', 'DIR/changed.csv', '--fail-above', '0.2', '--json')
    expect(code).toBe(1)
    expect(err).toMatch(/^modelport drift: the PSI is above 0\.2 of age \(\d\.\d{3}\), length \(\d\.\d{3}\), \(prediction\) \(\d\.\d{3}\)$/)
    expect(JSON.parse(out)).toMatchObject({ failAbove: 0.2, above: ['age', 'length', '(prediction)'] })
  })

  test('does not fail below', async () => {
    expect(await told('flower', '--data', 'DIR/changed.csv', '--fail-above', '18.5')).toMatchObject({ above: [] })
  })
})

test.each([
  ['mixed.csv', ['mixed.csv, line 5: has 2 cells, the header has 3', 'mixed.csv, line 4: length must be a number, not a string; age must be a number', 'mixed.csv, line 3: kind must be one of red, blue']],
  ['mixed.ndjson', ['mixed.ndjson, line 3: is not valid JSON', 'mixed.ndjson, line 4: is not an object', 'mixed.ndjson, line 5: length is required']],
])('rows of %s that do not fit are told with their lines, and are left out', async (file, messages) => {
  const { code, out, err } = await drift('flower', '--data', `DIR/${file}`, '--json')
  expect(code).toBe(0)
  for (const message of messages) expect(err).toContain(message)
  expect(err).toContain('warning: 3 of 4 rows do not fit the model and are left out')
  expect((JSON.parse(out) as Told).data).toMatchObject({ rows: 1, rejected: 3 })
})

test('a column that may be missing and is not there is told of', async () => {
  const { err } = await drift('flower', '--data', 'DIR/header.csv')
  expect(err).toContain('header.csv has no column "age": it counts as missing in every row')
})

test.each<[string, string[], string]>([
  ['a model that is not there', ['rose', '--data', 'DIR/alike.csv'], 'there is no model "rose"'],
  ['a version that is not there', ['flower@9', '--data', 'DIR/alike.csv'], 'flower has no version "9"'],
  ['a model without features', ['raw', '--data', 'DIR/alike.csv'], 'raw 1 takes raw tensors'],
  ['a version without a baseline', ['plain', '--data', 'DIR/alike.csv'], 'plain 1.0.0 has no baseline.json'],
  ['a file that is not there', ['flower', '--data', 'DIR/none.csv'], 'none.csv"'],
  ['a file of another kind', ['flower', '--data', 'DIR/table.xlsx'], 'must end in .csv, .ndjson or .jsonl'],
  ['a missing column', ['flower', '--data', 'DIR/short.csv'], 'short.csv has no column "kind", which the model needs; it has length'],
  ['a column that stands there twice', ['flower', '--data', 'DIR/twice.csv'], 'the column "length" stands twice'],
  ['an empty file', ['flower', '--data', 'DIR/empty.csv'], 'empty.csv is empty'],
  ['a file without rows', ['flower', '--data', 'DIR/header.csv'], 'there are no rows in'],
  ['rows of which none fits', ['flower', '--data', 'DIR/bad.csv'], 'none of the 1 rows fits flower 1.0.0'],
  ['a quote that is not closed', ['flower', '--data', 'DIR/quote.csv'], 'quote.csv is not valid CSV: Quote Not Closed'],
  ['a CSV file that is cut off', ['flower', '--data', 'DIR/cut.csv.gz'], 'cut.csv.gz ends in the middle of what gzip packed'],
  ['an NDJSON file that is cut off', ['flower', '--data', 'DIR/cut.ndjson.gz'], 'cut.ndjson.gz ends in the middle of what gzip packed'],
  ['what is not gzip', ['flower', '--data', 'DIR/no.csv.gz'], 'no.csv.gz is damaged, or not packed by gzip'],
])('fails with %s', async (_, args, message) => {
  const { code, out, err } = await drift(...args)
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringContaining(message) })
})

test.each<[string[], string]>([
  [[], 'NAME[@VERSION]'],
  [['flower'], '--data is missing'],
  [['../flower', '--data', 'x.csv'], 'cannot be the name of a model'],
  [['flower', '--data', 'x.csv', '--fail-above', 'much'], '--fail-above must be a number of at least 0, not "much"'],
  [['flower', '--data', 'x.csv', '--fail-above', '-1'], '--fail-above'],
])('misuse: %j', async (args, message) => {
  const { code, err } = await drift(...args)
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) })
})
