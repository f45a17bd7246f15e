import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Manifest } from '../../src/artifact/manifest.ts'
import { floats, model, node } from '../../src/onnx/build.ts'
import { ModelProtoSchema } from '../../src/onnx/onnx_pb.ts'
import { type Bench, bench } from '../cli/import-verb.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { classScores, classifier, columnsModel, ints, logits, regressor, softmax, texts } from './onnx-graphs.ts'

let place: Bench
let app: TestApp | undefined

beforeEach(async () => { place = await bench() })
afterEach(async () => {
  await app?.close()
  app = undefined
  await place.remove()
})

/** Imports a file with what is said besides, and serves what comes of it. */
async function serve (bytes: Uint8Array, ...flags: string[]): Promise<{ manifest: Manifest, notices: string[], app: TestApp }> {
  await place.files({ 'given.onnx': bytes })
  const { code, out, err } = await place.run('import', '{}/given.onnx', '--name', 'm', '--version', '1', '--json', ...flags)
  expect(err).toBe('')
  expect(code).toBe(0)
  app = await startApp({}, { MODELS_DIR: place.models, AUTH: 'off' })
  const manifest = JSON.parse(await readFile(join(place.models, 'm', '1', 'manifest.json'), 'utf8')) as Manifest
  return { manifest, notices: (JSON.parse(out) as { notices: string[] }).notices, app }
}

const row = [0.5, -1, 2]

test.each([
  ['integers', { labels: { ints: [0, 1, 2] } }, ['0', '1', '2']],
  ['integers that are no places', { labels: { ints: [3, 7, -1] } }, ['3', '7', '-1']],
  ['texts', { labels: { strings: ['rose', 'violet', 'lily'] } }, ['rose', 'violet', 'lily']],
])('a classifier whose classes are %s names them in its answers, with and without ZipMap', async (_, options, labels) => {
  const expected = softmax(classScores(row))
  const best = expected.indexOf(Math.max(...expected))
  for (const zipMap of [false, true]) {
    const { manifest, app } = await serve(classifier({ ...options, zipMap }), '--force')
    expect(manifest).toMatchObject({ task: 'classification', labels, features: [{ name: 'f0' }, { name: 'f1' }, { name: 'f2' }] })
    const { body } = await app.post('/predict', { features: row })
    expect(body).toMatchObject({ prediction: best, class_name: labels[best] })
    expect(body.probabilities).toEqual(expected.map(p => expect.closeTo(p, 5)))
    await app.close()
  }
})

test('a ZipMap is cut out: the output of the same name is a matrix', async () => {
  const { manifest, notices, app } = await serve(classifier({ zipMap: true }))
  expect(manifest.outputs).toEqual({ label: 'output_label', probabilities: 'output_probability' })
  expect(notices).toContain('"output_probability" was a list of maps, made by ZipMap: it is the matrix of probabilities now')
  const { body } = await app.get('/models/m/versions/1')
  expect(body.outputs).toMatchObject([{ name: 'output_label', type: 'int64' }, { name: 'output_probability', type: 'float32', shape: ['N', 3] }])
})

test('one column an input becomes one feature each, of the input\'s type', async () => {
  const { manifest, app } = await serve(columnsModel())
  expect(manifest.features).toEqual([{ name: 'age', type: 'number' }, { name: 'plan', type: 'string' }, { name: 'visits', type: 'integer' }])
  const { body } = await app.post('/predict', { instances: [{ age: 0.5, plan: 'pro', visits: 3 }, { age: 0.5, plan: 'other', visits: 3 }] })
  const expected = [[0.5, 2, 3], [0.5, 0, 3]].map(x => softmax(classScores(x)))
  expect(body.predictions.map((p: { probabilities: number[] }) => p.probabilities)).toEqual(expected.map(list => list.map(p => expect.closeTo(p, 5))))
  expect(body.predictions.map((p: { class_name: string }) => p.class_name)).toEqual(expected.map(list => ['low', 'mid', 'high'][list.indexOf(Math.max(...list))]))
})

test.each([[['N', 1]], [['N']], [[1]], [[]]])('a regressor that declares the output %j answers values', async shape => {
  const { manifest, app } = await serve(regressor(shape))
  expect(manifest).toMatchObject({ task: 'regression', outputs: { value: 'variable' } })
  expect((await app.post('/predict', { instances: [{ f0: 1, f1: 2 }, { f0: 0, f1: 0.5 }] })).body.predictions).toEqual([{ prediction: 8 }, { prediction: 4 }])
})

