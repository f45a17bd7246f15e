import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles, flowerOnnx, flowerPreprocessor, flowerProbabilities, regressionFiles, repository, withManifest } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { startProcess } from '../helpers/process.ts'
import { echoFiles, sumFiles, totalFiles } from './tensor-models.ts'

const { rule, ruleEach, table } = protocolTable('SageMaker')
const invocations = 'POST /invocations'
const SAGEMAKER = { SAGEMAKER: 'on', AUTH: 'off' }

let flower: TestApp
let line: TestApp
let echo: TestApp
let sum: TestApp

beforeAll(async () => {
  flower = await startApp({ 'flower/1.0.0': flowerFiles() }, SAGEMAKER)
  line = await startApp({ 'line/1.0.0': regressionFiles() }, SAGEMAKER)
  echo = await startApp({ 'echo/1': echoFiles('float32') }, SAGEMAKER)
  sum = await startApp({ 'sum/1': sumFiles() }, SAGEMAKER)
})

afterAll(async () => {
  for (const server of [flower, line, echo, sum]) await server.close()
})

ruleEach(invocations, 'takes `text/csv` without a header, in the order of the features; a first line of nothing but names of features is a header', [
  ['no header', 'text/csv', '6,red,2\n2,blue,\n'],
  ['no last newline, CRLF', 'text/csv', '6,red,2\r\n2,blue,NaN'],
  ['a header', 'text/csv', 'kind,length\nred,6\nblue,2\n'],
  ['a header, and said so', 'text/csv; header=present', 'kind,length\nred,6\nblue,2\n'],
  ['no header, and said so', 'application/csv; header="absent"', '6,red,2\n2,blue,\n'],
], async (_example, type, body: string) => {
  expect((await flower.post('/invocations', body, { 'content-type': type })).body).toEqual({ predictions: ['rose', 'violet'] })
})

ruleEach(invocations, 'takes `application/jsonlines` and `application/x-ndjson`: a row a line, by name or in order', [
  ['objects', 'application/jsonlines', '{"length": 6, "kind": "red"}\n\n{"kind": "blue", "length": 2}\n'],
  ['lists', 'application/x-ndjson', '[6, "red", 2]\r\n[2, "blue", NaN]'],
  ['features', 'application/jsonlines; charset=utf-8', '{"features": [6, "red", 2]}\n{"features": {"length": 2, "kind": "blue"}}'],
], async (_example, type, body: string) => {
  expect((await flower.post('/invocations', body, { 'content-type': type })).body).toEqual({ predictions: ['rose', 'violet'] })
})

rule(invocations, 'takes `application/json` in the forms of MLflow', async () => {
  expect((await flower.post('/invocations', { instances: [[6, 'red', 2]] })).body).toEqual({ predictions: ['rose'] })
  expect((await line.get('/metrics')).text).not.toContain('protocol="mlflow"')
})

ruleEach(invocations, 'answers what Accept names, the first in order of preference; JSON unless told', [
  ['nothing', '', 'application/json; charset=utf-8', /^\{"predictions":\["rose"\]\}$/],
  ['anything', '*/*', 'application/json; charset=utf-8', /^\{"predictions":\["rose"\]\}$/],
  ['JSON', 'application/json', 'application/json; charset=utf-8', /^\{"predictions":\["rose"\]\}$/],
  ['CSV: one line a row, the class or the number, no header', 'text/csv', 'text/csv; charset=utf-8', /^rose\n$/],
  ['JSON lines: one line a row, all of its answer', 'application/jsonlines', 'application/jsonlines; charset=utf-8', /^\{"prediction":0,"class_name":"rose","probabilities":\[[\d.,e-]+\]\}\n$/],
  ['NDJSON', 'application/x-ndjson', 'application/jsonlines; charset=utf-8', /^\{"prediction":0,.*\}\n$/],
  ['the better of two', 'application/json;q=0.5, text/csv', 'text/csv; charset=utf-8', /^rose\n$/],
  ['not what is ruled out', 'text/csv;q=0, image/png, application/*;q=0.1', 'application/json; charset=utf-8', /^\{"predictions":\["rose"\]\}$/],
] as const, async (_example, accept: string, type: string, text: RegExp) => {
  const answer = await flower.post('/invocations', '6,red,2\n', { 'content-type': 'text/csv', accept })
  expect(answer).toMatchObject({ status: 200, text: expect.stringMatching(text) })
  expect(answer.headers.get('content-type')).toBe(type)
})

