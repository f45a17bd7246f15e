import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { model, node } from '../../src/onnx/build.ts'
import { startApp } from '../helpers/app.ts'
import { type Files, type flowerFeatures, flowerFiles, flowerProbabilities, regressionFiles, repository, withManifest } from '../helpers/models.ts'
import { modelport, piped, typed } from './modelport.ts'

const committed = resolve(import.meta.dirname, '../../models')
const rose = { length: 6, kind: 'red', age: 2 }
const violet = { length: 2, kind: 'blue' }

/** One input, called X, that comes back as Y. */
const tensorFiles: Files = {
  'model.onnx': model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['rows', 2] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['rows', 2] }],
      nodes: [node('Identity', ['X'], ['Y'])],
    },
  }),
}

const broken = { ...flowerFiles('flower', '3.0.0'), 'model.onnx': new Uint8Array([1]) }

let models: Awaited<ReturnType<typeof repository>>
let files: string

beforeAll(async () => {
  models = await repository({
    'flower/1.0.0': flowerFiles(),
    'flower/2.0.0': flowerFiles('flower', '2.0.0'),
    'flower/3.0.0': broken,
    'line/1.0.0': regressionFiles(),
    'raw/1': tensorFiles,
    'steady/1': flowerFiles('steady', '1'),
    'steady/2': flowerFiles('steady', '2'),
    'steady/aliases.json': '{"production": "1"}',
    'lost/1': flowerFiles('lost', '1'),
    'lost/aliases.json': '{"production": "9"}',
    'repository.json': '{"default": "flower"}',
  })
  files = await mkdtemp(join(tmpdir(), 'modelport-predict-'))
  await writeFile(join(files, 'row.json'), JSON.stringify(rose))
  await writeFile(join(files, 'rows.ndjson'), `${JSON.stringify(rose)}\n\n${JSON.stringify(violet)}\n`)
  await writeFile(join(files, 'rows.csv'), '\uFEFFlength,kind,age\n6,red,2\n2,blue,\n')
  await writeFile(join(files, 'latin1.csv'), Buffer.from('length,kind,age\n6,r\xf6d,2\n', 'latin1'))
  await writeFile(join(files, 'empty.json'), '\n')
})

afterAll(async () => {
  await models.remove()
  await rm(files, { recursive: true })
})

/** `FOLDER` in an argument is the folder with the rows. */
async function predict (args: readonly string[], options: Parameters<typeof modelport>[1] = {}) {
  return await modelport(['predict', ...args.map(arg => arg.replace('FOLDER', files))], { ...options, env: { MODELS_DIR: models.path, ...options.env } })
}

describe('prints for a person', () => {
  test('the class of one row and every probability', async () => {
    const [p, q] = flowerProbabilities(6, 'red', 2).map(share => share.toFixed(4))
    expect(await predict(['flower', '--json', JSON.stringify(rose)])).toEqual({
      code: 0, err: '', out: `flower 2.0.0: rose\n  rose    ${p}\n  violet  ${q}`,
    })
  })

  test('a table of many rows', async () => {
    const rows = [flowerProbabilities(6, 'red', 2), flowerProbabilities(2, 'blue')].map(shares => shares.map(share => share.toFixed(4)).join('  '))
    expect((await predict(['flower', '--json', JSON.stringify([rose, violet])])).out).toBe(
      `flower 2.0.0\nrow  class   rose    violet\n0    rose    ${rows[0]}\n1    violet  ${rows[1]}`)
  })

  test('the value of a regression', async () => {
    expect((await predict(['line', '--json', '{"x": 3}'])).out).toBe('line 1.0.0: 7')
    expect((await predict(['line', '--json', '[{"x": 3}, {"features": [4]}]'])).out).toBe('line 1.0.0\nrow  prediction\n0    7\n1    9')
  })

  test('warnings among the complaints', async () => {
    const { code, out, err } = await predict(['flower', '--json', JSON.stringify({ ...rose, length: 20 })])
    expect({ code, out: out.split('\n')[0], err }).toEqual({ code: 0, out: 'flower 2.0.0: rose', err: 'warning: /length 20 is outside the range of the training data, 1 to 10' })
  })
})

