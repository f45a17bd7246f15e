import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArtifact } from '../../src/artifact/read.ts'
import { modelStore } from '../../src/artifact/model-store.ts'
import { findInputs } from '../../src/batch/input-files.ts'
import type { JobManifest } from '../../src/batch/job.ts'
import { runBatch } from '../../src/batch/run-batch.ts'
import { type EngineHost, createEngineHost } from '../../src/engine/engine.ts'
import { Inference } from '../../src/serving/inference.ts'
import { type Model, openModel } from '../../src/serving/model.ts'
import { Registry } from '../../src/serving/registry.ts'
import { flowerFiles, repository } from '../helpers/models.ts'

const silent = { notice: () => {}, resumed: () => {}, read: () => {}, scored: () => {}, part: () => {} }

let models: Awaited<ReturnType<typeof repository>>
let folder: string
let host: EngineHost
let model: Model
let inference: Inference
let outputs = 0

beforeAll(async () => {
  models = await repository({ 'flower/1.0.0': flowerFiles() })
  folder = await mkdtemp(join(tmpdir(), 'modelport-run-batch-'))
  host = createEngineHost({ threads: 1, log: { error: () => {} } })
  const store = modelStore(models.path)
  model = await openModel(await readArtifact(store.version('flower', '1.0.0')), host, 0)
  inference = new Inference({ registry: new Registry(store, host, { loaded: () => {}, failed: () => {}, ignored: () => {} }), maxRows: 10_000, timeoutMs: Infinity, onPrediction: () => {} })
})

afterAll(async () => {
  await host.close()
  await models.remove()
  await rm(folder, { recursive: true })
})

/** What a job makes of these files: its parts laid one behind the other. */
async function scored (contents: Readonly<Record<string, string>>, partRows: number, format: 'csv' | 'ndjson', threads = 0) {
  const output = join(folder, `out-${++outputs}`)
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content)
  const inputs = await findInputs(Object.keys(contents).map(name => join(folder, name)))
  const manifest = await runBatch({ inputs, model, threads, output, options: { format, gzip: false, keep: ['note'], partRows }, restart: false }, silent)
  const all = async (kind: string) => (await Promise.all((await readdir(output)).filter(name => name.startsWith(kind)).sort().map(name => readFile(join(output, name), 'utf8'))))
  return { manifest, parts: await all('part-'), rejected: (await all('rejected-')).join('') }
}

const columns = ['note', 'length', 'kind', 'age'] as const

const length = fc.constantFrom('6', ' 2.5', '1e1', '30', '99', '-1', '', 'long', 'NaN', '0x10')
const kind = fc.constantFrom('red', 'blue', 'green', '', ' red')
const age = fc.constantFrom('', '7', 'nan', '1e400', 'old', '3.25')
const note = fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.constantFrom('a "b"', 'two\nlines', 'c,d', '\r\n', '007'))
const row = fc.tuple(note, length, kind, age)
const rows = fc.array(row, { maxLength: 40 })
const partRows = fc.integer({ min: 1, max: 12 })

