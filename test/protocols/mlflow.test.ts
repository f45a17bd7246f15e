import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { type Files, flowerFiles, flowerOnnx, flowerPreprocessor, flowerProbabilities, regressionFiles, withManifest } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { echoFiles, lookUpFiles, sumFiles } from './tensor-models.ts'

const { rule, ruleEach, table } = protocolTable('MLflow')
const invocations = 'POST /invocations'

/** The servers of this file, by the model that each has as its default. */
const servers = new Map<string, TestApp>()

const models: Record<string, Files> = {
  flower: flowerFiles(),
  line: regressionFiles(),
  sum: sumFiles(),
  echo: echoFiles('float32'),
  lookUp: lookUpFiles(),
  digits: withManifest({ 'model.onnx': flowerOnnx(), 'preprocessor.json': flowerPreprocessor }, { name: 'digits', labels: ['4', '7'] }),
}

beforeAll(async () => {
  for (const [name, files] of Object.entries(models)) servers.set(name, await startApp({ [`${name}/1.0.0`]: files }))
})

afterAll(async () => {
  for (const server of servers.values()) await server.close()
})

function server (name: string): TestApp {
  const found = servers.get(name)
  if (found === undefined) throw new Error(`no server has ${name}`)
  return found
}

async function predictions (name: string, body: unknown, headers?: Record<string, string>): Promise<unknown> {
  const answer = await server(name).post('/invocations', body, headers)
  expect(answer.body ?? answer.text).toEqual({ predictions: expect.anything() })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  return (answer.body as { predictions: unknown }).predictions
}

const bothRows = [{ length: 6, kind: 'red', age: 2 }, { length: 2, kind: 'blue', age: null }]

ruleEach(invocations, 'takes exactly one of `dataframe_split`, `dataframe_records`, `instances`, `inputs` and answers `{"predictions": […]}`', [
  ['split, in any order of columns', { dataframe_split: { columns: ['kind', 'length'], data: [['red', 6], ['blue', 2]] } }],
  ['split, with an index', { dataframe_split: { columns: ['length', 'kind', 'age'], index: [7, 8], data: [[6, 'red', 2], [2, 'blue', null]] } }],
  ['split, without columns', { dataframe_split: { data: [[6, 'red', 2], [2, 'blue', null]] } }],
  ['records', { dataframe_records: bothRows }],
  ['instances by name', { instances: bothRows }],
  ['instances in order', { instances: [[6, 'red', 2], [2, 'blue', null]] }],
  ['inputs by column', { inputs: { length: [6, 2], kind: ['red', 'blue'], age: [2, null] } }],
  ['inputs by column, each value in a list', { inputs: { length: [[6], [2]], kind: [['red'], ['blue']] } }],
  ['inputs as rows in order', { inputs: [[6, 'red', 2], [2, 'blue', null]] }],
], async (_example, body: object) => {
  expect(await predictions('flower', body)).toEqual(['rose', 'violet'])
})

rule(invocations, 'answers the number of a regression', async () => {
  expect(await predictions('line', { instances: [1, 2.5] })).toEqual([3, 6])
  expect(await predictions('line', { inputs: [[1], [2.5]] })).toEqual([3, 6])
})

rule(invocations, 'answers a class as a number where the graph itself calls it by one', async () => {
  expect(await predictions('digits', { dataframe_records: bothRows })).toEqual([4, 7])
})

rule(invocations, '`"params": {"predict_method": "predict_proba"}` asks for the probabilities; other params change nothing', async () => {
  const probabilities = await predictions('flower', { dataframe_records: bothRows, params: { predict_method: 'predict_proba', temperature: 1 } }) as number[][]
  const expected = [flowerProbabilities(6, 'red', 2), flowerProbabilities(2, 'blue')]
  probabilities.forEach((row, i) => { row.forEach((p, k) => { expect(p).toBeCloseTo(expected[i]?.[k] ?? NaN, 6) }) })
  expect(await predictions('flower', { dataframe_records: bothRows, params: null, client_request_id: 'mine' })).toEqual(['rose', 'violet'])
})

ruleEach(invocations, 'takes `text/csv` and `application/csv` with a header; `header=absent` beside the type says that there is none', [
  ['text/csv', 'kind,length\nred,6\nblue,2\n'],
  ['application/csv; charset=utf-8', 'length,kind,age\n6,red,2\n2,blue,\n'],
  ['text/csv; header=absent', '6,red,2\n2,blue,NaN\n'],
], async (type, body: string) => {
  expect(await predictions('flower', body, { 'content-type': type })).toEqual(['rose', 'violet'])
})