describe('prints for machines', () => {
  const rows = JSON.stringify([rose, violet])

  test('json: what POST /predict answers', async () => {
    const server = await startApp({}, { MODELS_DIR: committed })
    try {
      const row = '{"features": [5.1, 3.5, 1.4, 0.2]}'
      for (const body of [row, `{"instances": [${row}, ${row}]}`]) {
        const { latency_ms: servers, ...answer } = (await server.post('/models/iris/predict', body)).body
        const { latency_ms: own, ...printed } = JSON.parse((await modelport(['predict', 'iris', '--models', committed, '--json', body, '--output', 'json'])).out)
        expect(printed).toEqual(answer)
        expect([servers, own]).toEqual([expect.any(Number), expect.any(Number)])
      }
    } finally {
      await server.close()
    }
  })

  test('ndjson: a line for each row', async () => {
    const lines = (await predict(['flower', '--json', rows, '--output', 'ndjson'])).out.split('\n').map(line => JSON.parse(line))
    expect(lines).toEqual([
      { prediction: 0, class_name: 'rose', probabilities: [expect.any(Number), expect.any(Number)] },
      { prediction: 1, class_name: 'violet', probabilities: [expect.any(Number), expect.any(Number)] },
    ])
  })

  test('csv: a line for each row below a header', async () => {
    const [header, first, second] = (await predict(['flower', '--json', rows, '--output', 'csv'])).out.split('\n')
    expect(header).toBe('prediction,class_name,probability_rose,probability_violet')
    expect(first).toMatch(/^0,rose,0\.\d+,/)
    expect(second).toMatch(/^1,violet,/)
    expect((await predict(['line', '--json', '{"x": 3}', '--output', 'csv'])).out).toBe('prediction\n7')
  })
})

describe('takes rows', () => {
  test.each<[string, string[], string?]>([
    ['from a text', ['--json', JSON.stringify({ instances: [rose, violet] })]],
    ['from a JSON file of one row', ['--json', 'FOLDER/row.json']],
    ['from an NDJSON file', ['--json', 'FOLDER/rows.ndjson']],
    ['from a CSV file', ['--csv', 'FOLDER/rows.csv']],
    ['from JSON that is piped in', [], JSON.stringify([rose, violet])],
    ['from NDJSON that is piped in', [], `${JSON.stringify(rose)}\n${JSON.stringify(violet)}`],
    ['from stdin by name', ['--json', '-'], JSON.stringify(rose)],
    ['from CSV on stdin', ['--csv', '-'], 'kind,length\nred,6\nblue,2\n'],
  ])('%s', async (_name, args, stdin) => {
    const { code, out, err } = await predict(['flower', ...args, '--output', 'csv'], stdin === undefined ? {} : { in: piped(stdin) })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const classes = out.split('\n').slice(1).map(line => line.split(',')[1])
    expect(classes).toEqual(['rose', 'violet'].slice(0, classes.length))
  })
})

describe('runs tensors of a model without features', () => {
  test.each<[string, string, string, string]>([
    ['whole, for a person', '{"inputs": {"X": [[1, 2.5], [3, null]]}}', 'text', 'raw 1\n  Y (float32, [2, 2]): [[1,2.5],[3,null]]'],
    ['the only one by itself', '{"inputs": [[1, 2]]}', 'json', '{"outputs":{"Y":[[1,2]]}}'],
    ['row by row', '{"instances": [[1, 2], [3, 4]]}', 'ndjson', '[1,2]\n[3,4]'],
    ['rows in a list', '[[1, 2], [3, 4]]', 'json', '{"outputs":{"Y":[[1,2],[3,4]]}}'],
  ])('%s', async (_name, json, output, printed) => {
    expect(await predict(['raw', '--json', json, '--output', output])).toEqual({ code: 0, err: '', out: printed })
  })

  test.each<[string, string[], RegExp]>([
    ['of another name', ['--json', '{"inputs": {"Z": [[1, 2]]}}'], /\/inputs\/Z is not an input; the inputs are X/],
    ['of another type', ['--json', '{"inputs": {"X": [[1, "2"]]}}'], /\/inputs\/X\/0\/1 must be a number that float32 can hold.*, not a string/],
    ['of another width', ['--json', '{"inputs": {"X": [[1, 2, 3]]}}'], /X/],
    ['in csv', ['--json', '{"inputs": {"X": [[1, 2]]}}', '--output', 'csv'], /tensors cannot be printed as csv/],
    ['that are not there', ['--json', '{"x": 1}'], /give its inputs as --json '\{"inputs": \{"X": …\}\}': X \(float32, \[rows, 2\]\)/],
    ['that nobody can type', [], /give its inputs as --json/],
  ])('but none %s', async (_name, args, message) => {
    const { code, out, err } = await predict(['raw', ...args], { in: typed().input })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toContain(' at ')
  })
})

