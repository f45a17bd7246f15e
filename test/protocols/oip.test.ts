import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { floats, model, node } from '../../src/onnx/build.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { claims, jwt } from '../helpers/keys.ts'
import { type Files, flowerFiles, flowerProbabilities } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { requestRaw } from '../http/raw.ts'
import { echoModels, echoTypes, infer, post } from './oip-client.ts'

const { rule, ruleEach, table } = protocolTable('Open Inference Protocol v2')

const any = -1

/** Two inputs of a fixed shape without rows; two outputs. */
const pair: Files = {
  'model.onnx': model({
    graph: {
      inputs: [{ name: 'a', type: 'float32', shape: [3] }, { name: 'b', type: 'float32', shape: [3] }],
      outputs: [{ name: 'sum', type: 'float32', shape: [3] }, { name: 'difference', type: 'float32', shape: [3] }],
      nodes: [node('Add', ['a', 'b'], ['sum']), node('Sub', ['a', 'b'], ['difference'])],
    },
  }),
}

/** Gives NaN and infinities, and a scalar. */
const odd: Files = {
  'model.onnx': model({
    graph: {
      inputs: [{ name: 'x', type: 'float32', shape: ['rows', 2] }],
      outputs: [{ name: 'quotient', type: 'float32', shape: ['rows', 2] }, { name: 'total', type: 'float32', shape: [] }],
      nodes: [node('Div', ['x', 'zero'], ['quotient']), node('ReduceSum', ['x'], ['total'], { keepdims: 0n })],
      initializers: { zero: floats([0]) },
    },
  }),
}

/** Looks x up among three: the runtime refuses any other. */
const lookup: Files = {
  'model.onnx': model({
    graph: {
      inputs: [{ name: 'x', type: 'int64', shape: ['rows'] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['rows'] }],
      nodes: [node('Gather', ['secret_table', 'x'], ['y'])],
      initializers: { secret_table: floats([10, 20, 30]) },
    },
  }),
}

let server: TestApp
beforeAll(async () => {
  server = await startApp({
    'flower/1.0.0': flowerFiles(),
    'flower/2.0.0': flowerFiles('flower', '2.0.0'),
    'broken/1': { 'model.onnx': 'no graph' },
    'pair/1': pair,
    'odd/1': odd,
    'lookup/1': lookup,
    ...echoModels(),
  }, { DEFAULT_MODEL: 'flower', BODY_LIMIT: '1mb' })
})
afterAll(async () => { await server.close() })

const inferRoute = 'POST /v2/models/{m}/infer'
const flowerRow = { name: 'X', datatype: 'FP32', shape: [1, 4], data: [0.5, 1, 0, 2] }

rule('GET /v2', 'names the server, its version and the extensions that there are', async () => {
  expect((await server.get('/v2')).body).toEqual({ name: 'modelport', version: '0.0.0-test', extensions: expect.arrayContaining(['binary_tensor_data']) })
})

rule('GET /v2/health/live', 'is open, and 200 whatever the models do', async () => {
  const loading = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
  onTestFinished(() => loading.close())
  expect(await (await fetch(`${loading.url}/v2/health/live`)).json()).toEqual({ live: true })
})

rule('GET /v2/health/ready', 'is open; 503 while the models load', async () => {
  const loading = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
  onTestFinished(() => loading.close())
  const before = await fetch(`${loading.url}/v2/health/ready`)
  expect([before.status, await before.json()]).toEqual([503, { ready: false, error: expect.any(String) }])
  await loading.app.inference.registry.load(undefined)
  expect(await (await fetch(`${loading.url}/v2/health/ready`)).json()).toEqual({ ready: true })
})

rule('GET /v2/models', 'lists the names', async () => {
  expect((await server.get('/v2/models')).body.models).toEqual(expect.arrayContaining(['broken', 'flower', 'pair']))
})

