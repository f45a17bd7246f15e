import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TensorType } from '../../src/tensor.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles, flowerOnnx, flowerPreprocessor, flowerProbabilities, regressionFiles, withManifest } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { echoFiles, lookUpFiles, sumFiles, totalFiles } from './tensor-models.ts'

const { rule, ruleEach, table } = protocolTable('TensorFlow Serving v1')
const predictRoute = 'POST /v1/models/{m}[/versions/{v}|/labels/{alias}]:predict'
const statusRoute = 'GET /v1/models/{m}[/versions/{v}|/labels/{alias}]'

const types: TensorType[] = ['float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool', 'string']

let server: TestApp

beforeAll(async () => {
  const echoes = types.map(type => [`${type}/1`, echoFiles(type)] as const)
  server = await startApp({
    ...Object.fromEntries(echoes),
    'flower/1.0.0': flowerFiles(),
    'flower/1.1.0': flowerFiles('flower', '1.1.0'),
    'flower/2.0.0': { ...flowerFiles('flower', '2.0.0'), 'model.onnx': 'cut off' },
    'flower/aliases.json': '{"production": "1.1.0", "canary": {"version": "1.0.0", "weight": 0.1}, "stable": "1.0.0"}',
    'line/1.0.0': regressionFiles(),
    'sum/1': sumFiles(),
    'total/1': totalFiles(),
    'lookUp/1': lookUpFiles(),
    'b64/1': echoFiles('string', 'b64'),
    'classes/1.0.0': withManifest({ 'model.onnx': flowerOnnx(), 'preprocessor.json': flowerPreprocessor }, { name: 'classes', outputs: { label: 'label' } }),
  })
})

afterAll(() => server.close())

async function call (path: string, body: unknown): Promise<unknown> {
  const answer = await server.post(`/v1/models/${path}`, body)
  expect(answer.body ?? answer.text).not.toHaveProperty('error')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  return answer.body
}

const close = (expected: readonly number[]): unknown[] => expected.map(p => expect.closeTo(p, 6) as unknown)

ruleEach(predictRoute, 'answers rows (`instances`) with `predictions`: objects by output name, or bare values where there is one output', [
  ['by name', 'flower', { instances: [{ length: 6, kind: 'red', age: 2 }] }, [{ prediction: 0, class_name: 'rose', probabilities: close(flowerProbabilities(6, 'red', 2)) }]],
  ['by name, values in lists', 'flower', { instances: [{ length: [6], kind: ['red'], age: [2] }] }, [{ prediction: 0, class_name: 'rose', probabilities: close(flowerProbabilities(6, 'red', 2)) }]],
  ['in order', 'flower', { signature_name: 'serving_default', instances: [[2, 'blue', null]] }, [{ prediction: 1, class_name: 'violet', probabilities: close(flowerProbabilities(2, 'blue')) }]],
  ['one feature', 'line', { instances: [1.0, 2.0, 5.0] }, [3, 5, 11]],
  ['no probabilities', 'classes', { instances: [[2, 'blue', null]] }, [{ prediction: 1, class_name: 'violet' }]],
  ['one tensor', 'float32', { instances: [[1, 2], [3, 0.95]] }, [[1, 2], [3, 0.95]]],
  ['one tensor by name', 'float32', { instances: [{ X: [1, 2] }, { X: [3, 4] }] }, [[1, 2], [3, 4]]],
  ['several tensors', 'sum', { instances: [{ a: [1, 2], tag: 'p' }, { tag: 'q', a: [3, 4] }] }, [{ sum: 3, name: 'p' }, { sum: 7, name: 'q' }]],
] as const, async (_example, name: string, body: object, predictions: unknown) => {
  expect(await call(`${name}:predict`, body)).toEqual({ predictions })
})