describe('asks on a terminal', () => {
  test('for each feature, with its type, unit, limits and example', async () => {
    const { input, asked } = typed('', '', '')
    expect((await predict(['flower'], { in: input })).out).toMatch(/^flower 2\.0\.0: rose\n/)
    expect(asked()).toBe('length (number, cm; 0 to 30) [5.1]: kind (string; one of red, blue) [red]: age (number; optional): ')
  })

  test('again for what the model would refuse', async () => {
    const { input, asked } = typed('long', '31', '2', 'green', 'blue', 'null')
    expect((await predict(['flower', '--output', 'ndjson'], { in: input })).out).toContain('"class_name":"violet"')
    expect(asked()).toContain('  must be a number, not "long"\n')
    expect(asked()).toContain('  must be at most 30\n')
    expect(asked()).toContain('  must be one of red, blue\n')
  })

  test('with the examples of a committed model for defaults', async () => {
    const { input } = typed('', '', '', '')
    expect((await modelport(['predict', 'iris', '--models', committed], { in: input })).out).toMatch(/^iris 1\.0\.0: setosa\n/)
  })

  test.each<[string, object, string[], unknown]>([
    ['truth values', { type: 'boolean' }, ['yes', 'TRUE'], true],
    ['whole numbers', { type: 'integer', minimum: 1 }, ['1.5', '0', '2'], 2],
    ['what must be there', { type: 'string' }, ['', 'text'], 'text'],
    ['a number as programs write it', { type: 'number', maximum: 10 }, ['0x1', 'Infinity', '-1e2'], -100],
    ['missing in spite of an example', { type: 'number', example: 3, required: false }, ['null'], null],
  ])('for %s', async (_name, feature, lines, value) => {
    const { promptRow } = await import('../../src/cli/prompt.ts')
    const { input } = typed(...lines)
    expect(await promptRow([{ name: 'x', ...feature } as (typeof flowerFeatures)[number]], input)).toEqual({ x: value })
  })

  test('and fails when nobody answers', async () => {
    expect(await predict(['flower'], { in: typed('5').input })).toEqual({ code: 1, out: '', err: 'modelport predict: the input ended before kind' })
  })
})

describe('answers with the version that the server would answer with', () => {
  test.each([
    ['the default model, the latest sound version of it', [], 'flower', '2.0.0'],
    ['production', ['steady'], 'steady', '1'],
    ['a version by name', ['steady@2'], 'steady', '2'],
  ])('%s', async (_name, args, name, version) => {
    const { out } = await predict([...args, '--json', JSON.stringify(rose), '--output', 'json'])
    expect(JSON.parse(out).model).toEqual({ name, version })
  })

  test('DEFAULT_MODEL goes before repository.json', async () => {
    expect((await predict(['--json', '{"x": 3}'], { env: { DEFAULT_MODEL: 'line' } })).out).toBe('line 1.0.0: 7')
  })

  test('--models may be the folder of one version', async () => {
    expect((await predict(['--models', join(models.path, 'line/1.0.0'), '--json', '{"x": 3}'])).out).toBe('line 1.0.0: 7')
  })
})

describe('lists every fault with its place', () => {
  test.each<[string, string[], string]>([
    ['of one row', ['--json', '{"length": 31, "kind": "green", "colour": 1}'], '3 values do not fit the model.\n  /length must be at most 30\n  /kind must be one of red, blue\n  /colour is not a feature; the features are length, kind, age'],
    ['of rows in a list', ['--json', '[{"length": 1, "kind": "red"}, {"length": "1", "kind": "red"}]'], 'One value does not fit the model in 1 of 2 rows.\n  /instances/1/length must be a number, not a string'],
    ['of CSV, with the line', ['--csv', '-'], 'One value does not fit the model in 1 of 2 rows.\n  /instances/1/length must be at least 0 (line 3)'],
    ['of a body that is no row', ['--json', '{"instances": 5}'], '"instances" must be a list of rows.'],
    ['of no rows', ['--json', '[]'], 'The request has no rows.\n  /instances must have at least one row'],
  ])('%s', async (_name, args, message) => {
    expect(await predict(['flower', ...args], { in: piped('length,kind\n6,red\n-1,red\n') })).toEqual({ code: 1, out: '', err: `modelport predict: ${message}` })
  })
})

