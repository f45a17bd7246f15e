import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { floats, model, node } from '../../src/onnx/build.ts'
import { startApp } from '../helpers/app.ts'
import { type Files, flowerFiles, heavyFiles, regressionFiles, repository, withManifest, writeFiles } from '../helpers/models.ts'
import { startProcess } from '../helpers/process.ts'
import { hasDuckdb, query } from '../etl/duckdb.ts'
import { modelport } from './modelport.ts'

const committed = resolve(import.meta.dirname, '../../models')

const flowers = 'id,length,kind,age\n1,6,red,2\n"2, ""b""",2,blue,\n3,99,red,\n4,5,green,x\n5,5,red\n'

let models: Awaited<ReturnType<typeof repository>>
let folder: string
let outputs = 0

beforeAll(async () => {
  models = await repository({
    'flower/1.0.0': flowerFiles(),
    'line/1.0.0': regressionFiles(),
    'one/1': heavyFiles('one', '1', 2),
    'table/1': tableFiles(),
    'wide/1': wideFiles(),
    'raw/1/model.onnx': regressionFiles()['model.onnx'] as Uint8Array,
  })
  folder = await mkdtemp(join(tmpdir(), 'modelport-batch-'))
  await writeFiles(folder, {
    'flowers.csv': flowers,
    'flowers.csv.gz': gzipSync(flowers),
    'cut.csv.gz': gzipSync(manyFlowers(40_000)).subarray(0, -1000),
    'plain.csv.gz': flowers,
    'latin1.csv': Buffer.from('length,kind\n6,r\xf6d\n', 'latin1'),
    'headless.csv': 'a,kind\n1,red\n',
    'twice.csv': 'length,kind,length\n1,red,2\n',
    'empty.csv': '\n',
    'open.csv': 'length,kind\n1,"red\n2,blue\n',
    'flowers.parquet.gz': gzipSync('PAR1'),
    'flowers.txt': flowers,
    'xs.jsonl': '{"x": 1, "id": "a"}\r\n\n{"features": [2], "id": 7}\nnonsense\n{"features": {"x": 3, "id": 4}}\n[4]\n{"x": "5", "id": {"y": null}}\n{"x": 6}',
    'xs.csv': 'x\n1\n',
    'places.csv': 'x\n0\n99\n2\n1\n-99\n0\n',
    'bare.ndjson': '{}\n'.repeat(20),
    'large.csv': manyFlowers(40_000),
    'large.csv.gz': gzipSync(manyFlowers(40_000)),
  })
})

afterAll(async () => {
  await models.remove()
  await rm(folder, { recursive: true })
})

/** Looks x up in a table of three, and the logarithm of what it finds: beyond the table it cannot run, and of -1 there is none. */
function tableFiles (): Files {
  return withManifest({
    'model.onnx': model({
      graph: {
        inputs: [{ name: 'X', type: 'float32', shape: ['rows', 1] }],
        outputs: [{ name: 'value', type: 'float32', shape: ['rows', 1] }],
        nodes: [node('Cast', ['X'], ['index'], { to: 7n }), node('Gather', ['table', 'index'], ['found']), node('Log', ['found'], ['value'])],
        initializers: { table: floats([1, -1, 1]) },
      },
    }),
  }, { name: 'table', version: '1', task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number', example: 0 }] })
}

/** The sum of thirty features, all required. */
function wideFiles (): Files {
  return withManifest({
    'model.onnx': model({
      graph: {
        inputs: [{ name: 'X', type: 'float32', shape: ['rows', 30] }],
        outputs: [{ name: 'value', type: 'float32', shape: ['rows', 1] }],
        nodes: [node('MatMul', ['X', 'ones'], ['value'])],
        initializers: { ones: floats(new Array<number>(30).fill(1), [30, 1]) },
      },
    }),
  }, { name: 'wide', version: '1', task: 'regression', labels: undefined, outputs: { value: 'value' }, features: Array.from({ length: 30 }, (_, i) => ({ name: `f${i}`, type: 'number', example: 1 })) })
}

/** With a bad row now and then. */
function manyFlowers (rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => `${i},${i % 97 === 0 ? 'long' : (i * 7 % 290) / 10},${i % 3 === 0 ? 'red' : 'blue'},${i % 5 === 0 ? '' : i % 60}`)
  return `id,length,kind,age\n${lines.join('\n')}\n`
}

/** A folder that is not there yet. */
function newOutput (): string {
  return join(folder, `out-${++outputs}`)
}

interface Options { model?: string, input: string, output?: string, flags?: readonly string[] }

function argsOf ({ model = 'flower', input, output = newOutput(), flags = [] }: Options): string[] {
  return ['batch', '--model', model, '--input', join(folder, input), '--output', output, '--models', models.path, ...flags]
}

async function batch (options: Options) {
  const output = options.output ?? newOutput()
  return { output, ...await modelport(argsOf({ ...options, output })) }
}

/** Contents by file name. */
async function filesOf (output: string): Promise<Record<string, string>> {
  const names = (await readdir(output)).sort()
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await readFile(join(output, name), 'latin1')] as const)))
}