ruleEach(predictRoute, 'answers columns (`inputs`) with `outputs`: lists by output name, or bare where there is one output', [
  ['columns of features', 'flower', { inputs: { length: [6, 2], kind: ['red', 'blue'], age: [2, null] } },
    { prediction: [0, 1], class_name: ['rose', 'violet'], probabilities: [close(flowerProbabilities(6, 'red', 2)), close(flowerProbabilities(2, 'blue'))] }],
  ['columns of one value each', 'line', { inputs: { x: [[1], [2]] } }, [3, 5]],
  ['rows in order', 'line', { inputs: [1, 2] }, [3, 5]],
  ['one tensor', 'float32', { inputs: [[1, 2]] }, [[1, 2]]],
  ['one tensor by name', 'float32', { inputs: { X: [[1, 2]] } }, [[1, 2]]],
  ['several tensors', 'sum', { inputs: { a: [[1, 2]], tag: ['p'] } }, { sum: [3], name: ['p'] }],
  ['an output without rows', 'total', { inputs: [[1, 2], [3, 4]] }, 10],
] as const, async (_example, name: string, body: object, outputs: unknown) => {
  expect(await call(`${name}:predict`, body)).toEqual({ outputs })
})

ruleEach(predictRoute, 'takes and gives every type of tensor; a whole number beyond 2^53 as a text of its digits, NaN as null', [
  ['float16', [[1.5, null], [65504, -0.25]], undefined],
  ['float32', [[0.1, null], [3.4028234663852886e38, 1e-45]], '[[0.1,null],[3.4028234663852886e+38,1.401298e-45]]'],
  ['float64', [[0.1, null], [1.7976931348623157e308, 5e-324]], undefined],
  ['int8', [[-128, 127]], undefined],
  ['int16', [[-32768, 32767]], undefined],
  ['int32', [[-2147483648, 2147483647]], undefined],
  ['int64', [['-9223372036854775808', '9007199254740993']], '[[-9223372036854775808,9007199254740993]]'],
  ['uint8', [[0, 255]], undefined],
  ['uint16', [[0, 65535]], undefined],
  ['uint32', [[0, 4294967295]], undefined],
  ['uint64', [[0, '18446744073709551615']], '[[0,18446744073709551615]]'],
  ['bool', [[true, false]], undefined],
  ['string', [['ä\n"', '']], undefined],
] as const, async (type, values: readonly (readonly unknown[])[], text: string | undefined) => {
  const answer = await server.post(`/v1/models/${type}:predict`, { inputs: values })
  expect(answer.text).toBe(`{"outputs":${text ?? JSON.stringify(values)}}`)
})

rule(predictRoute, 'takes texts as `{"b64": …}`, also of an input that is called b64', async () => {
  const hello = { b64: Buffer.from('héllo').toString('base64') }
  expect(await call('string:predict', { instances: [[hello, 'plain']] })).toEqual({ predictions: [['héllo', 'plain']] })
  expect(await call('b64:predict', { instances: [{ b64: [hello, 'plain'] }] })).toEqual({ predictions: [['héllo', 'plain']] })
})

rule(predictRoute, 'takes NaN and Infinity as numbers, and answers what is none as null', async () => {
  expect(await call('float32:predict', '{"instances": [[NaN, Infinity], [-Infinity, 1]]}')).toEqual({ predictions: [[null, null], [null, 1]] })
})

ruleEach(predictRoute, 'means the version or the label that the address names, else the one in production', [
  ['no version', 'flower:predict'],
  ['a version', 'flower/versions/1.0.0:predict'],
  ['a label', 'flower/labels/canary:predict'],
  ['an escaped colon', 'flower%3Apredict'],
], async (_example, path: string) => {
  const answer = await server.post(`/v1/models/${path}`, { inputs: { length: [6], kind: ['red'] } }, { 'x-request-id': `to-${path.length}` })
  expect(answer).toMatchObject({ status: 200, body: { outputs: { class_name: ['rose'] } } })
  const logged = (): unknown => server.logs.find(line => line['request_id'] === `to-${path.length}`)
  await expect.poll(logged).toMatchObject({ model: 'flower', version: /versions|labels/.test(path) ? '1.0.0' : '1.1.0' })
})