describe('fails, and says why', () => {
  test.each<[string, string[], RegExp]>([
    ['no such model', ['tulip', '--json', '{}'], /there is no model "tulip"; the models are flower, line, lost, raw, steady/],
    ['no such version', ['flower@9', '--json', '{}'], /flower has no version "9"; it has 1\.0\.0, 2\.0\.0, 3\.0\.0/],
    ['a version that cannot be served', ['flower@3.0.0', '--json', '{}'], /flower cannot answer: 3\.0\.0: HASH_MISMATCH: model\.onnx has 1 bytes/],
    ['production that leads nowhere', ['lost', '--json', '{}'], /lost cannot answer: aliases\.json: production is "9", and there is no such version/],
    ['raw tensors', ['raw', '--json', '{"x": 1}'], /raw 1 is served as raw tensors.*X \(float32, \[rows, 2\]\)/],
    ['a repository that is not there', ['--models', './nowhere', '--json', '{}'], /the folder \.\/nowhere cannot be read \(ENOENT\)/],
    ['a file that is not there', ['flower', '--json', 'nowhere.json'], /--json: the file "nowhere\.json" cannot be read \(ENOENT\); a text must begin with \{ or \[/],
    ['a file that is not UTF-8', ['flower', '--csv', 'FOLDER/latin1.csv'], /latin1\.csv is not UTF-8/],
    ['an empty file', ['flower', '--json', 'FOLDER/empty.json'], /empty\.json is empty/],
    ['a text that is not JSON', ['flower', '--json', '{"length": }'], /--json is not valid JSON: /],
    ['CSV where JSON is expected', ['flower', '--json', 'FOLDER/rows.csv'], /rows\.csv is not valid JSON: .*; for CSV say --csv/s],
    ['nothing piped in', ['flower'], /stdin is empty/],
  ])('%s', async (_name, args, message) => {
    const { code, out, err } = await predict(args, { in: piped('') })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toContain(' at ')
  })

  test('several models, and none is the default', async () => {
    const two = await repository({ 'a/1': flowerFiles('a', '1'), 'b/1': flowerFiles('b', '1') })
    try {
      expect((await predict(['--json', '{}'], { env: { MODELS_DIR: two.path } })).err).toBe('modelport predict: there is no default model; name one of a, b')
    } finally {
      await two.remove()
    }
  })

  test('answers that are no numbers', async () => {
    const root = model({
      graph: {
        inputs: [{ name: 'X', type: 'float32', shape: ['rows', 1] }],
        outputs: [{ name: 'value', type: 'float32', shape: ['rows', 1] }],
        nodes: [node('Sqrt', ['X'], ['value'])],
      },
    })
    const one = await repository({ 'root/1': withManifest({ 'model.onnx': root }, { name: 'root', version: '1', task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number' }] }) })
    try {
      expect(await predict(['--json', '{"x": -1}'], { env: { MODELS_DIR: one.path } })).toMatchObject({ code: 1, out: '', err: expect.stringContaining('the model gives no finite number for this row') })
    } finally {
      await one.remove()
    }
  })
})

describe('is misused, and says how', () => {
  test.each<[string, string[], string]>([
    ['--json for machines', ['flower', '--json'], '--json takes the rows that go in: a text, a file or -; to print JSON, say --output json'],
    ['--json before another flag', ['flower', '--json', '--output', 'json'], 'to print JSON, say --output json'],
    ['two sources of rows', ['flower', '--json', '{}', '--csv', 'rows.csv'], '--json and --csv exclude each other'],
    ['an unknown format', ['flower', '--output', 'xml', '--json', '{}'], '--output must be one of text, json, ndjson, csv, not "xml"'],
    ['two models', ['flower', 'line', '--json', '{}'], '"line" is an argument too many'],
    ['a name that cannot be one', ['../flower', '--json', '{}'], '"../flower" cannot be the name of a model'],
    ['a version that cannot be one', ['flower@', '--json', '{}'], '"" cannot be a version'],
    ['an unknown flag', ['flower', '--partial'], '--partial'],
    ['no rows, and nowhere to read them from', ['flower'], 'nothing gives the rows: say --json or --csv'],
  ])('%s', async (_name, args, message) => {
    const { code, out, err } = await predict(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
    expect(err).toContain('modelport predict --help explains it')
  })
})
