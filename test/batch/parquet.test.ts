import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelStore } from '../../src/artifact/model-store.ts'
import { readArtifact } from '../../src/artifact/read.ts'
import { findInputs } from '../../src/batch/input-files.ts'
import { runBatch } from '../../src/batch/run-batch.ts'
import { type EngineHost, createEngineHost } from '../../src/engine/engine.ts'
import { Inference } from '../../src/serving/inference.ts'
import { type Model, openModel } from '../../src/serving/model.ts'
import { Registry } from '../../src/serving/registry.ts'
import { hasDuckdb, query } from '../etl/duckdb.ts'
import { flowerFiles, regressionFiles, repository, withManifest } from '../helpers/models.ts'

let models: Awaited<ReturnType<typeof repository>>
let folder: string
let host: EngineHost
let flower: Model
let line: Model
let truth: Model
let inference: Inference
let files = 0

beforeAll(async () => {
  const { 'manifest.json': _manifest, ...bare } = regressionFiles()
  models = await repository({
    'flower/1': flowerFiles('flower', '1'),
    'line/1': regressionFiles('line', '1'),
    'truth/1': withManifest(bare, { name: 'truth', version: '1', task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'boolean', example: true }] }),
  })
  folder = await mkdtemp(join(tmpdir(), 'modelport-parquet-'))
  host = createEngineHost({ threads: 1, log: { error: () => {} } })
  const store = modelStore(models.path)
  const open = async (name: string): Promise<Model> => await openModel(await readArtifact(store.version(name, '1')), host, 0)
  ;[flower, line, truth] = [await open('flower'), await open('line'), await open('truth')]
  inference = new Inference({ registry: new Registry(store, host, { loaded: () => {}, failed: () => {}, ignored: () => {} }), maxRows: 10_000, timeoutMs: Infinity, onPrediction: () => {} })
})

afterAll(async () => {
  await host.close()
  await models.remove()
  await rm(folder, { recursive: true })
})

/** Writes what a query says into a file. */
async function parquet (select: string): Promise<string> {
  const path = join(folder, `${++files}.parquet`)
  await query(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  return path
}

interface Options { model?: Model, format?: 'csv' | 'ndjson' | 'parquet', keep?: readonly string[], partRows?: number, threads?: number }

async function batch (paths: readonly string[], { model = flower, format = 'ndjson', keep = [], partRows = 1000, threads = 0 }: Options = {}) {
  const output = join(folder, `out-${++files}`)
  const notices: string[] = []
  const events = { notice: (text: string) => notices.push(text), resumed: () => {}, read: () => {}, scored: () => {}, part: () => {} }
  const manifest = await runBatch({ inputs: await findInputs(paths), model, threads, output, options: { format, gzip: false, keep, partRows }, restart: false }, events)
  const text = async (kind: string): Promise<string> => (await Promise.all((await readdir(output)).filter(name => name.startsWith(kind)).sort().map(name => readFile(join(output, name), 'utf8')))).join('')
  return { output, manifest, notices, text }
}

function lines (text: string): Record<string, unknown>[] {
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>)
}