rule(invocations, 'has the probabilities in JSON lines, and in JSON where `params` ask for them', async () => {
  const expected = flowerProbabilities(6, 'red', 2).map(p => expect.closeTo(p, 6) as unknown)
  const lines = await flower.post('/invocations', '6,red,2\n', { 'content-type': 'text/csv', accept: 'application/jsonlines' })
  expect(JSON.parse(lines.text)).toEqual({ prediction: 0, class_name: 'rose', probabilities: expected })
  expect((await flower.post('/invocations', { instances: [[6, 'red', 2]], params: { predict_method: 'predict_proba' } })).body).toEqual({ predictions: [expected] })
})

rule(invocations, 'quotes a class in CSV whose name has commas, quotes or line breaks', async () => {
  const odd = withManifest({ 'model.onnx': flowerOnnx(), 'preprocessor.json': flowerPreprocessor }, { name: 'odd', labels: ['a "red", one', 'plain'] })
  const server = await startApp({ 'odd/1.0.0': odd }, SAGEMAKER)
  try {
    expect((await server.post('/invocations', '6,red,2\n2,blue,\n', { 'content-type': 'text/csv', accept: 'text/csv' })).text).toBe('"a ""red"", one"\nplain\n')
  } finally {
    await server.close()
  }
})

rule(invocations, 'takes and gives CSV and JSON lines for a model of tensors too', async () => {
  const csv = { 'content-type': 'text/csv', accept: 'text/csv' }
  expect((await echo.post('/invocations', '1,2\n3,\n', csv)).text).toBe('1,2\n3,\n')
  expect((await echo.post('/invocations', 'left,right\n1,2\n', csv)).text).toBe('1,2\n')
  expect((await echo.post('/invocations', '[1, 2]\n[3, 4]\n', { 'content-type': 'application/jsonlines', accept: 'application/jsonlines' })).text).toBe('[1,2]\n[3,4]\n')
  expect((await sum.post('/invocations', '{"a": [1, 2], "tag": "p"}', { 'content-type': 'application/jsonlines', accept: 'application/jsonlines' })).text).toBe('{"sum":3,"name":"p"}\n')
  expect((await line.post('/invocations', '1\n2.5\n', csv)).text).toBe('3\n6\n')
})

describe('refusals', () => {
  test.each<[name: string, server: () => TestApp, type: string, body: string, status: number, message: string]>([
    ['a line of another width', () => flower, 'text/csv', '6,red,2\n6,red\n', 422, 'has 2 cells, the model has features: 3 (line 2)'],
    ['a wrong cell', () => flower, 'text/csv', '6,red,2\n6,pink,2\n', 422, 'must be one of red, blue (line 2)'],
    ['a header that names something else', () => flower, 'text/csv', 'length,colour,age\n6,red,2\n', 422, 'length must be a number'],
    ['no CSV', () => flower, 'text/csv', '"6,red', 400, 'not valid CSV'],
    ['an empty CSV', () => flower, 'text/csv', '', 400, 'The CSV is empty.'],
    ['a line that is no JSON', () => flower, 'application/jsonlines', '[6, "red", 2]\n\n[6, "red"\n{\n', 400, 'Every line must be JSON. line 3 is not valid JSON; line 4 is not valid JSON'],
    ['a wrong value in a line', () => flower, 'application/jsonlines', '[6, "red", 2]\n[6, "pink", 2]\n', 422, '/1/1 kind must be one of'],
    ['no lines', () => flower, 'application/jsonlines', '\n\n', 422, 'must have at least one row'],
    ['a CSV for several inputs', () => sum, 'text/csv', '1,2,p\n', 400, 'the model has several inputs'],
    ['a cell that is no number', () => echo, 'text/csv; header=absent', '1,2\n3,x\n', 400, '/1/1 must be a number that float32 can hold'],
    ['lines of unequal width', () => echo, 'text/csv', '1,2\n3\n', 400, '/1 is a list of 1, the first one has 2'],
    ['another type', () => flower, 'application/octet-stream', '1,2\n', 415, 'application/json'],
  ])('%s', async (_name, server, type, body, status, message) => {
    const answer = await server().post('/invocations', body, { 'content-type': type })
    expect(answer.body).toEqual({ error_code: expect.stringMatching(/^(BAD_REQUEST|INVALID_PARAMETER_VALUE)$/), message: expect.stringContaining(message) })
    expect(answer.status).toBe(status)
  })

  test('an Accept that names nothing of ours', async () => {
    expect(await flower.post('/invocations', '6,red,2\n', { 'content-type': 'text/csv', accept: 'image/png' })).toMatchObject({ status: 406, body: { message: expect.stringContaining('text/csv') } })
  })

  test('CSV of outputs that are no table', async () => {
    const total = await startApp({ 'total/1': totalFiles() }, SAGEMAKER)
    for (const [server, body] of [[total, '1,2\n'], [sum, '{"a": [1, 2], "tag": "p"}']] as const) {
      const type = server === sum ? 'application/jsonlines' : 'text/csv'
      expect(await server.post('/invocations', body, { 'content-type': type, accept: 'text/csv' })).toMatchObject({ status: 406 })
    }
    await total.close()
  })

  test('more lines than rows are allowed', async () => {
    const small = await startApp({ 'line/1.0.0': regressionFiles(), 'echo/1': echoFiles('float32'), 'repository.json': '{"default": "line"}' }, { ...SAGEMAKER, MAX_ROWS: '2' })
    for (const type of ['text/csv', 'application/jsonlines']) {
      expect(await small.post('/invocations', '1\n2\n3\n', { 'content-type': type })).toMatchObject({ status: 413, body: { message: expect.stringContaining('more than 2 rows') } })
    }
    await small.close()
  })
})