async function read (output: string, file: string): Promise<string> {
  return await readFile(join(output, file), 'utf8')
}

async function ndjson (output: string, file: string): Promise<unknown[]> {
  return (await read(output, file)).trimEnd().split('\n').map(line => JSON.parse(line) as unknown)
}

describe('every row has', () => {
  const rows = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.8, 5.1, 1.5], [5.9, 3, 4.2, 1.5], [6, 2.2, 4, 1], [4.95, 2.31, 3.3, 1.07]]
  const names = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width']

  test('the numbers that POST /predict gives for it alone', async () => {
    await writeFile(join(folder, 'iris.csv'), [names, ...rows].join('\n'))
    const server = await startApp({}, { MODELS_DIR: committed })
    try {
      for (const format of ['csv', 'ndjson']) {
        const { output } = await batch({ model: 'iris', input: 'iris.csv', flags: ['--models', committed, '--format', format, '--keep', 'petal_width'] })
        const lines = (await read(output, `part-00000.${format}`)).trimEnd().split('\n')
        for (const [i, row] of rows.entries()) {
          const { prediction, class_name: name, probabilities } = (await server.post('/models/iris/predict', { features: row })).body
          const expected = format === 'csv' ? [row[3], prediction, name, ...probabilities].join(',') : JSON.stringify({ petal_width: row[3], prediction, class_name: name, probabilities })
          expect(lines[format === 'csv' ? i + 1 : i]).toBe(expected)
        }
      }
    } finally {
      await server.close()
    }
  })

  test('its answer behind the columns that are kept, or its faults with its file and line', async () => {
    const { output, code, out, err } = await batch({ input: 'flowers.csv', flags: ['--keep', 'id,kind'] })
    expect({ code, out }).toEqual({ code: 0, out: `flower 1.0.0: 2 rows in 1 part in ${output}; 3 rows of 5 rejected: ${output}/rejected-*.ndjson tells why` })
    expect(err).toBe('part-00000.csv  5 rows, 3 rejected')
    const table = parse(await read(output, 'part-00000.csv'))
    expect(table.map(row => row.slice(0, 4))).toEqual([['id', 'kind', 'prediction', 'class_name'], ['1', 'red', '0', 'rose'], ['2, "b"', 'blue', '1', 'violet']])
    expect(table[0]?.slice(4)).toEqual(['probability_rose', 'probability_violet'])
    const file = join(folder, 'flowers.csv')
    expect(await ndjson(output, 'rejected-00000.ndjson')).toEqual([
      { file, line: 4, row: { id: '3', length: '99', kind: 'red', age: '' }, errors: [{ path: '/length', message: 'must be at most 30' }] },
      { file, line: 5, row: { id: '4', length: '5', kind: 'green', age: 'x' }, errors: [{ path: '/kind', message: 'must be one of red, blue' }, { path: '/age', message: 'must be a number, not a string' }] },
      { file, line: 6, row: ['5', '5', 'red'], errors: [{ path: '', message: 'has 3 cells, the header has 4' }] },
    ])
  })

  test('the same from NDJSON, in any of its forms', async () => {
    const { output } = await batch({ model: 'line', input: 'xs.jsonl', flags: ['--format', 'ndjson', '--keep', 'id'] })
    expect(await read(output, 'part-00000.ndjson')).toBe('{"id":"a","prediction":3}\n{"id":7,"prediction":5}\n{"id":null,"prediction":13}\n')
    expect((await ndjson(output, 'rejected-00000.ndjson') as { line: number, row: unknown }[]).map(({ line, row }) => [line, row])).toEqual([
      [4, 'nonsense'], [5, { features: { x: 3, id: 4 } }], [6, [4]], [7, { x: '5', id: { y: null } }],
    ])
  })

  test('what it keeps as text in CSV', async () => {
    const { output, err } = await batch({ model: 'line', input: 'xs.jsonl', flags: ['--keep', '["id"]'] })
    expect(await read(output, 'part-00000.csv')).toBe('id,prediction\na,3\n7,5\n,13\n')
    expect(err).not.toContain('notice')
  })

  test('an answer of its own, where others cannot be run', async () => {
    const { output } = await batch({ model: 'table', input: 'places.csv', flags: ['--keep', 'x'] })
    expect(await read(output, 'part-00000.csv')).toBe('x,prediction\n0,0\n2,0\n0,0\n')
    const rejected = await ndjson(output, 'rejected-00000.ndjson') as { line: number, errors: { message: string }[] }[]
    expect(rejected.map(({ line, errors }) => [line, errors[0]?.message])).toEqual([
      [3, expect.stringMatching(/^The model cannot run these values: /)],
      [5, 'the model gives no finite number for this row'],
      [6, expect.stringMatching(/^The model cannot run these values: /)],
    ])
  })

  test('an answer of its own from a model that takes one row at a time', async () => {
    const { output } = await batch({ model: 'one', input: 'places.csv', flags: ['--part-rows', '4'] })
    const parts = [await read(output, 'part-00000.csv'), await read(output, 'part-00001.csv')]
    expect(parts).toEqual([0, 4].map(from => `prediction\n${[0, 99, 2, 1, -99, 0].slice(from, from + 4).map(x => x === 0 ? 0 : x === 2 ? '0.9640276' : x === 1 ? '0.7615942' : Math.sign(x)).join('\n')}\n`))
  })

  test('all of its faults, however many rows before it have some', async () => {
    const rejected = await ndjson((await batch({ model: 'wide', input: 'bare.ndjson' })).output, 'rejected-00000.ndjson') as { errors: unknown[] }[]
    expect(rejected.map(({ errors }) => errors.length)).toEqual(new Array(20).fill(30))
  })

  test('a notice of columns that are left out, once', async () => {
    expect((await batch({ model: 'line', input: 'xs.jsonl' })).err).toMatch(/^notice: "id" is no feature of the model and is left out; --keep takes it over\npart/)
    expect((await batch({ input: 'flowers.csv' })).err).toContain('notice: the column "id" is no feature')
  })
})