describe.skipIf(!hasDuckdb)('a row of Parquet', () => {
  test.each(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UBIGINT', 'FLOAT', 'DOUBLE', 'DECIMAL(4, 2)', 'DECIMAL(30, 17)'])('has the numbers that POST /predict gives for it, its feature as %s', async type => {
    const select = `SELECT CAST(i * 0.7 AS ${type}) AS length, CASE WHEN i % 2 = 0 THEN 'red' ELSE 'blue' END AS kind, CAST(nullif(i % 5, 0) AS ${type}) AS age FROM range(40) t(i)`
    const rows = await query(`SELECT CAST(CAST(length AS VARCHAR) AS ${type === 'FLOAT' ? 'FLOAT' : 'DOUBLE'})::DOUBLE AS length, kind, CAST(age AS DOUBLE) AS age FROM (${select})`)
    const { text } = await batch([await parquet(select)])
    const { predictions } = await inference.predict(flower, { type: 'rows', rows, pointer: () => '' })
    expect(lines(await text('part-'))).toEqual(predictions)
  })

  test('is missing what is NULL or NaN, and is refused with its number for what is wrong', async () => {
    const path = await parquet(`SELECT * FROM (VALUES (1, 5.0::DOUBLE, 'red', 2::BIGINT, 10), (2, NULL, 'red', 2, 11), (3, 'NaN', 'red', 2, 12), (4, 'Infinity', 'red', 2, 13),
      (5, 99, 'green', 2, 14), (6, 5, NULL, NULL, 15), (7, 5, 'blue', NULL, 16), (8, 5, 'red', 9007199254740993, 17), (9, 5, 'red', 9007199254740992, 18)) t(id, length, kind, age, note)`)
    const { text, manifest, notices } = await batch([path], { keep: ['id'] })
    expect(lines(await text('part-')).map(({ id }) => id)).toEqual([1, 7, 9])
    expect(lines(await text('rejected-'))).toEqual([
      { file: path, line: 2, row: { length: null, kind: 'red', age: 2, id: 2 }, errors: [{ path: '/length', message: 'is required and may not be null' }] },
      { file: path, line: 3, row: { length: null, kind: 'red', age: 2, id: 3 }, errors: [{ path: '/length', message: 'is required and may not be null' }] },
      { file: path, line: 4, row: { length: null, kind: 'red', age: 2, id: 4 }, errors: [{ path: '/length', message: 'must be a finite number' }] },
      { file: path, line: 5, row: { length: 99, kind: 'green', age: 2, id: 5 }, errors: [{ path: '/length', message: 'must be at most 30' }, { path: '/kind', message: 'must be one of red, blue' }] },
      { file: path, line: 6, row: { length: 5, kind: null, age: null, id: 6 }, errors: [{ path: '/kind', message: 'is required and may not be null' }] },
      { file: path, line: 8, row: { length: 5, kind: 'red', age: 9007199254740992, id: 8 }, errors: [{ path: '', message: '"age" is 9007199254740993: beyond 2^53 not every whole number can be held exactly' }] },
    ])
    expect(manifest.parts.map(({ rows, predicted, upTo }) => ({ rows, predicted, upTo }))).toEqual([{ rows: 9, predicted: 3, upTo: { input: 0, at: 9, line: 10 } }])
    expect(notices).toEqual(['the column "note" is no feature of the model and is left out; --keep takes it over'])
  })

  test('may do without an optional feature, and have truths', async () => {
    const { text, notices } = await batch([await parquet("SELECT 5 AS length, 'red' AS kind")])
    expect(lines(await text('part-'))).toHaveLength(1)
    expect(notices[0]).toContain('has no column "age": the feature is optional')
    expect(await (await batch([await parquet('SELECT * FROM (VALUES (true), (false), (NULL)) t(x)')], { model: truth, format: 'csv' })).text('part-')).toBe('prediction\n3\n1\n')
  })

  test('keeps what its columns hold', async () => {
    const select = "SELECT 1::INTEGER AS x, 9007199254740993::BIGINT AS big, 0.1::FLOAT AS small, 1.50::DECIMAL(5, 2) AS price, 'a \"b\", c' AS note, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 01:02:03.5' AS moment, TIMESTAMPTZ '2024-02-29 01:02:03+02' AS there, true AS yes, 'NaN'::DOUBLE AS nan, NULL::VARCHAR AS none, [1, 2] AS list"
    const keep = ['big', 'small', 'price', 'note', 'day', 'moment', 'there', 'yes', 'nan', 'none', 'list']
    const path = await parquet(select)
    expect(await (await batch([path], { model: line, keep })).text('part-')).toBe('{"big":9007199254740993,"small":0.1,"price":1.50,"note":"a \\"b\\", c","day":"2024-02-29","moment":"2024-02-29 01:02:03.5","there":"2024-02-28 23:02:03+00","yes":true,"nan":"nan","none":null,"list":"[1, 2]","prediction":3}\n')
    expect((await (await batch([path], { model: line, keep, format: 'csv' })).text('part-')).split('\n')[1]).toBe('9007199254740993,0.1,1.50,"a ""b"", c",2024-02-29,2024-02-29 01:02:03.5,2024-02-28 23:02:03+00,true,nan,,"[1, 2]",3')
    const { output } = await batch([path], { model: line, keep, format: 'parquet' })
    expect(await query(`SELECT * FROM (SELECT * EXCLUDE prediction FROM '${output}/*.parquet') EXCEPT SELECT * EXCLUDE (x) REPLACE (CAST(list AS VARCHAR) AS list) FROM (${select})`)).toEqual([])
    const types = await query(`DESCRIBE SELECT * FROM '${output}/*.parquet'`)
    expect(types.map(({ column_type: type }) => type)).toEqual(['BIGINT', 'FLOAT', 'DECIMAL(5,2)', 'VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'BOOLEAN', 'DOUBLE', 'VARCHAR', 'VARCHAR', 'DOUBLE'])
  })

  test('is one of several files and of others, whoever scores it', async () => {
    const some = (from: number) => `SELECT i AS id, i % 25 + 0.5 AS length, 'red' AS kind FROM range(${from}, ${from + 5000}) t(i)`
    const paths = [await parquet(some(0)), join(folder, 'others.csv'), await parquet(some(10_000))]
    await writeFile(paths[1] as string, 'id,length,kind\n5000,2.5,red\n')
    const [alone, threads] = [await batch(paths, { keep: ['id'], partRows: 3000 }), await batch(paths, { keep: ['id'], partRows: 3000, threads: 2 })]
    expect(await threads.text('part-')).toBe(await alone.text('part-'))
    expect(threads.manifest).toEqual(alone.manifest)
    expect(alone.manifest.parts.map(({ upTo }) => [upTo.input, upTo.at])).toEqual([[0, 3000], [2, 999], [2, 3999], [2, 5000]])
    expect(lines(await alone.text('part-')).map(({ id }) => Number(id))).toEqual([...Array.from({ length: 5000 }, (_, i) => i), 5000, ...Array.from({ length: 5000 }, (_, i) => 10_000 + i)])
  })
})

describe.skipIf(!hasDuckdb)('parts of Parquet', () => {
  const note = fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.constantFrom('', 'a "b"', 'two\nlines', 'c,d', '\r\n', '\r', 'NULL', '\\N', '\0', ' '))

  test('hold what parts of NDJSON hold', async () => {
    const row = fc.record({ note: fc.option(note), other: fc.jsonValue({ maxDepth: 1 }), length: fc.oneof(fc.double({ min: -1, max: 31, noNaN: true }), fc.constant('x')), kind: fc.constantFrom('red', 'blue'), age: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })) })
    await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 20 }), fc.integer({ min: 6, max: 15 }), async (rows, partRows) => {
      const path = join(folder, 'rows.ndjson')
      await writeFile(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
      const keep = ['note', 'other', 'length', 'age']
      const [json, columns] = [await batch([path], { keep, partRows }), await batch([path], { keep, partRows, format: 'parquet' })]
      const found = rows.length === 0 ? [] : await query(`SELECT * FROM read_parquet('${columns.output}/part-*.parquet', filename = true) ORDER BY filename, file_row_number`)
      const expected = lines(await json.text('part-')).map(({ other, probabilities, ...row }) => ({
        ...row,
        other: other === null || typeof other === 'string' ? other : JSON.stringify(other),
        ...Object.fromEntries((probabilities as number[]).map((p, i) => [`probability_${['rose', 'violet'][i]}`, p])),
      }))
      expect(found.map(({ filename: _filename, ...row }) => row)).toEqual(expected)
      expect(await columns.text('rejected-')).toBe(await json.text('rejected-'))
    }), { numRuns: 12 })
  })

  test('have the columns that all inputs agree on, else texts', async () => {
    const paths = [await parquet('SELECT 1 AS x, 1::BIGINT AS id, 2 AS n'), await parquet('SELECT 2 AS x, 2.5::DOUBLE AS id, 3 AS n')]
    const { output } = await batch(paths, { model: line, keep: ['id', 'n'], format: 'parquet' })
    expect(await query(`SELECT * FROM '${output}/*.parquet'`)).toEqual([{ id: '1', n: 2, prediction: 3 }, { id: '2.5', n: 3, prediction: 5 }])
  })
})