ruleEach('GET /execution-parameters', 'tells batch transform how much it may send: several records at once, BODY_LIMIT, and no more than 100 MB together', [
  ['unless told', '10mb', 10],
  ['a large limit', '1gb', 100],
  ['a small one', '500kb', 1],
], async (_example, limit, megabytes: number) => {
  const server = await startApp({}, { BODY_LIMIT: limit }, { load: false })
  const { body, status } = await server.get('/execution-parameters', { authorization: '' })
  await server.close()
  expect({ status, body }).toEqual({ status: 200, body: { MaxConcurrentTransforms: expect.any(Number), BatchStrategy: 'MULTI_RECORD', MaxPayloadInMB: megabytes } })
  expect(body.MaxConcurrentTransforms).toBeGreaterThanOrEqual(1)
  expect(body.MaxConcurrentTransforms * megabytes).toBeLessThanOrEqual(100)
})

const start = 'docker run IMAGE serve'
const image = ['dist/main.js', 'serve']

rule(start, 'serves the files of one version, unpacked from a model.tar.gz, on every address, without a token, and says so', async () => {
  const { path, remove } = await repository({ '': flowerFiles('iris', '3.1.0') })
  const server = startProcess({ SM_MODEL_DIR: path, SAGEMAKER_BIND_TO_PORT: '0', MODELS_DIR: '/nowhere' }, image)
  try {
    const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
    const url = `http://127.0.0.1:${port}`
    expect((await fetch(`${url}/ping`)).status).toBe(200)
    const answer = await fetch(`${url}/invocations`, { method: 'POST', headers: { 'content-type': 'text/csv', accept: 'text/csv' }, body: '6,red,2\n' })
    expect(await answer.text()).toBe('rose\n')
    expect(await (await fetch(`${url}/models`)).json()).toMatchObject({ models: [{ name: 'iris', serving: '3.1.0', default: true }] })
    await server.until(/"auth":"off","reason":"the platform checks who calls[^}]*started as SageMaker starts a container/)
    await server.until(/AUTH=off: anybody/)
    expect(server.stderr()).not.toContain('TOKEN=')
  } finally {
    await server.stop()
    await remove()
  }
})

rule(start, 'serves a repository too, with tokens where AUTH or a key is set', async () => {
  const { path, remove } = await repository({ 'line/1.0.0': regressionFiles() })
  const server = startProcess({ SM_MODEL_DIR: path, SAGEMAKER_BIND_TO_PORT: '0', JWT_SECRET: 'a secret of at least thirty-two bytes' }, image)
  try {
    const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
    const answer = await fetch(`http://127.0.0.1:${port}/invocations`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: '1\n' })
    expect(answer.status).toBe(401)
  } finally {
    await server.stop()
    await remove()
  }
})

test('a start with another argument ends with 1 and says what there is', async () => {
  const server = startProcess({}, ['dist/main.js', 'train'])
  expect(await server.exit()).toBe(1)
  expect(server.stderr()).toMatch(/^modelport: cannot do "train": .*\n$/)
})

table()