rule(predictRoute, 'reads JSON whatever content-type says, as curl names another one', async () => {
  const answer = await server.post('/v1/models/line:predict', '{"instances": [1]}', { 'content-type': 'application/x-www-form-urlencoded' })
  expect(answer.body).toEqual({ predictions: [3] })
  expect(answer.headers.get('server-timing')).toMatch(/run;dur=/)
  expect((await server.get('/metrics')).text).toMatch(/modelport_requests_total\{[^}]*model="line"[^}]*protocol="tfserving"[^}]*\} [1-9]/)
})

rule('POST …:classify', 'answers for each of `examples` its classes with their scores; `context` is part of each', async () => {
  const { results } = await call('flower:classify', { context: { kind: 'red' }, examples: [{ length: 6, age: 2 }, { length: 5.5 }] }) as { results: [string, number][][] }
  const expected = [flowerProbabilities(6, 'red', 2), flowerProbabilities(5.5, 'red')]
  expect(results).toEqual(expected.map(([rose, violet]) => [['rose', expect.closeTo(rose, 6)], ['violet', expect.closeTo(violet, 6)]]))
})

rule('POST …:regress', 'answers a number for each of `examples`', async () => {
  expect(await call('line:regress', { signature_name: 'tensorflow/serving/regress', examples: [{ x: 1.0 }, { x: 2 }] })).toEqual({ results: [3, 5] })
})

rule(statusRoute, 'lists the states of the versions, newest first; of one where the address names it', async () => {
  const status = (version: string, state: string, code = 'OK', message = ''): object => ({ version, state, status: { error_code: code, error_message: message } })
  expect((await server.get('/v1/models/flower')).body).toEqual({
    model_version_status: [status('2.0.0', 'END', 'FAILED_PRECONDITION', 'HASH_MISMATCH'), status('1.1.0', 'AVAILABLE'), status('1.0.0', 'AVAILABLE')],
  })
  for (const path of ['versions/1.0.0', 'labels/stable', 'labels/canary']) {
    expect((await server.get(`/v1/models/flower/${path}`)).body).toEqual({ model_version_status: [status('1.0.0', 'AVAILABLE')] })
  }
})

rule(`${statusRoute}/metadata`, 'names inputs and outputs, features and answers where there are features', async () => {
  const info = (name: string, dtype: string, ...shape: string[]): object =>
    ({ [name]: { dtype, tensor_shape: { dim: shape.map(size => ({ size, name: '' })), unknown_rank: false }, name } })
  expect((await server.get('/v1/models/sum/metadata')).body).toEqual({
    model_spec: { name: 'sum', signature_name: '', version: '1' },
    metadata: {
      signature_def: {
        signature_def: {
          serving_default: {
            inputs: { ...info('a', 'DT_FLOAT', '-1', '2'), ...info('tag', 'DT_STRING', '-1') },
            outputs: { ...info('sum', 'DT_FLOAT', '-1'), ...info('name', 'DT_STRING', '-1') },
            method_name: 'tensorflow/serving/predict',
            defaults: {},
          },
        },
      },
    },
  })
  const { body } = await server.get('/v1/models/flower/labels/stable/metadata')
  expect(body).toMatchObject({ model_spec: { version: '1.0.0' } })
  expect(body.metadata.signature_def.signature_def.serving_default).toMatchObject({
    inputs: { ...info('length', 'DT_DOUBLE', '-1'), ...info('kind', 'DT_STRING', '-1') },
    outputs: { ...info('prediction', 'DT_INT64', '-1'), ...info('class_name', 'DT_STRING', '-1'), ...info('probabilities', 'DT_DOUBLE', '-1', '2') },
  })
})