rule('GET /v2/models/{m}', 'tells the inputs and outputs of the graph, -1 for a dimension of any size', async () => {
  expect((await server.get('/v2/models/odd')).body).toEqual({
    name: 'odd',
    versions: ['1'],
    platform: 'onnx_onnxv1',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [any, 2] }],
    outputs: [{ name: 'quotient', datatype: 'FP32', shape: [any, 2] }, { name: 'total', datatype: 'FP32', shape: [] }],
  })
})

rule('GET /v2/models/{m}', 'lists the versions that can be asked', async () => {
  expect((await server.get('/v2/models/flower')).body.versions).toEqual(['1.0.0', '2.0.0'])
})

rule('GET /v2/models/{m}', 'tells the features and labels of a model that has some, as parameters', async () => {
  const { inputs, parameters } = (await server.get('/v2/models/flower')).body
  expect(inputs).toEqual([{ name: 'X', datatype: 'FP32', shape: [any, 4] }])
  expect(parameters).toEqual({
    features: [
      { name: 'length', datatype: 'FP64', shape: [any], required: true },
      { name: 'kind', datatype: 'BYTES', shape: [any], required: true },
      { name: 'age', datatype: 'FP64', shape: [any], required: false },
    ],
    labels: ['rose', 'violet'],
  })
})

ruleEach('GET /v2/models/{m}', 'names the datatype of every tensor', Object.keys(echoTypes).map((datatype): [string] => [datatype]), async datatype => {
  expect((await server.get(`/v2/models/${datatype}`)).body.inputs).toEqual([{ name: 'x', datatype, shape: [] }])
})

rule('GET /v2/models/{m}/versions/{v}', 'is one version', async () => {
  expect((await server.get('/v2/models/flower/versions/1.0.0')).body.name).toBe('flower')
  expect((await server.get('/v2/models/flower/versions/3')).body).toEqual({ error: 'The model flower has no version "3"; it has 1.0.0, 2.0.0.' })
})

rule('GET /v2/models/{m}[/versions/{v}]/ready', '200 where it can answer', async () => {
  expect((await server.get('/v2/models/flower/ready')).body).toEqual({ name: 'flower', version: '2.0.0', ready: true })
  expect((await server.get('/v2/models/flower/versions/1.0.0/ready')).body).toEqual({ name: 'flower', version: '1.0.0', ready: true })
})

rule('GET /v2/models/{m}[/versions/{v}]/ready', '503 where it cannot, 404 where there is none', async () => {
  const loading = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
  onTestFinished(() => loading.close())
  for (const answer of [await loading.get('/v2/models/flower/ready'), await server.get('/v2/models/broken/ready'), await server.get('/v2/models/broken/versions/1/ready')]) {
    expect([answer.status, answer.body]).toEqual([503, { error: expect.any(String) }])
  }
  expect((await server.get('/v2/models/rose/ready')).status).toBe(404)
})

rule('POST /v2/models/{m}[/versions/{v}]/infer', 'runs the version that answers, or the one that is named', async () => {
  expect((await infer(server, 'flower', { inputs: [flowerRow] })).body).toMatchObject({ model_name: 'flower', model_version: '2.0.0' })
  expect((await infer(server, 'flower/versions/1.0.0', { inputs: [flowerRow] })).body).toMatchObject({ model_name: 'flower', model_version: '1.0.0' })
})

rule(inferRoute, 'answers every output of the graph, the preprocessor left out', async () => {
  const [p, q] = flowerProbabilities(6, 'red', 2)
  expect((await infer(server, 'flower', { inputs: [flowerRow] })).body.outputs).toEqual([
    { name: 'label', datatype: 'INT64', shape: [1], data: [0] },
    { name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: [expect.closeTo(p, 6), expect.closeTo(q, 6)] },
  ])
})

ruleEach(inferRoute, 'takes nested and flat data', [
  ['flat', [1, 2, 3, 4, 5, 6, 7, 8]],
  ['nested', [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]],
], async (_, data) => {
  const answer = await infer(server, 'FP32', { inputs: [{ datatype: 'FP32', shape: [2, 2, 2], data }] })
  expect(answer.body.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [2, 2, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] }])
})