rule(invocations, 'reads NaN and Infinity as Python writes them: NaN is missing', async () => {
  expect(await predictions('flower', '{"dataframe_split": {"columns": ["length", "kind", "age"], "data": [[6, "red", NaN]]}}')).toEqual(['rose'])
  const answer = await server('flower').post('/invocations', '{"instances": [[-Infinity, "red", 1]]}')
  expect(answer.body).toEqual({ error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining('/instances/0/0 length must be') })
  expect((await server('flower').post('/invocations', '{"instances": [[1, "NaN", 1]]}')).body.message).toContain('/instances/0/1 kind must be one of red, blue')
})

ruleEach(invocations, 'gives a model of tensors its inputs as nested lists, by name where there are several, and answers its outputs', [
  ['the only input whole', 'echo', { inputs: [[1, 2], [3, 4.5]] }, [[1, 2], [3, 4.5]]],
  ['the only input by name', 'echo', { inputs: { X: [[1, null]] } }, [[1, null]]],
  ['the only input row by row', 'echo', { instances: [[1, 2], [3, 4]] }, [[1, 2], [3, 4]]],
  ['the only input as a frame', 'echo', { dataframe_split: { columns: ['left', 'right'], data: [[1, 2]] } }, [[1, 2]]],
  ['no rows', 'echo', { inputs: [] }, []],
  ['several whole', 'sum', { inputs: { a: [[1, 2], [3, 4]], tag: ['p', 'q'] } }, { sum: [3, 7], name: ['p', 'q'] }],
  ['several row by row', 'sum', { instances: [{ tag: 'p', a: [1, 2] }, { a: [3, 4], tag: 'q' }] }, { sum: [3, 7], name: ['p', 'q'] }],
  ['several as records', 'sum', { dataframe_records: [{ tag: 'p', a: [1, 2] }] }, { sum: [3], name: ['p'] }],
  ['several as a frame', 'sum', { dataframe_split: { columns: ['tag', 'a'], data: [['p', [1, 2]]] } }, { sum: [3], name: ['p'] }],
] as const, async (_example, name: string, body: object, expected: unknown) => {
  expect(await predictions(name, body)).toEqual(expected)
})

rule(invocations, 'takes a CSV of numbers for a model of one input', async () => {
  expect(await predictions('echo', 'left,right\n1,2\n3,nan\n', { 'content-type': 'text/csv' })).toEqual([[1, 2], [3, null]])
  expect(await predictions('echo', '1,2\n', { 'content-type': 'text/csv; header=absent' })).toEqual([[1, 2]])
})