describe('files', () => {
  test('may be packed on either side', async () => {
    const plain = await batch({ input: 'flowers.csv' })
    const packed = await batch({ input: 'flowers.csv.gz', flags: ['--gzip'] })
    expect(gunzipSync(await readFile(join(packed.output, 'part-00000.csv.gz'))).toString()).toBe(await read(plain.output, 'part-00000.csv'))
  })

  test('may be several, and parts go across them', async () => {
    const first = join(folder, 'flowers.csv')
    const { output, out } = await batch({ input: 'flower*.csv', flags: ['--input', `${first}.gz`, '--part-rows', '4', '--json', '--', first] })
    const { rows, rejected, parts } = JSON.parse(out)
    expect({ rows, rejected, parts: parts.map(({ rows }: { rows: number }) => rows) }).toEqual({ rows: 10, rejected: 6, parts: [4, 4, 2] })
    expect((await ndjson(output, 'rejected-00001.ndjson') as { file: string, line: number }[]).map(({ file, line }) => [file, line])).toEqual([[first, 6], [`${first}.gz`, 4]])
  })

  test('are set down with their hashes in the manifest', async () => {
    const { output } = await batch({ input: 'flowers.csv' })
    const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')
    const part = await read(output, 'part-00000.csv')
    const rejected = await read(output, 'rejected-00000.ndjson')
    expect(JSON.parse(await read(output, 'manifest.json'))).toEqual({
      schemaVersion: 1,
      complete: true,
      model: { name: 'flower', version: '1.0.0', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      inputs: [{ path: join(folder, 'flowers.csv'), bytes: flowers.length, modifiedMs: Math.floor((await stat(join(folder, 'flowers.csv'))).mtimeMs), sha256: sha256(flowers) }],
      options: { format: 'csv', gzip: false, keep: [], partRows: 50_000 },
      rows: 5,
      predicted: 2,
      rejected: 3,
      parts: [{
        file: 'part-00000.csv',
        rows: 5,
        predicted: 2,
        bytes: part.length,
        sha256: sha256(part),
        upTo: { input: 0, at: flowers.length, line: 7 },
        rejected: { file: 'rejected-00000.ndjson', rows: 3, bytes: rejected.length, sha256: sha256(rejected) },
      }],
    })
  })

  test('with rejected rows end in exit 1 where that is asked for, whole all the same', async () => {
    const { output, code, err } = await batch({ input: 'flowers.csv', flags: ['--fail-on-rejected'] })
    expect(code).toBe(1)
    expect(err).toContain('modelport batch: 3 rows of 5 rejected')
    expect(JSON.parse(await read(output, 'manifest.json')).complete).toBe(true)
  })
})

test('a terminal shows how far it is', async () => {
  const screen = Object.assign(new PassThrough(), { isTTY: true })
  const output = newOutput()
  const { err } = await modelport(argsOf({ input: 'flowers.csv', output }), { in: { stream: Readable.from([]), isTerminal: true, questions: screen } })
  expect(err).not.toContain('part-')
  expect(String(screen.read()).replaceAll('\x1B[K', '')).toMatch(/\r\[#{24}\] 100% {2}5 rows {2}[\d,]+ rows\/s {2}3 rejected {2}0:0\d\n$/)
})

describe('a job', () => {
  const flags = ['--keep', 'id', '--part-rows', '400']
  let whole: Record<string, string>

  beforeAll(async () => {
    const { output, code } = await batch({ input: 'large.csv', flags })
    expect(code).toBe(0)
    whole = await filesOf(output)
    if (hasDuckdb) await query(`COPY (SELECT id, try_cast(length AS DOUBLE) AS length, kind, age FROM read_csv('${join(folder, 'large.csv')}', all_varchar = false, types = {'length': 'VARCHAR', 'age': 'DOUBLE'})) TO '${join(folder, 'large.parquet')}' (FORMAT parquet)`)
  })

  /** And during which parts it is killed. */
  const kinds: [string, string, readonly string[], readonly string[]][] = [
    ['CSV', 'large.csv', [], ['part-00003', 'part-00017']],
    ['packed NDJSON', 'large.csv.gz', ['--format', 'ndjson', '--gzip'], ['part-00011']],
    ['Parquet', 'large.parquet', ['--format', 'parquet', '--part-rows', '1000'], ['part-00007']],
  ]

  test.each(kinds.filter(([kind]) => hasDuckdb || kind !== 'Parquet'))('that is killed goes on and leaves the same bytes of %s', async (_kind, input, more, moments) => {
    const given = { input, flags: [...flags, ...more] }
    const expected = more.length === 0 ? whole : await filesOf((await batch(given)).output)
    const output = newOutput()
    for (const [i, moment] of moments.entries()) {
      const job = startProcess({ ORT_DISABLE_TELEMETRY: '1' }, ['dist/cli.js', ...argsOf({ ...given, output })])
      await job.until(new RegExp(moment))
      job.child.kill('SIGKILL')
      await job.exit()
      if (i > 0) expect(job.stderr()).toContain('going on after')
      expect(await readdir(output)).not.toContain('manifest.json')
    }
    const { code, err } = await batch({ ...given, output })
    expect(code).toBe(0)
    expect(err).toMatch(/^going on after \d+ finished parts of [\d,]+ rows$/m)
    expect(err).not.toContain(moments.at(-1))
    expect(await filesOf(output)).toEqual(expected)
  }, 60_000)

  test('that another process works on is refused, until that has died', async () => {
    const output = newOutput()
    const job = startProcess({ ORT_DISABLE_TELEMETRY: '1' }, ['dist/cli.js', ...argsOf({ input: 'large.csv', output, flags })])
    try {
      await job.until(/part-00001/)
      job.child.kill('SIGSTOP')
      const { code, err } = await batch({ input: 'large.csv', output, flags })
      expect(code).toBe(1)
      expect(err).toContain(`process ${job.child.pid} is writing into ${output}`)
    } finally {
      await job.stop()
    }
    expect((await batch({ input: 'large.csv', output, flags })).code).toBe(0)
    expect(await filesOf(output)).toEqual(whole)
  })

  test('is done by one of two who begin at once', async () => {
    const output = newOutput()
    const both = await Promise.all([1, 2].map(() => batch({ input: 'flowers.csv', output })))
    expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
    expect(both.map(({ err }) => err).join()).toContain('is writing into')
  })

  test('that is done is not done again', async () => {
    const { output, out } = await batch({ input: 'flowers.csv' })
    const before = await stat(join(output, 'part-00000.csv'))
    const again = await batch({ input: 'flowers.csv', output })
    expect(again).toMatchObject({ code: 0, out })
    expect((await stat(join(output, 'part-00000.csv'))).ino).toBe(before.ino)
  })

  test.each<[string, (output: string, parts: string) => Promise<void>]>([
    ['a line that was being written', async (output, parts) => { await writeFile(join(output, '.parts.ndjson'), `${parts}{"file": "part-00`) }],
    ['a part that is lost', async (output, parts) => {
      await writeFile(join(output, '.parts.ndjson'), parts)
      await rm(join(output, 'part-00001.csv'))
    }],
    ['a part that is cut off', async (output, parts) => {
      await writeFile(join(output, '.parts.ndjson'), parts)
      await truncate(join(output, 'rejected-00001.ndjson'), 3)
    }],
    ['drafts', async output => {
      await writeFile(join(output, '.part-00000.csv.draft'), 'half a')
      await writeFile(join(output, '.manifest.json.draft'), '{')
    }],
    ['the lock of a process that is dead', async output => { await writeFile(join(output, '.lock'), JSON.stringify({ pid: 2 ** 31 - 2, host: hostname() })) }],
    ['the lock of an earlier process with the same number', async output => { await writeFile(join(output, '.lock'), JSON.stringify({ pid: process.pid, host: hostname() })) }],
    ['a lock without an owner', async output => { await writeFile(join(output, '.lock'), '') }],
  ])('goes on after %s', async (_what, harm) => {
    const flags = ['--part-rows', '2']
    const { output } = await batch({ input: 'flowers.csv', flags })
    const before = await filesOf(output)
    const { parts } = JSON.parse(before['manifest.json'] ?? '')
    await rm(join(output, 'manifest.json'))
    await harm(output, parts.map((part: object) => `${JSON.stringify(part)}\n`).join(''))
    expect(await batch({ input: 'flowers.csv', output, flags })).toMatchObject({ code: 0 })
    expect(await filesOf(output)).toEqual(before)
  })

  test('of other inputs, another model or other options is refused with what differs', async () => {
    await writeFile(join(folder, 'changing.csv'), flowers)
    const { output } = await batch({ input: 'changing.csv' })
    const before = await filesOf(output)
    await utimes(join(folder, 'changing.csv'), 1, 1)
    const other = await batch({ input: 'changing.csv', output, flags: ['--keep', 'id', '--format', 'ndjson'] })
    expect(other.code).toBe(1)
    expect(other.err).toContain(`another job: ${join(folder, 'changing.csv')} has changed; options.format was "csv", is "ndjson"; options.keep was [], is ["id"]. Choose another --output, or throw that away with --restart`)
    expect((await batch({ model: 'line', input: 'xs.csv', output })).err).toContain('model.name was "flower", is "line"')
    expect(await filesOf(output)).toEqual(before)
    expect((await batch({ model: 'line', input: 'xs.csv', output, flags: ['--restart'] })).code).toBe(0)
    expect(Object.keys(await filesOf(output))).toEqual(['job.json', 'manifest.json', 'part-00000.csv'])
  })
})

describe('refuses, and writes nothing:', () => {
  test.each<[string, Options, string]>([
    ['a model that is not there', { model: 'rose', input: 'flowers.csv' }, 'there is no model "rose"; the models are flower, line, one, raw, table, wide'],
    ['a model without features', { model: 'raw', input: 'flowers.csv' }, 'raw 1 takes raw tensors'],
    ['a pattern without files', { input: 'none-*.csv' }, 'no file is called'],
    ['a folder', { input: '' }, '*.csv"'],
    ['a kind of file that it does not know', { input: 'flowers.txt' }, 'must end in .csv, .ndjson, .jsonl or .parquet'],
    ['Parquet that is packed once more', { input: 'flowers.parquet.gz' }, 'Parquet packs its columns itself'],
    ['an empty file', { input: 'empty.csv' }, 'empty.csv is empty: it must begin with a header'],
    ['a header without a required feature', { input: 'headless.csv' }, 'headless.csv: the header has no column "length"; its columns are "a", "kind"'],
    ['a header that names a feature twice', { input: 'twice.csv' }, 'the column "length" stands twice in the header'],
    ['a header without a kept column', { input: 'flowers.csv', flags: ['--keep', 'colour'] }, 'has no column "colour"'],
    ['a kept column that the output has too', { input: 'flowers.csv', flags: ['--keep', 'class_name'] }, 'a column "class_name" of its own'],
    ['what is not UTF-8', { input: 'latin1.csv' }, 'latin1.csv is not UTF-8'],
    ['what is not packed', { input: 'plain.csv.gz' }, 'plain.csv.gz is damaged, or not packed by gzip'],
  ])('%s', async (_what, options, message) => {
    const { output, code, out, err } = await batch(options)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
    await expect(readdir(output)).rejects.toThrow('ENOENT')
  })

  test.each([
    [['--input', 'a.csv', '--output', 'o'], '--model is missing'],
    [['--model', 'flower', '--output', 'o'], '--input is missing'],
    [['--model', 'flower', '--input', 'a.csv'], '--output is missing'],
    [['--model', 'flower', '--input', 'a.csv', '--output', 'o', '--format', 'orc'], '--format must be one of csv, ndjson, parquet'],
    [['--model', 'flower', '--input', 'a.csv', '--output', 'o', '--format', 'parquet', '--gzip'], '--gzip is for csv and ndjson'],
    [['--model', 'flower', '--input', 'a.csv', '--output', 'o', '--part-rows', '0'], '--part-rows must be a whole number'],
    [['--model', 'flower', '--input', 'a.csv', '--output', 'o', '--keep', 'a,a'], '"a" is there twice'],
    [['--model', 'flower', '--input', 'a.csv', '--output', 'o', '--keep', '[1]'], '--keep must be names'],
    [['--model', '../x', '--input', 'a.csv', '--output', 'o'], 'cannot be the name of a model'],
  ])('%j', async (args, message) => {
    const { code, err } = await modelport(['batch', ...args])
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  test('a folder with files that are no job\'s, even to begin again', async () => {
    const output = newOutput()
    await writeFiles(output, { 'part-00000.csv': 'mine', 'notes.txt': 'mine' })
    const { code, err } = await batch({ input: 'flowers.csv', output, flags: ['--restart'] })
    expect(code).toBe(1)
    expect(err).toContain('is not empty and no batch job\'s: notes.txt is in it')
    expect(await filesOf(output)).toEqual({ 'part-00000.csv': 'mine', 'notes.txt': 'mine' })
  })

  test('a file that may not be read', async ctx => {
    if (process.getuid?.() === 0) ctx.skip()
    await writeFile(join(folder, 'secret.csv'), flowers)
    await chmod(join(folder, 'secret.csv'), 0o000)
    expect((await batch({ input: 'secret.csv' })).err).toContain('secret.csv cannot be read (EACCES)')
  })
})

test.each([
  ['cut.csv.gz', 5000, 'cut.csv.gz ends in the middle of what gzip packed: it is cut off. Get the whole file, then begin again with --restart'],
  ['open.csv', 5, 'open.csv: what begins on line 2 does not end: a quote is not closed, or the file is cut off'],
])('%s is named as the file that ends too early, and the parts before that stay', async (file, partRows, message) => {
  const { output, code, err } = await batch({ input: 'flowers.csv', flags: ['--part-rows', String(partRows), '--', join(folder, file)] })
  expect(code).toBe(1)
  expect(err).toContain(message)
  const files = await readdir(output)
  expect(files).toContain('part-00000.csv')
  expect(files).not.toContain('manifest.json')
})

test('the lock of another machine is left alone, with what to do', async () => {
  const output = newOutput()
  await writeFiles(output, { '.lock': '{"pid": 1, "host": "elsewhere.example"}' })
  const { code, err } = await batch({ input: 'flowers.csv', output })
  expect(code).toBe(1)
  expect(err).toContain(`process 1 of elsewhere.example is writing into ${output}: wait for it, or choose another --output. Should it be dead, remove ${output}/.lock`)
})