ruleEach(inferRoute, 'takes every datatype, to the ends of its range', [
  ['BOOL', [true, false]],
  ['INT8', [-128, 127]],
  ['INT16', [-32768, 32767]],
  ['INT32', [-2147483648, 2147483647]],
  ['UINT8', [0, 255]],
  ['UINT16', [0, 65535]],
  ['UINT32', [0, 4294967295]],
  ['FP16', [65504, -6.104e-5]],
  ['FP32', [3.4028235e38, -1.1754944e-38]],
  ['FP64', [1.7976931348623157e308, 5e-324]],
  ['BYTES', ['', 'größer 🌷 "x"\n']],
], async (datatype, data) => {
  const [output] = (await infer(server, datatype, { inputs: [{ datatype, shape: [2], data }] })).body.outputs
  expect(output).toMatchObject({ datatype, shape: [2] })
  if (datatype.startsWith('FP')) data.forEach((value, i) => expect(output.data[i] / Number(value)).toBeCloseTo(1, datatype === 'FP16' ? 3 : 6))
  else expect(output.data).toEqual(data)
})

ruleEach(inferRoute, 'keeps 64-bit integers beyond 2^53 exact', [
  ['INT64', ['-9223372036854775808', '9007199254740993', '9223372036854775807']],
  ['UINT64', ['18446744073709551615', '9007199254740993', '7']],
], async (datatype, digits) => {
  // No JavaScript number holds these: the texts are what counts.
  const text = `{"id": "12345678901234567890", "inputs": [{"name": "x", "datatype": "${datatype}", "shape": [3, 1], "data": [[${digits.join('], [')}]]}]}`
  const response = await fetch(`${server.url}/v2/models/${datatype}/infer`, { method: 'POST', body: Buffer.from(text), headers: { authorization: `Bearer ${server.token}` } })
  expect(await response.text()).toBe(`{"model_name":"${datatype}","model_version":"1","id":"12345678901234567890","outputs":[{"name":"y","datatype":"${datatype}","shape":[3,1],"data":[${digits.join(',')}]}]}`)
})

rule(inferRoute, 'answers NaN and the infinities as null, and takes null as NaN', async () => {
  const answer = await infer(server, 'odd', { inputs: [{ datatype: 'FP32', shape: [2, 2], data: [0, 1, -1, null] }] })
  expect(answer.body.outputs).toEqual([
    { name: 'quotient', datatype: 'FP32', shape: [2, 2], data: [null, null, null, null] },
    { name: 'total', datatype: 'FP32', shape: [], data: [null] },
  ])
})

rule(inferRoute, 'takes and answers tensors without rows', async () => {
  const answer = await infer(server, 'flower', { inputs: [{ name: 'X', datatype: 'FP32', shape: [0, 4], data: [] }] })
  expect(answer.body.outputs).toEqual([{ name: 'label', datatype: 'INT64', shape: [0], data: [] }, { name: 'probabilities', datatype: 'FP32', shape: [0, 2], data: [] }])
})

ruleEach(inferRoute, 'takes and answers scalars', [['in a list', [7]], ['bare', 7]], async (_, data) => {
  const answer = await infer(server, 'INT32', { inputs: [{ datatype: 'INT32', shape: [], data }] })
  expect(answer.body.outputs).toEqual([{ name: 'y', datatype: 'INT32', shape: [], data: [7] }])
})

rule(inferRoute, 'takes several inputs in any order, fixed shapes and models without rows', async () => {
  const [a, b] = [{ name: 'a', datatype: 'FP32', shape: [3], data: [1, 2, 3] }, { name: 'b', datatype: 'FP32', shape: [3], data: [10, 20, 30] }]
  const { outputs } = (await infer(server, 'pair', { inputs: [b, a] })).body
  expect(outputs.map((output: { data: number[] }) => output.data)).toEqual([[11, 22, 33], [-9, -18, -27]])
})