test.each([[[1]], [[]], [['N', 1]]])('a label that is declared as %j beside a batch is read as it comes', async labelShape => {
  const { app } = await serve(classifier({ labelShape, zipMap: true }))
  const { body } = await app.post('/predict', { instances: [{ features: [5, 0, 0] }, { features: [0, 5, 0] }] })
  expect(body.predictions).toMatchObject([{ prediction: 0 }, { prediction: 1 }])
})

test.each([7, 9, 11, 13, 15, 18, 21, 22])('a model of opset %i is imported, ZipMap and classes that are no places included', async opset => {
  const { manifest, app } = await serve(classifier({ labels: { ints: [3, 7, 9] }, zipMap: true }, { opset, mlOpset: opset < 13 ? 1 : 3, irVersion: opset < 10 ? 3 : 8 }))
  expect(manifest.training).toMatchObject({ format: 'onnx', opsets: { 'ai.onnx': opset } })
  expect((await app.post('/predict', { features: [0, 5, 0] })).body).toMatchObject({ class_name: '7' })
})

test('names, limits and classes come from files and flags', async () => {
  await place.files({ 'features.json': { features: [{ name: 'length', unit: 'cm', minimum: 0, example: 2 }, 'width', { name: 'red', type: 'boolean' }] } })
  const { manifest, notices, app } = await serve(classifier(), '--features', '{}/features.json', '--labels', 'rose,violet,lily', '--description', 'Tells flowers apart')
  expect(manifest).toMatchObject({
    description: 'Tells flowers apart',
    createdAt: '2026-11-21T06:00:00Z',
    features: [{ name: 'length', type: 'number', unit: 'cm', minimum: 0, example: 2 }, { name: 'width', type: 'number' }, { name: 'red', type: 'boolean' }],
    labels: ['rose', 'violet', 'lily'],
  })
  expect(notices).toEqual([])
  expect((await app.post('/predict', { length: 3, width: 0, red: true })).body.class_name).toBe('rose')
  expect((await app.post('/predict', { length: -3, width: 0, red: true })).status).toBe(422)
})

test('scores that are no probabilities decide the class and are not shown as probabilities', async () => {
  const { manifest, notices, app } = await serve(logits(), '--labels', 'a,b,c')
  expect(manifest.outputs).toEqual({ label: 'class_index' })
  expect(notices).toContainEqual(expect.stringContaining('"linear" holds scores that are no probabilities'))
  expect((await app.post('/predict', { features: [0, 3] })).body).toEqual({ prediction: 1, class_name: 'b', model: { name: 'm', version: '1' }, latency_ms: expect.any(Number) })
})

test('a classifier that ends in ArgMax and a list of its classes, as skl2onnx writes a neural network', async () => {
  const bytes = model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['N', 'C'] }],
      outputs: [{ name: 'label', type: 'string', shape: ['N'] }, { name: 'probabilities', type: 'float32', shape: ['N', 2] }],
      nodes: [
        node('MatMul', ['X', 'W'], ['scores']),
        node('Softmax', ['scores'], ['probabilities'], { axis: 1n }),
        node('ArgMax', ['probabilities'], ['best'], { axis: 1n, keepdims: 0n }),
        node('ArrayFeatureExtractor', ['classes', 'best'], ['picked'], {}, 'ai.onnx.ml'),
        node('Reshape', ['picked', 'flat'], ['label']),
      ],
      initializers: { W: floats([1, 0, 0, 1], [2, 2]), classes: texts(['no', 'yes']), flat: ints([-1]) },
    },
  })
  const { manifest, app } = await serve(bytes)
  expect(manifest).toMatchObject({ features: [{ name: 'f0' }, { name: 'f1' }], labels: ['no', 'yes'], outputs: { label: 'label', probabilities: 'probabilities' } })
  expect((await app.post('/predict', { features: [0, 1] })).body).toMatchObject({ prediction: 1, class_name: 'yes' })
})

test('a model that does not say what it means is served as raw tensors', async () => {
  const { manifest, notices, app } = await serve(logits())
  expect(manifest.task).toBe('tensor')
  expect(manifest.features).toBeUndefined()
  expect(notices).toEqual(['served as raw tensors: nothing in it says whether it classifies or regresses (--task, --labels)'])
  expect((await app.get('/models/m/versions/1')).body).toMatchObject({ state: 'ready', inputs: [{ name: 'x', shape: ['batch', 2] }] })
})

const sum = (shape: (number | string)[]) => model({
  graph: {
    inputs: [{ name: 'a', type: 'float32', shape }, { name: 'b', type: 'float32', shape }],
    outputs: [{ name: 'y', type: 'float32', shape }],
    nodes: [node('Add', ['a', 'b'], ['y'])],
  },
})