function quote (cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

function csvOf (names: readonly string[], rows: readonly (readonly string[])[]): string {
  return [names, ...rows].map(cells => `${cells.map(quote).join(',')}\n`).join('')
}

/** Without the header. */
function rowsOf (part: string): string[][] {
  return parse(part, { from: 2 })
}

/** What the server says of rows, or nothing where there are none. */
async function asked (text: string, type: 'csv' | 'ndjson', rows: number) {
  return rows === 0 ? [] : (await inference.predict(model, { type, text }, { partial: true })).predictions
}

function totals ({ rows, predicted, rejected }: JobManifest) {
  return { rows, predicted, rejected }
}

describe('parts of any length', () => {
  test('are those of one long part, and say of each row of CSV what POST /predict says', async () => {
    await fc.assert(fc.asyncProperty(rows, partRows, async (rows, partRows) => {
      const contents = { 'rows.csv': csvOf(columns, rows) }
      const [small, large] = [await scored(contents, partRows, 'csv'), await scored(contents, 1000, 'csv')]
      const table = small.parts.flatMap(part => rowsOf(part))
      expect(table).toEqual(large.parts.flatMap(part => rowsOf(part)))
      expect(small.rejected).toBe(large.rejected)
      expect(totals(small.manifest)).toEqual(totals(large.manifest))
      expect(small.manifest.parts.map(part => part.rows)).toEqual(Array.from({ length: Math.ceil(rows.length / partRows) }, (_, i) => Math.min(partRows, rows.length - i * partRows)))

      const answers = await asked(csvOf(columns.slice(1), rows.map(cells => cells.slice(1))), 'csv', rows.length)
      const good = answers.flatMap((answer, i) => 'errors' in answer ? [] : [[rows[i]?.[0], answer.prediction, answer.class_name, ...answer.probabilities ?? []].map(String)])
      expect(table).toEqual(good)
      expect(small.manifest.rejected).toBe(rows.length - good.length)
    }), { numRuns: 40 })
  })

  test('are those of one long part, and say of each row of NDJSON what POST /predict says', async () => {
    const value = fc.oneof(fc.constantFrom(6, 2.5, 99, 'red', 'blue', null, true, 1e300), fc.jsonValue({ maxDepth: 1 }))
    const good = fc.record({ length: fc.double({ min: 0, max: 30, noNaN: true }), kind: fc.constantFrom('red', 'blue') })
    const object = fc.oneof(good, fc.record({ length: value, kind: value, age: value }, { requiredKeys: [] }), good.map(features => ({ features })), fc.record({ features: value }), value)
    await fc.assert(fc.asyncProperty(fc.array(object, { maxLength: 30 }), partRows, async (objects, partRows) => {
      const text = objects.map(row => `${JSON.stringify(row)}\n`).join('')
      const [small, large] = [await scored({ 'rows.ndjson': text }, partRows, 'ndjson'), await scored({ 'rows.ndjson': text }, 1000, 'ndjson')]
      expect(small.parts.join('')).toBe(large.parts.join(''))
      expect(small.rejected).toBe(large.rejected)
      const answers = await asked(text, 'ndjson', objects.length)
      const good = answers.flatMap(answer => 'errors' in answer ? [] : [`${JSON.stringify({ note: null, ...answer })}\n`])
      expect(small.parts.join('')).toBe(good.join(''))
    }), { numRuns: 40 })
  })

  test.each(['csv', 'ndjson'] as const)('have the same bytes of %s whoever scores them', async format => {
    const cells = Array.from({ length: 8000 }, (_, i) => [i % 50 === 0 ? 'two\nlines é' : `${i}`, i % 97 === 0 ? 'long' : String(i % 300 / 10), i % 3 === 0 ? 'red' : 'blue', i % 5 === 0 ? '' : String(i % 60)])
    const contents = { 'many.csv': csvOf(columns, cells), 'more.ndjson': cells.map(([note, length]) => `${JSON.stringify({ note, length: Number(length), kind: 'red' })}\n`).join('') }
    const [alone, threads] = [await scored(contents, 5001, format), await scored(contents, 5001, format, 2)]
    expect({ ...threads, manifest: threads.manifest.parts }).toEqual({ ...alone, manifest: alone.manifest.parts })
    expect(alone.parts).toHaveLength(4)
    expect(alone.manifest.rejected).toBe(2 * Math.ceil(8000 / 97))
  })

  test('go on from one file to the next', async () => {
    const lines = (from: number) => csvOf(['note', 'kind', 'length'], Array.from({ length: 5 }, (_, i) => [String(from + i), 'red', String(i)]))
    const { parts } = await scored({ '1.csv': lines(0), '2.csv': lines(5) }, 4, 'csv')
    expect(parts.map(part => rowsOf(part).map(([note]) => note).join(''))).toEqual(['0123', '4567', '89'])
  })
})