rule(inferRoute, 'answers the chosen outputs in the order in which they were asked for', async () => {
  const inputs = ['a', 'b'].map(name => ({ name, datatype: 'FP32', shape: [3], data: [1, 2, 3] }))
  const names = async (outputs: object[]): Promise<string[]> => (await infer(server, 'pair', { inputs, outputs })).body.outputs.map((output: { name: string }) => output.name)
  expect(await names([{ name: 'difference' }, { name: 'sum' }])).toEqual(['difference', 'sum'])
  expect(await names([{ name: 'difference' }])).toEqual(['difference'])
  expect(await names([])).toEqual(['sum', 'difference'])
})

rule(inferRoute, 'gives the id back, and has none where none was sent', async () => {
  expect((await infer(server, 'flower', { id: 'a "7"', inputs: [flowerRow] })).body.id).toBe('a "7"')
  expect((await infer(server, 'flower', { inputs: [flowerRow] })).body).not.toHaveProperty('id')
})

rule(inferRoute, 'leaves alone parameters and members that it does not know', async () => {
  const answer = await server.post('/v2/models/flower/infer', {
    model_name: 'x', parameters: { priority: 1, sequence_id: 7 }, inputs: [{ ...flowerRow, parameters: { content_type: 'np' } }], outputs: [{ name: 'label', parameters: { y: 1 } }],
  })
  expect(answer.status).toBe(200)
})

ruleEach(inferRoute, 'takes the features as named columns, and validates and encodes them', [['[N]', [2]], ['[N, 1]', [2, 1]]], async (_, shape) => {
  const inputs = [{ name: 'kind', datatype: 'BYTES', shape, data: shape.length === 1 ? ['red', 'blue'] : [['red'], ['blue']] }, { name: 'length', datatype: 'FP64', shape, data: [6, 2] }]
  const { outputs } = (await infer(server, 'flower', { inputs, outputs: [{ name: 'probabilities' }] })).body
  expect(outputs[0].data).toEqual([...flowerProbabilities(6, 'red'), ...flowerProbabilities(2, 'blue')].map(p => expect.closeTo(p, 6)))
})

ruleEach(inferRoute, '422 for a column that does not fit its feature, with the place of the value', [
  ['not in the enum', { name: 'kind', datatype: 'BYTES', shape: [2], data: ['red', 'green'] }, '/inputs/1/data/1 kind must be one of red, blue'],
  ['missing', undefined, '/inputs kind is required'],
], async (_, column, words) => {
  const length = { name: 'length', datatype: 'FP64', shape: [2], data: [6, 2] }
  const answer = await infer(server, 'flower', { inputs: column === undefined ? [length] : [length, column] })
  expect([answer.status, answer.body]).toEqual([422, { error: expect.stringContaining(words) }])
})

ruleEach(inferRoute, '400 for what the model does not take, in the protocol\'s words', [
  ['another datatype', 'pair', [{ name: 'a', datatype: 'FP64', shape: [3], data: [1, 2, 3] }], 'The input "a" takes FP32, not FP64.'],
  ['another shape', 'flower', [{ ...flowerRow, shape: [2, 2] }], 'The input "X" takes the shape [-1, 4], not [2, 2]; -1 is any size.'],
  ['an unknown input', 'odd', [{ name: 'z', datatype: 'FP32', shape: [1, 2], data: [1, 2] }], 'no input "z"'],
  ['a missing input', 'pair', [{ name: 'a', datatype: 'FP32', shape: [3], data: [1, 2, 3] }], '"b" is missing'],
  ['no input at all', 'pair', [], '"a" is missing'],
  ['an input twice', 'pair', ['a', 'a'].map(name => ({ name, datatype: 'FP32', shape: [3], data: [1, 2, 3] })), '/inputs/1 ("a") occurs twice.'],
  ['an input called __proto__', 'pair', [{ name: '__proto__', datatype: 'FP32', shape: [3], data: [1, 2, 3] }], '__proto__'],
], async (_, name, inputs, words) => {
  const answer = await infer(server, name, { inputs })
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining(words) }])
})