describe.skipIf(!hasDuckdb)('refuses, and writes nothing:', () => {
  test.each([
    ["SELECT '5' AS length, 'red' AS kind", 'the column "length" is VARCHAR, and the feature is a number: the column must be an integer, FLOAT, DOUBLE or DECIMAL'],
    ['SELECT 5 AS length, 1 AS kind', 'the column "kind" is INTEGER, and the feature is a string: the column must be VARCHAR, a date or a time'],
    ['SELECT true AS length, 1 AS kind', 'the column "length" is BOOLEAN'],
    ['SELECT 5 AS length', 'has no column "kind"; its columns are "length"'],
  ])('%s', async (select, message) => {
    const path = await parquet(select)
    const before = await readdir(folder)
    await expect(batch([path])).rejects.toThrow(message)
    expect(await readdir(folder)).toEqual(before)
  })

  test('a file that is cut off', async () => {
    const path = await parquet("SELECT 5 AS length, 'red' AS kind FROM range(1000)")
    await truncate(path, 300)
    await expect(batch([path])).rejects.toThrow(/No magic bytes found at end of file|too small/)
  })

  test('columns of the output that differ in nothing but case', async () => {
    await expect(batch([await parquet('SELECT 1 AS x, 2 AS "Prediction"')], { model: line, keep: ['Prediction'], format: 'parquet' })).rejects.toThrow('differ in nothing but case')
  })
})
