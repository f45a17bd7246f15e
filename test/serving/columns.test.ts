import { describe, expect, onTestFinished, test } from 'vitest'
import type { Feature } from '../../src/artifact/manifest.ts'
import { floats, model, node } from '../../src/onnx/build.ts'
import type { Tensor, TensorType } from '../../src/tensor.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { type Files, repository, withManifest } from '../helpers/models.ts'

const regression = { task: 'regression', labels: undefined, outputs: { value: 'value' } } as const
const ml = 'ai.onnx.ml'

/** value = size + 10 × the place of kind among red and blue; one input per feature, as skl2onnx makes them. */
function columnsOnnx (size: TensorType = 'float32', shape: readonly (string | number)[] = ['N', 1]): Uint8Array {
  return model({
    graph: {
      inputs: [{ name: 'size', type: size, shape }, { name: 'kind', type: 'string', shape }],
      outputs: [{ name: 'value', type: 'float32', shape }],
      nodes: [
        node('LabelEncoder', ['kind'], ['code'], { keys_strings: ['red', 'blue'], values_floats: Float32Array.of(0, 10), default_float: 99 }, ml),
        node('Cast', ['size'], ['number'], { to: 1n }),
        node('Add', ['number', 'code'], ['value']),
      ],
    },
  })
}

const features: Feature[] = [
  { name: 'kind', type: 'string', example: 'red' },
  { name: 'size', type: 'number', example: 1.5 },
]

function version (files: Files, own: Feature[] = features): Files {
  return withManifest(files, { ...regression, name: 'columns', features: own })
}

async function start (files: Files) {
  const server = await startApp({ 'columns/1.0.0': files })
  onTestFinished(() => server.close())
  return server
}

function refusal ({ logs }: TestApp): Record<string, unknown> | undefined {
  return logs.find(({ msg, version }) => msg === 'version is not served' && version === '1.0.0')
}

describe('a graph with one input per feature', () => {
  const golden = { schemaVersion: 1, rows: [{ row: { kind: 'blue', size: 2 }, prediction: 12 }] }

  test('gets every feature in the input of its name', async () => {
    const server = await start(version({ 'model.onnx': columnsOnnx(), 'golden.json': golden }))
    const { body } = await server.post('/predict', { instances: [{ kind: 'blue', size: 1.5 }, { features: ['red', 2] }, { kind: 'other', size: 0 }] })
    expect(body.predictions).toEqual([{ prediction: 11.5 }, { prediction: 2 }, { prediction: 99 }])
  })

  test('may take them as vectors', async () => {
    const server = await start(version({ 'model.onnx': columnsOnnx('float32', ['N']), 'golden.json': golden }))
    expect((await server.post('/predict', { kind: 'blue', size: 1 })).body.prediction).toBe(11)
  })

  test.each(['int64', 'int32', 'uint8', 'float64'] as const)('takes numbers as %s', async type => {
    const server = await start(version({ 'model.onnx': columnsOnnx(type) }))
    expect((await server.post('/predict', { kind: 'red', size: 7 })).body.prediction).toBe(7)
  })

  test.each([
    ['a fraction where the graph takes whole numbers', 'int64', { kind: 'red', size: 1.5 }, '/size', 'must be a whole number'],
    ['a number that the type cannot hold', 'uint8', { kind: 'red', size: 256 }, '/size', 'is outside of what the model\'s input, uint8, can hold'],
    ['a number below zero for an unsigned type', 'uint64', { kind: 'red', size: -1 }, '/size', 'uint64'],
    ['a number that is Infinity as float32', 'float32', { kind: 'red', size: 1e39 }, '/size', 'too large'],
    ['a text with U+0000, which the runtime would cut', 'float32', { kind: 're\0d', size: 1 }, '/kind', 'U+0000'],
  ] as const)('refuses %s', async (_, type, row, path, message) => {
    const server = await start(version({ 'model.onnx': columnsOnnx(type) }))
    const { status, body } = await server.post('/predict', row)
    expect(status).toBe(422)
    expect(body.errors).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  test('shares runs between requests and answers each as alone', async () => {
    const server = await start(version({ 'model.onnx': columnsOnnx(), 'golden.json': golden }))
    expect((await server.get('/models/columns')).body.answers.placement).toMatchObject({ mode: 'inline', gathers: true })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, size) => server.post('/predict', { kind: size % 2 === 0 ? 'red' : 'blue', size })))
    expect(answers.map(({ body }) => body.prediction)).toEqual(Array.from({ length: 20 }, (_, size) => size + (size % 2) * 10))
  })

  test.each([
    ['a feature without an input', columnsOnnx(), [...features, { name: 'age', type: 'number' }], 'the model has no input for the feature "age"'],
    ['an input without a feature', columnsOnnx(), [features[0]], 'no feature is called "size"'],
    ['a text for a number', columnsOnnx(), [features[0], { name: 'size', type: 'string' }], 'the input "size" is float32, the feature a string'],
    ['a value that may be missing where none can be', columnsOnnx('int64'), [features[0], { name: 'size', type: 'number', required: false }], 'has no missing value'],
    ['half precision', columnsOnnx('float16'), features, 'float16'],
    ['several columns in an input', columnsOnnx('float32', ['N', 2]), features, 'a feature gives [rows, 1]'],
  ] as [string, Uint8Array, Feature[], string][])('is not served with %s', async (_, onnx, own, message) => {
    const server = await startApp({ 'columns/1.0.0': version({ 'model.onnx': onnx }, own), 'columns/0.9.0': version({ 'model.onnx': columnsOnnx() }) }, {}, { load: false })
    onTestFinished(() => server.close())
    await server.app.inference.registry.load('columns').catch(() => {})
    expect(refusal(server)).toMatchObject({ reason: 'SIGNATURE_MISMATCH', detail: expect.stringContaining(message) })
  })
})