rule(inferRoute, '400 for values that the runtime refuses, without the inside of the model', async () => {
  const answer = await infer(server, 'lookup', { inputs: [{ datatype: 'INT64', shape: [2], data: [1, 999] }] })
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining('cannot run these values') }])
  expect(answer.body.error).not.toMatch(/\/|\.cc/)
})

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
const tensor = (text: string): string => `{"inputs": [{"name": "x", "datatype": "INT8", ${text}}]}`

ruleEach(inferRoute, '400 for malformed JSON, naming the place', [
  ['cut off', '{"inputs": [', 'not valid JSON'],
  ['empty', '', 'empty'],
  ['not UTF-8', Buffer.from('{"inputs": "ü"}', 'latin1'), 'UTF-8'],
  ['a list', '[]', 'must be an object'],
  ['no inputs', '{}', '/inputs must be a list of tensors, not nothing.'],
  ['inputs that are an object', '{"inputs": {}}', '/inputs'],
  ['an input that is null', '{"inputs": [null]}', '/inputs/0 must be an object, not null.'],
  ['an input without a name', '{"inputs": [{}]}', '/inputs/0/name'],
  ['an id that is a number', '{"id": 7, "inputs": []}', '/id must be a text, not 7.'],
  ['an unknown datatype', '{"inputs": [{"name": "x", "datatype": "FP23", "shape": [], "data": []}]}', '/inputs/0/datatype ("x") must be one of BOOL, INT8'],
  ['a datatype in small letters', '{"inputs": [{"name": "x", "datatype": "int8", "shape": [], "data": []}]}', '/inputs/0/datatype'],
  ['a datatype called constructor', '{"inputs": [{"name": "x", "datatype": "constructor", "shape": [], "data": []}]}', '/inputs/0/datatype'],
  ['no shape', tensor('"data": [1]'), '/inputs/0/shape ("x") must be a list of dimensions, not nothing.'],
  ['a negative dimension', tensor('"shape": [-1], "data": [1]'), '/inputs/0/shape/0 ("x") must be a whole number from 0, not -1.'],
  ['half a dimension', tensor('"shape": [1.5], "data": [1]'), '/inputs/0/shape/0'],
  ['a dimension that is a text', tensor('"shape": ["1"], "data": [1]'), '/inputs/0/shape/0'],
  ['a dimension beyond all numbers', tensor('"shape": [1e300], "data": [1]'), '/inputs/0/shape/0'],
  ['a huge dimension', tensor('"shape": [9007199254740991], "data": [1]'), 'must have 9007199254740991 values'],
  ['dimensions whose product is beyond counting', tensor('"shape": [4294967296, 4294967296, 4294967296], "data": []'), 'is too large'],
  ['the same with a 0 among them', tensor('"shape": [0, 4294967296, 4294967296, 4294967296], "data": []'), 'is too large'],
  ['more dimensions than there are', tensor(`"shape": [${new Array(70).fill(1).join()}], "data": [1]`), 'has 70 dimensions'],
  ['no data', tensor('"shape": [1]'), 'has neither data nor'],
  ['data that is an object', tensor('"shape": [1], "data": {"0": 1}'), '/inputs/0/data ("x") must be a list, not an object.'],
  ['too few values', tensor('"shape": [2, 2], "data": [1, 2, 3]'), 'must have 4 values for the shape [2, 2], not 3'],
  ['lists of the wrong length', tensor('"shape": [2, 2], "data": [[1, 2], [3]]'), '/inputs/0/data/1 ("x") must be a list of 2'],
  ['a value among lists', tensor('"shape": [2, 2], "data": [[1, 2], 3]'), '/inputs/0/data/1'],
  ['lists deeper than the shape', tensor('"shape": [1, 1], "data": [[[1]]]'), '/inputs/0/data/0/0 ("x") must be a whole number'],
  ['deep nesting', tensor(`"shape": [1], "data": ${deep(100_000)}`), '/inputs/0/data'],
  ['deep nesting elsewhere', `{"inputs": ${deep(100_000)}}`, '/inputs/0 must be an object, not a list.'],
  ['parameters that are a list', '{"parameters": [], "inputs": []}', '/parameters must be an object'],
  ['a flag that is a text', '{"parameters": {"binary_data_output": "yes"}, "inputs": []}', '/parameters/binary_data_output must be true or false'],
  ['shared memory', tensor('"shape": [1], "parameters": {"shared_memory_region": "r"}'), 'shared memory'],
  ['outputs that are an object', '{"inputs": [], "outputs": {}}', '/outputs must be a list'],
  ['an output that is a text', '{"inputs": [], "outputs": ["y"]}', '/outputs/0 must be an object'],
  ['an unknown output', '{"inputs": [], "outputs": [{"name": "z"}]}', '/outputs/0 ("z") is no output of the model; its outputs are "y".'],
  ['an output twice', '{"inputs": [], "outputs": [{"name": "y"}, {"name": "y"}]}', '/outputs/1 ("y") occurs twice.'],
  ['classification', '{"inputs": [], "outputs": [{"name": "y", "parameters": {"classification": 2}}]}', 'not supported'],
], async (_, body, words) => {
  const answer = await post(server, 'INT8', Buffer.from(body as string))
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining(words) }])
})