describe('refusals', () => {
  test.each<[name: string, path: string, body: unknown, status: number, message: string]>([
    ['an unknown model', 'rose:predict', { instances: [1] }, 404, 'There is no model "rose"'],
    ['an unknown version', 'flower/versions/9:predict', { instances: [1] }, 404, 'no version "9"'],
    ['a version that is not served', 'flower/versions/2.0.0:predict', { instances: [1] }, 503, 'HASH_MISMATCH'],
    ['an unknown label', 'flower/labels/beta:predict', { instances: [1] }, 404, 'beta'],
    ['an unknown verb', 'flower:guess', { instances: [1] }, 404, 'no such route'],
    ['a name that cannot be', 'a%2F..%2Fb:predict', { instances: [1] }, 404, 'There is no model'],
    ['no JSON', 'flower:predict', '{', 400, 'not valid JSON'],
    ['no body', 'flower:predict', '', 400, 'The body is empty.'],
    ['no object', 'flower:predict', 'null', 400, 'must be an object with instances or inputs'],
    ['a list', 'flower:predict', [], 400, 'must be an object with instances or inputs'],
    ['neither form', 'flower:predict', {}, 400, 'must have either "instances" or "inputs"'],
    ['both forms', 'flower:predict', { instances: [1], inputs: [1] }, 400, 'must have either "instances" or "inputs"'],
    ['an unknown member', 'flower:predict', { instance: [1] }, 400, '/instance is not known here'],
    ['another signature', 'flower:predict', { signature_name: 'other', instances: [1] }, 400, '/signature_name must be serving_default'],
    ['a signature that is no text', 'flower:predict', { signature_name: {}, instances: [1] }, 400, '/signature_name must be serving_default'],
    ['instances that are no list', 'flower:predict', { instances: { length: 6 } }, 400, '/instances must be a list of rows'],
    ['a wrong value', 'flower:predict', { instances: [[6, 'red', 1], { length: 6, kind: 'pink' }] }, 422, '/instances/1/kind must be one of red, blue'],
    ['a wrong value in a list', 'flower:predict', { instances: [[6, 'red', 1], [99, 'red', 1]] }, 422, '/instances/1/0 length must be'],
    ['a wrong value in a column', 'flower:predict', { inputs: { length: [6], kind: ['pink'] } }, 422, '/inputs/kind/0 must be one of'],
    ['no instances', 'flower:predict', { instances: [] }, 422, '/instances must have at least one row'],
    ['a tensor without rows in rows', 'total:predict', { instances: [[1, 2]] }, 400, 'do not come in rows: total []'],
    ['lists of unequal length', 'float32:predict', { instances: [[1, 2], [3, 4, 5]] }, 400, '/instances/1 is a list of 3, the first one has 2'],
    ['rows of unequal shape', 'sum:predict', { instances: [{ a: [1, 2], tag: 'p' }, { a: [1], tag: 'q' }] }, 400, '/instances/1/a is a list of 1, the first one has 2'],
    ['a wrong element', 'sum:predict', { instances: [{ a: [1, 2], tag: 'p' }, { a: [1, true], tag: 'q' }] }, 400, '/instances/1/a/1 must be a number that float32 can hold, or null for NaN, not a boolean'],
    ['an unknown input', 'sum:predict', { instances: [{ a: [1, 2], tag: 'p', b: 1 }] }, 400, '/instances/0/b is not an input'],
    ['an unknown input of the only one', 'float32:predict', { instances: [{ Z: [1, 2] }] }, 400, '/instances/0/Z is not an input; the inputs are X'],
    ['inputs without names for several', 'sum:predict', { inputs: [[1, 2]] }, 400, '/inputs must be an object with the inputs a, tag'],
    ['another width', 'float32:predict', { instances: [[1, 2, 3]] }, 400, ''],
    ['too few dimensions', 'float32:predict', { instances: [1, 2] }, 400, '/instances has lists 1 deep, the model takes them 2 deep'],
    ['an integer out of range', 'int8:predict', { inputs: [[1, 128]] }, 400, '/inputs/0/1 must be a whole number from -128 to 127, not 128'],
    ['a fraction', 'int32:predict', { inputs: [[1, 1.5]] }, 400, '/inputs/0/1 must be a whole number'],
    ['an integer too long', 'int64:predict', { inputs: [[1, '9223372036854775808']] }, 400, '/inputs/0/1 must be a whole number'],
    ['a number for a truth', 'bool:predict', { inputs: [[1, true]] }, 400, '/inputs/0/0 must be true or false, not 1'],
    ['too large for float16', 'float16:predict', { inputs: [[1, 65520]] }, 400, '/inputs/0/1 must be a number that float16 can hold'],
    ['no base64', 'string:predict', { inputs: [['a', { b64: '*' }]] }, 400, '/inputs/0/1 must be a text'],
    ['base64 of no text', 'string:predict', { inputs: [['a', { b64: '/w==' }]] }, 400, '/inputs/0/1 must be a text'],
    ['base64 of a text that would be cut', 'string:predict', { inputs: [['a', { b64: 'YQBi' }]] }, 400, '/inputs/0/1 must be a text of characters without U+0000'],
    ['half a character', 'string:predict', '{"inputs": [["a", "\\ud800"]]}', 400, '/inputs/0/1 must be a text of characters'],
    ['values that the runtime refuses', 'lookUp:predict', { instances: [99] }, 400, ''],
    ['scores of a regression', 'line:classify', { examples: [{ x: 1 }] }, 400, 'does not classify'],
    ['scores that there are none of', 'classes:classify', { examples: [{ length: 6, kind: 'red' }] }, 400, 'gives no probabilities'],
    ['a number of a classification', 'flower:regress', { examples: [{ length: 6, kind: 'red' }] }, 400, 'it is a classification'],
    ['examples of tensors', 'sum:regress', { examples: [{}] }, 400, 'has no features to regress by'],
    ['examples that are no list', 'line:regress', { examples: {} }, 400, '/examples must be a list'],
    ['an example that is no object, with a context', 'line:regress', { context: { x: 1 }, examples: [1] }, 400, '/examples/0 must be an object'],
    ['a feature in context and example', 'line:regress', { context: { x: 1 }, examples: [{ x: 1 }] }, 400, '/examples/0/x stands in the context too'],
    ['a wrong value in the context', 'flower:classify', { context: { kind: 'pink' }, examples: [{ length: 6 }] }, 422, '/context/kind must be one of'],
    ['a wrong value in an example', 'flower:classify', { context: { kind: 'red' }, examples: [{ length: -1 }] }, 422, '/examples/0/length must be'],
  ])('%s', async (_name, path, body, status, message) => {
    const answer = await server.post(`/v1/models/${path}`, body)
    expect(answer.body).toEqual({ error: expect.stringContaining(message) })
    expect(answer.status).toBe(status)
  })

  test.each([['rose', 404], ['flower/versions/9', 404], ['flower/labels/beta', 404], ['flower/versions/2.0.0/metadata', 503], ['rose/metadata', 404]])('GET %s: %i', async (path, status) => {
    expect(await server.get(`/v1/models/${path}`)).toMatchObject({ status, body: { error: expect.any(String) } })
  })
})

rule('/v1', 'needs a token with the scope predict, and tells every error as `{"error"}`', async () => {
  for (const answer of [await server.get('/v1/models/line', { authorization: '' }), await server.post('/v1/models/line:predict', { instances: [1] }, { authorization: '' })]) {
    expect(answer).toMatchObject({ status: 401, body: { error: expect.stringContaining('token') } })
  }
  expect(await server.get('/v1/nothing')).toMatchObject({ status: 404, body: { error: expect.any(String) } })
})

table()