test('a graph that takes one row answers several, each in a run of its own', async () => {
  const server = await start(version({ 'model.onnx': columnsOnnx('float32', [1, 1]), 'golden.json': { schemaVersion: 1, rows: [{ row: { kind: 'blue', size: 2 }, prediction: 12 }, { row: { kind: 'red', size: 3 }, prediction: 3 }] } }))
  const { body } = await server.post('/predict', { instances: [{ kind: 'blue', size: 1 }, { kind: 'red', size: 2 }, { kind: 'blue', size: 3 }] })
  expect(body.predictions).toEqual([{ prediction: 11 }, { prediction: 2 }, { prediction: 13 }])
})

describe('preprocessor.onnx', () => {
  /** value = 2 X, over X = size + 10 × kind. */
  const doubling = model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['N', 1] }],
      outputs: [{ name: 'value', type: 'float32', shape: ['N', 1] }],
      nodes: [node('Add', ['X', 'X'], ['value'])],
    },
  })
  const toX = model({
    graph: {
      inputs: [{ name: 'size', type: 'float32', shape: ['N', 1] }, { name: 'kind', type: 'string', shape: ['N', 1] }],
      outputs: [{ name: 'X', type: 'float32', shape: ['N', 1] }],
      nodes: [
        node('LabelEncoder', ['kind'], ['code'], { keys_strings: ['red', 'blue'], values_floats: Float32Array.of(0, 10), default_float: 99 }, ml),
        node('Add', ['size', 'code'], ['X']),
      ],
    },
  })
  const golden = { schemaVersion: 1, rows: [{ row: { kind: 'blue', size: 2 }, prediction: 24 }] }

  test('turns raw columns into the model\'s inputs, as one with it', async () => {
    const server = await start(version({ 'model.onnx': doubling, 'preprocessor.onnx': toX, 'golden.json': golden }))
    expect((await server.post('/predict', { kind: 'blue', size: 1 })).body.prediction).toBe(22)
    expect((await server.get('/models/columns')).body.answers.placement).toMatchObject({ gathers: true })
  })

  test('is left out for who sends the model\'s own inputs', async () => {
    const { app } = await start(version({ 'model.onnx': doubling, 'preprocessor.onnx': toX, 'golden.json': golden }))
    const { outputs } = await app.inference.infer(app.inference.registry.resolve({}), { X: floats([21], [1, 1]) })
    expect(outputs['value']?.data).toEqual(Float32Array.of(42))
  })

  test.each([
    ['does not fit the model', { 'preprocessor.onnx': columnsOnnx() }, 'BAD_MODEL', 'preprocessor.onnx: it gives "value", and the model takes "X"'],
    ['is no ONNX', { 'preprocessor.onnx': 'not a graph' }, 'BAD_MODEL', 'preprocessor.onnx: '],
    ['has golden rows that do not reproduce', { 'preprocessor.onnx': toX, 'golden.json': { ...golden, rows: [{ ...golden.rows[0], prediction: 25 }] } }, 'GOLDEN_MISMATCH', 'is 25, the model gives 24'],
  ] as [string, Files, string, string][])('that %s is not served', async (_, files, reason, message) => {
    const repo = await repository({ 'columns/1.0.0': version({ 'model.onnx': doubling, ...files }), 'columns/0.9.0/model.onnx': doubling })
    onTestFinished(repo.remove)
    const server = await startApp({}, { MODELS_DIR: repo.path })
    onTestFinished(() => server.close())
    expect(refusal(server)).toMatchObject({ reason, detail: expect.stringContaining(message) })
  })
})

describe('features sent as tensors', () => {
  const column = (type: TensorType, data: Tensor['data'], shape = [data.length, 1]): Tensor => ({ type, shape, data })

  test('are validated and encoded as rows are', async () => {
    const { app } = await start(version({ 'model.onnx': columnsOnnx() }))
    const columns = app.inference.registry.resolve({})
    const { outputs } = await app.inference.infer(columns, { kind: column('string', ['red', 'blue']), size: column('float64', Float64Array.of(1, 2)) })
    expect(outputs['value']?.data).toEqual(Float32Array.of(1, 12))
    await expect(app.inference.infer(columns, { kind: column('string', ['red']), size: column('float32', Float32Array.of(NaN)) }))
      .rejects.toMatchObject({ code: 'INVALID_INPUT', errors: [{ path: '/0/features/1', message: expect.stringContaining('size') }] })
  })

  test.each([
    ['without rows in common', { kind: column('string', ['red', 'blue']), size: column('float32', Float32Array.of(1)) }, 'same number of rows'],
    ['with several columns in one', { kind: column('string', ['red', 'blue'], [1, 2]), size: column('float32', Float32Array.of(1)) }, '[rows, 1]'],
    ['under another name', { kind: column('string', ['red']), height: column('float32', Float32Array.of(1)) }, 'no input "height"'],
  ] as [string, Record<string, Tensor>, string][])('are refused %s', async (_, inputs, message) => {
    const { app } = await start(version({ 'model.onnx': columnsOnnx() }))
    await expect(app.inference.infer(app.inference.registry.resolve({}), inputs)).rejects.toMatchObject({ code: 'BAD_ENVELOPE', message: expect.stringContaining(message) })
  })
})