ruleEach(inferRoute, '400 for a value that is not of its datatype, naming its place', [
  ['BOOL', '2', 'true or false'],
  ['BOOL', '"true"', 'true or false'],
  ['INT8', '128', 'from -128 to 127 (INT8), not 128.'],
  ['INT16', '-32769', 'from -32768'],
  ['INT32', '0.5', 'whole number'],
  ['INT32', 'null', 'not null'],
  ['UINT8', '-1', 'from 0 to 255'],
  ['UINT32', '4294967296', 'to 4294967295'],
  ['INT64', '9223372036854775808', 'to 9223372036854775807'],
  ['INT64', '1e400', 'whole number'],
  ['INT64', '1e19', 'in digits'],
  ['INT64', `1${'0'.repeat(100_000)}`, 'to 9223372036854775807'],
  ['UINT64', '-1', 'from 0'],
  ['UINT64', '18446744073709551616', 'to 18446744073709551615'],
  ['UINT64', '"7"', 'not "7"'],
  ['FP16', '65520', 'from -65504 to 65504'],
  ['FP32', '1e39', 'is too large for float32'],
  ['FP32', '"NaN"', 'must be a number or null'],
  ['FP64', '1e999', 'is too large for float64'],
  ['FP64', 'true', 'must be a number or null'],
  ['BYTES', '7', 'must be a text'],
  ['BYTES', 'null', 'must be a text'],
  ['BYTES', '"a\\u0000b"', 'U+0000'],
  ['BYTES', '"\\ud83c"', 'surrogate'],
] as const, async (datatype, value, words) => {
  const good = { BOOL: 'false', BYTES: '""' }[datatype as string] ?? '1'
  const answer = await post(server, datatype, Buffer.from(`{"inputs": [{"name": "x", "datatype": "${datatype}", "shape": [2, 2], "data": [[${good}, ${good}], [${value}, ${good}]]}]}`))
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining(words) }])
  expect(answer.body.error).toContain('/inputs/0/data/1/0 ("x")')
})

ruleEach('/v2/…', 'answers with a slash at the end as without', [
  ['/v2'], ['/v2/health/live'], ['/v2/health/ready'], ['/v2/models'], ['/v2/models/flower'], ['/v2/models/flower/ready'], ['/v2/models/flower/versions/1.0.0'],
], async path => {
  expect((await server.get(`${path}/`)).body).toEqual((await server.get(path)).body)
})