describe('refusals', () => {
  const refusals: [name: string, model: string, body: unknown, status: number, message: string | RegExp][] = [
    ['no JSON', 'flower', '{"instances": [', 400, 'not valid JSON'],
    ['an empty body', 'flower', '', 400, 'empty'],
    ['a list', 'flower', [[6, 'red', 2]], 400, 'exactly one of dataframe_split, dataframe_records, instances, inputs'],
    ['null', 'flower', 'null', 400, 'exactly one of'],
    ['none of the forms', 'flower', { data: [] }, 400, 'exactly one of'],
    ['two of them', 'flower', { instances: [], inputs: [] }, 400, 'not instances and inputs'],
    ['a frame that is a list', 'flower', { dataframe_split: [[6, 'red', 2]] }, 400, '/dataframe_split must be an object'],
    ['a frame without data', 'flower', { dataframe_split: { columns: ['length'] } }, 400, '/dataframe_split/data must be a list'],
    ['columns that are no names', 'flower', { dataframe_split: { columns: [1], data: [[1]] } }, 400, '/dataframe_split/columns must be'],
    ['a row of another width', 'flower', { dataframe_split: { columns: ['length', 'kind'], data: [[6, 'red'], [6]] } }, 400, '/dataframe_split/data/1 has 1 values, there are 2 columns'],
    ['a row of the frame that is no list', 'flower', { dataframe_split: { data: [{ length: 6 }] } }, 400, '/dataframe_split/data/0 must be a list'],
    ['a row of the wrong width, without columns', 'flower', { dataframe_split: { data: [[6, 'red']] } }, 422, '/dataframe_split/data/0 must have exactly 3 values'],
    ['an unknown column', 'flower', { dataframe_split: { columns: ['length', 'kind', 'colour'], data: [[6, 'red', 1]] } }, 422, '/dataframe_split/columns/2 is not a feature; the features are length, kind, age'],
    ['a column twice', 'flower', { dataframe_split: { columns: ['length', 'kind', 'kind'], data: [[6, 'red', 'red']] } }, 422, '/dataframe_split/columns/2 stands twice'],
    ['a missing column', 'flower', { inputs: { length: [6] } }, 422, '/inputs lacks kind, which is required'],
    ['columns of unequal length', 'flower', { inputs: { length: [6, 2], kind: ['red'] } }, 400, '/inputs/kind has 1 values, the columns before it have 2'],
    ['a column that is no list', 'flower', { inputs: { length: 6, kind: ['red'] } }, 400, '/inputs/length must be a list'],
    ['a wrong value in a frame', 'flower', { dataframe_split: { columns: ['kind', 'length'], data: [['red', 6], ['pink', true]] } }, 422, /\/dataframe_split\/data\/1\/1 must be a number, not .*\/dataframe_split\/data\/1\/0 must be one of/],
    ['a wrong value in a record', 'flower', { dataframe_records: [{ length: 6, kind: 'red' }, { length: 6, kind: 'pink' }] }, 422, '/dataframe_records/1/kind must be one of red, blue'],
    ['a wrong value in a list', 'flower', { instances: [[6, 'red', 1], [6, 'red', 'old']] }, 422, '/instances/1/2 age must be a number'],
    ['a wrong value in a column', 'flower', { inputs: { length: [6, 2], kind: ['red', 'pink'] } }, 422, '/inputs/kind/1 must be one of'],
    ['a missing value of a record', 'flower', { dataframe_records: [{ length: 6 }] }, 422, '/dataframe_records/0/kind is required'],
    ['a bare value for several features', 'flower', { instances: [6] }, 422, '/instances/0 must have exactly 3 values'],
    ['no rows', 'flower', { instances: [] }, 422, '/instances must have at least one row'],
    ['rows that are no list', 'flower', { dataframe_records: { length: 6 } }, 400, '/dataframe_records must be a list of rows'],
    ['params that are none', 'flower', { instances: [[6, 'red', 1]], params: [] }, 400, '/params must be an object'],
    ['an unknown method', 'flower', { instances: [[6, 'red', 1]], params: { predict_method: 'score' } }, 422, '/params/predict_method must be predict or predict_proba'],
    ['probabilities of a regression', 'line', { instances: [1], params: { predict_method: 'predict_proba' } }, 422, '/params/predict_method must be predict'],
    ['lists of unequal length', 'echo', { inputs: [[1, 2], [3]] }, 400, '/inputs/1 is a list of 1, the first one has 2'],
    ['lists too deep', 'echo', { inputs: [[[1, 2]]] }, 400, '/inputs has lists 3 deep, the model takes them 2 deep: [rows, 2]'],
    ['lists much too deep', 'echo', `{"inputs": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, '/inputs has lists more than 16 deep'],
    ['a list where a number belongs', 'echo', { inputs: [[1, 2], [3, [4]]] }, 400, '/inputs/1/1 must be a number that float32 can hold, or null for NaN, not a list'],
    ['a number beyond float32', 'echo', { inputs: [[1, 1e39]] }, 400, '/inputs/0/1 must be a number that float32 can hold'],
    ['a text for a number', 'echo', { instances: [[1, '2']] }, 400, '/instances/0/1 must be a number'],
    ['lists that claim more than there is', 'echo', { inputs: [new Array(1000).fill(0), ...new Array<number[]>(1000).fill([])] }, 400, '/inputs/1 is a list of 0'],
    ['an unknown input', 'sum', { inputs: { a: [[1, 2]], tag: ['p'], b: [1] } }, 400, '/inputs/b is not an input; the inputs are a, tag'],
    ['a missing input', 'sum', { instances: [{ a: [1, 2] }] }, 400, '/instances/0 lacks the input tag'],
    ['rows without names for several inputs', 'sum', { instances: [[1, 2]] }, 400, '/instances/0 must be an object with the inputs a, tag'],
    ['a frame that names no inputs', 'sum', { dataframe_split: { columns: ['x'], data: [[1]] } }, 400, '/dataframe_split/columns must name the inputs a, tag'],
    ['a text that the runtime would cut', 'sum', { instances: [{ a: [1, 2], tag: 'p\0q' }] }, 400, '/instances/0/tag must be a text of characters without U+0000'],
    ['an integer that JSON has rounded', 'lookUp', '{"inputs": [9007199254740993]}', 400, '/inputs/0 must be a whole number'],
    ['values that the runtime refuses', 'lookUp', { inputs: [99] }, 400, ''],
  ]

  test.each(refusals)('%s', async (_name, model, body, status, message) => {
    const answer = await server(model).post('/invocations', body)
    expect(answer.body).toEqual({ error_code: status === 422 ? 'INVALID_PARAMETER_VALUE' : 'BAD_REQUEST', message: expect.stringMatching(message instanceof RegExp ? message : literally(message)) })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  test.each<[string, string, string, number, string]>([
    ['an unknown column', 'text/csv', 'length,colour\n6,red\n', 422, '/header/1 "colour" is not a feature'],
    ['a wrong cell', 'text/csv', 'length,kind\n6,red\n6,pink\n', 422, 'must be one of red, blue (line 3)'],
    ['a line of another width', 'text/csv; header=absent', '6,red,1\n6,red\n', 422, 'has 2 cells, the model has features: 3 (line 2)'],
    ['no CSV', 'text/csv', 'length,kind\n"6,red\n', 400, 'not valid CSV'],
    ['an empty one', 'text/csv; header=absent', '', 400, 'The CSV is empty.'],
    ['another type', 'text/plain', '6,red,1', 415, 'application/json'],
    ['another charset', 'text/csv; charset=latin1', 'length,kind\n6,red', 415, 'UTF-8'],
  ])('CSV: %s', async (_name, type, body, status, message) => {
    const answer = await server('flower').post('/invocations', body, { 'content-type': type })
    expect(answer.status).toBe(status)
    expect(answer.body.message).toContain(message)
  })
})

function literally (text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
}

rule(invocations, 'answers every error as `{"error_code", "message"}`, with every fault at its place in the body that was sent', async () => {
  const cases: [Promise<{ status: number, body: unknown }>, number, string][] = [
    [server('flower').post('/invocations', {}, { authorization: '' }), 401, 'UNAUTHENTICATED'],
    [server('flower').post('/invocations', { instances: [{ length: -1, kind: 'pink' }] }), 422, 'INVALID_PARAMETER_VALUE'],
    [server('flower').get('/invocations'), 405, 'BAD_REQUEST'],
    [server('flower').post('/invocations', new Uint8Array([0xff])), 400, 'BAD_REQUEST'],
  ]
  for (const [answer, status, code] of cases) expect(await answer).toMatchObject({ status, body: { error_code: code, message: expect.any(String) } })
})

rule(invocations, 'holds the limits of rows and bytes before anything is made of them', async () => {
  const small = await startApp({ 'line/1.0.0': regressionFiles() }, { MAX_ROWS: '2', BODY_LIMIT: '1kb' })
  try {
    for (const body of [{ instances: [1, 2, 3] }, { inputs: { x: [1, 2, 3] } }, { dataframe_split: { data: [[1], [2], [3]] } }]) {
      expect(await small.post('/invocations', body)).toMatchObject({ status: 413, body: { error_code: 'BAD_REQUEST', message: expect.stringContaining('more than 2 rows') } })
    }
    expect(await small.post('/invocations', ' '.repeat(2000))).toMatchObject({ status: 413, body: { error_code: 'BAD_REQUEST' } })
  } finally {
    await small.close()
  }
})

rule(invocations, 'is logged and counted as the protocol it is, with the time of each stage in Server-Timing', async () => {
  const app = server('line')
  const answer = await app.post('/invocations', { instances: [1] }, { 'x-request-id': 'mlflow-1' })
  expect(answer.headers.get('server-timing')).toMatch(/^validate;dur=[\d.]+, queue;dur=[\d.]+, run;dur=[\d.]+$/)
  expect((await app.get('/metrics')).text).toMatch(/modelport_requests_total\{[^}]*protocol="mlflow"[^}]*\} [1-9]/)
})

rule('GET /ping', 'is 200 with nothing in it once the server can answer, 503 before and while it drains; no token', async () => {
  const app = await startApp({ 'line/1.0.0': regressionFiles() }, {}, { load: false })
  try {
    expect((await app.get('/ping', { authorization: '' })).status).toBe(503)
    expect((await app.post('/invocations', { instances: [1] }))).toMatchObject({ status: 503, body: { error_code: 'TEMPORARILY_UNAVAILABLE' } })
    await app.app.inference.registry.load(undefined)
    expect(await app.get('/ping', { authorization: '' })).toMatchObject({ status: 200, text: '' })
    app.app.startDraining()
    expect((await app.get('/ping')).status).toBe(503)
  } finally {
    await app.close()
  }
})

rule('GET /version', 'is the release of the server as plain text; no token', async () => {
  const answer = await server('line').get('/version', { authorization: '' })
  expect(answer).toMatchObject({ status: 200, text: '0.0.0-test' })
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
})

table()