test('several inputs that are columns make a regression where a person says so', async () => {
  const { app } = await serve(sum(['N', 1]), '--task', 'regression')
  expect((await app.post('/predict', { a: 1, b: 2.5 })).body.prediction).toBe(3.5)
})

test('several inputs without a batch are served as raw tensors', async () => {
  const { manifest, notices } = await serve(sum([2, 3]))
  expect(manifest.task).toBe('tensor')
  expect(notices[0]).toMatch(/take exactly 2 rows \("a", float32 \[2, 3\]\)/)
})

test('a preprocessor goes with the model: its inputs are the features', async () => {
  await place.files({
    'before.onnx': model({
      graph: {
        inputs: [{ name: 'cm', type: 'float32', shape: ['N', 1] }, { name: 'kind', type: 'string', shape: ['N', 1] }],
        outputs: [{ name: 'X', type: 'float32', shape: ['N', 2] }],
        nodes: [
          node('Div', ['cm', 'ten'], ['scaled']),
          node('LabelEncoder', ['kind'], ['code'], { keys_strings: ['red', 'blue'], values_floats: Float32Array.of(1, 2), default_float: 0 }, 'ai.onnx.ml'),
          node('Concat', ['scaled', 'code'], ['X'], { axis: 1n }),
        ],
        initializers: { ten: floats([10]) },
      },
    }),
  })
  const { manifest, app } = await serve(regressor(), '--preprocessor', '{}/before.onnx')
  expect(Object.keys(manifest.files)).toEqual(['model.onnx', 'preprocessor.onnx'])
  expect(manifest.features).toEqual([{ name: 'cm', type: 'number' }, { name: 'kind', type: 'string' }])
  expect((await app.post('/predict', { cm: 20, kind: 'blue' })).body.prediction).toBe(9)
})

test('inputs of several columns each are joined from the features', async () => {
  const bytes = model({
    graph: {
      inputs: [{ name: 'counts', type: 'int64', shape: ['N', 2] }, { name: 'kinds', type: 'string', shape: ['N', 2] }, { name: 'size', type: 'float32', shape: ['N', 1] }],
      outputs: [{ name: 'variable', type: 'float32', shape: ['N', 1] }],
      nodes: [
        node('Cast', ['counts'], ['numbers'], { to: 1n }),
        node('LabelEncoder', ['kinds'], ['codes'], { keys_strings: ['red', 'blue'], values_floats: Float32Array.of(100, 200), default_float: 0 }, 'ai.onnx.ml'),
        node('Concat', ['numbers', 'codes', 'size'], ['all'], { axis: 1n }),
        node('LinearRegressor', ['all'], ['variable'], { coefficients: Float32Array.of(1, 10, 1, 10, 0.5), intercepts: Float32Array.of(0), targets: 1n }, 'ai.onnx.ml'),
      ],
    },
  })
  const { manifest, app } = await serve(bytes)
  expect(manifest.features?.map(({ name, type }) => `${name}: ${type}`)).toEqual(['counts_0: integer', 'counts_1: integer', 'kinds_0: string', 'kinds_1: string', 'size: number'])
  const { body } = await app.post('/predict', { instances: [{ features: [1, 2, 'red', 'blue', 4] }, { features: [0, 0, 'blue', 'red', 0] }] })
  expect(body.predictions).toEqual([{ prediction: 2123 }, { prediction: 1200 }])
  await app.close()

  await place.files({ 'names.json': ['floor', 'rooms', 'wall', 'door', 'area'] })
  const { app: again } = await serve(bytes, '--features', '{}/names.json', '--force')
  expect((await again.post('/predict', { floor: 1, rooms: 2, wall: 'red', door: 'blue', area: 4 })).body.prediction).toBe(2123)
})

test('an input without a declared shape is a matrix where its width can be known', async () => {
  const proto = fromBinary(ModelProtoSchema, regressor())
  const type = proto.graph!.input[0]!.type!.value
  if (type.case === 'tensorType') delete type.value.shape
  const { manifest, app } = await serve(toBinary(ModelProtoSchema, proto))
  expect(manifest.features).toHaveLength(2)
  expect((await app.post('/predict', { instances: [{ features: [1, 2] }, { features: [0, 0.5] }] })).body.predictions).toEqual([{ prediction: 8 }, { prediction: 4 }])
})

test('a model that takes one row a run says so', async () => {
  const { notices, app } = await serve(classifier({ inputs: [{ name: 'X', type: 'float32', shape: [1, 3] }], zipMap: true }))
  expect(notices).toContainEqual(expect.stringMatching(/takes one row a run \("X", float32 \[1, 3\]\): the rows of a request run one after another/))
  expect((await app.post('/predict', { features: [0, 5, 0] })).body).toMatchObject({ prediction: 1 })
})