rule('/v2/…', 'answers a post with a slash at the end as without', async () => {
  expect((await server.post('/v2/models/flower/infer/', { inputs: [flowerRow] })).status).toBe(200)
})

ruleEach('/v2/…', 'tells every error as {"error": "…"}', [
  ['no such route', 'GET /v2/nothing', 404],
  ['no such model', 'GET /v2/models/rose', 404],
  ['a model called __proto__', 'GET /v2/models/__proto__', 404],
  ['a model that is a path', 'GET /v2/models/..%2fflower', 404],
  ['another method', 'GET /v2/models/flower/infer', 405],
  ['another method', 'DELETE /v2/models/flower', 405],
  ['no body', 'POST /v2/models/flower/infer', 400],
] as const, async (_, line, status) => {
  const answer = await requestRaw(server.url, line, { authorization: `Bearer ${server.token}` })
  expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String) }])
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
})

rule('/v2/…', 'asks for the scope predict, but for health', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  const other = await startApp({ 'flower/1.0.0': flowerFiles() }, { JWT_SECRET: secret })
  onTestFinished(() => other.close())
  const withScope = (scope: string): Record<string, string> => ({ authorization: `Bearer ${jwt(claims({ scope }), secret)}` })
  for (const path of ['/v2', '/v2/models', '/v2/models/flower', '/v2/models/flower/ready']) {
    const refused = await fetch(other.url + path)
    expect([refused.status, await refused.json()]).toEqual([401, { error: expect.any(String) }])
    expect((await other.get(path, withScope('metrics'))).status).toBe(403)
    expect((await other.get(path, withScope('predict'))).status).toBe(200)
  }
})

ruleEach(inferRoute, '415 for a body of another type', [['text/plain'], ['application/x-www-form-urlencoded'], ['text/csv']], async type => {
  const answer = await infer(server, 'flower', { inputs: [flowerRow] }, { 'content-type': type })
  expect([answer.status, answer.body]).toEqual([415, { error: expect.stringContaining('application/octet-stream') }])
})

ruleEach(inferRoute, 'takes a body of these types', [['application/json'], ['application/json; charset=utf-8'], ['application/octet-stream'], ['none']], async type => {
  expect((await infer(server, 'flower', { inputs: [flowerRow] }, type === 'none' ? {} : { 'content-type': type })).status).toBe(200)
})

rule(inferRoute, '413 for a body above the limit, announced or not', async () => {
  const body = Buffer.alloc(1_100_000, ' ')
  expect(await post(server, 'flower', body)).toMatchObject({ status: 413, body: { error: expect.stringContaining('BODY_LIMIT') } })
  const head = { authorization: `Bearer ${server.token}`, 'transfer-encoding': 'chunked' }
  const chunked = await requestRaw(server.url, 'POST /v2/models/flower/infer', head, `${body.length.toString(16)}\r\n${body.toString()}\r\n0\r\n\r\n`)
  expect([chunked.status, chunked.body]).toEqual([413, { error: expect.any(String) }])
})

rule(inferRoute, '503 while the model loads', async () => {
  const loading = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
  onTestFinished(() => loading.close())
  const answer = await infer(loading, 'flower', { inputs: [flowerRow] })
  expect([answer.status, answer.body, answer.headers.get('retry-after')]).toEqual([503, { error: expect.any(String) }, '1'])
})

rule('GET /docs/json', 'has every route with this protocol\'s errors, and an example of the model', async () => {
  const { paths } = (await server.get('/docs/json')).body
  for (const path of ['/v2', '/v2/health/live', '/v2/health/ready', '/v2/models', '/v2/models/{name}', '/v2/models/{name}/ready', '/v2/models/{name}/versions/{version}/infer']) expect(paths).toHaveProperty([path])
  const { post: operation } = paths['/v2/models/{name}/infer']
  expect(JSON.stringify(operation)).not.toContain('problem+json')
  const { flower } = operation.requestBody.content['application/json'].examples
  expect((await server.post('/v2/models/flower/infer', flower.value)).status).toBe(200)
})

table()
