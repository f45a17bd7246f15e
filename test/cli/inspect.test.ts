import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'
import { classifier, columnsModel, logits, regressor } from '../import/onnx-graphs.ts'
import { type Bench, bench } from './import-verb.ts'

let place: Bench

beforeEach(async () => {
  place = await bench()
  await place.files({ 'plans.onnx': columnsModel(), 'iris.onnx': classifier(), 'line.onnx': regressor() })
})
afterEach(() => place.remove())

test('a file: what is in it, and what an import would make of it', async () => {
  const { code, out } = await place.run('inspect', '{}/plans.onnx')
  expect(code).toBe(0)
  expect(out.replace(place.folder, '').split('\n')).toEqual([
    '/plans.onnx: ONNX, 728 B',
    '  task        classification',
    '  features    age  number',
    '              plan  string',
    '              visits  integer',
    '  classes     low, mid, high',
    '  answers     label from output_label, probabilities from output_probability',
    '  made by     modelport',
    '  format      IR 8, ai.onnx 17, ai.onnx.ml 3',
    '  inputs      age  float32 [N, 1]',
    '              plan  string [N, 1]',
    '              visits  int64 [N, 1]',
    '  outputs     output_label  string [N]',
    '              output_probability  list of map from string to float32 of unknown shape',
    '  operators   Cast 1, Concat 1, ai.onnx.ml.LabelEncoder 1, ai.onnx.ml.LinearClassifier 1, ai.onnx.ml.ZipMap 1',
    '  parameters  0',
    '  note        "output_probability" was a list of maps, made by ZipMap: it is the matrix of probabilities now',
    'It can be served.',
  ])
})

test('a version of the repository, the latest unless told', async () => {
  await place.run('import', '{}/iris.onnx', '--name', 'iris', '--version', '1.0.0', '--labels', 'a,b,c')
  await place.run('import', '{}/iris.onnx', '--name', 'iris', '--version', '1.1.0', '--description', 'Tells flowers apart')
  expect((await place.run('inspect', 'iris')).out).toMatch(/^iris@1\.1\.0: version, .*\n {2}about {7}Tells flowers apart\n/)
  const { out } = await place.run('inspect', 'iris@1.0.0', '--json')
  expect(JSON.parse(out)).toMatchObject({
    name: 'iris@1.0.0',
    kind: 'version',
    manifest: { version: '1.0.0', labels: ['a', 'b', 'c'] },
    graph: { inputs: [{ name: 'X', type: 'float32', shape: ['N', 3] }], operators: { 'ai.onnx.ml.LinearClassifier': 1 } },
    obstacles: [],
  })
})

test('what stands in the way is told, and the rest all the same', async () => {
  await place.run('import', '{}/iris.onnx', '--name', 'iris', '--version', '1')
  const folder = join(place.models, 'iris', '1')
  await writeFile(join(folder, 'model.onnx'), regressor())
  const { code, out } = await place.run('inspect', 'iris@1')
  expect(code).toBe(0)
  expect(out).toMatch(/task {8}classification\n[\s\S]*LinearRegressor 1\n[\s\S]*obstacle {4}HASH_MISMATCH: model\.onnx has .*\nIt cannot be served\.$/)
  await rm(join(folder, 'manifest.json'))
  expect((await place.run('inspect', 'iris')).out).toMatch(/task {8}tensor\n[\s\S]*no manifest\.json: served as raw tensors.*\nIt can be served\.$/)
})

test('weights in other files are named, there or not', async () => {
  await place.files({ 'far.onnx': logits({ W: { type: 'float32', shape: [3, 2], external: { location: 'W.bin' } } }) })
  const { out } = await place.run('inspect', '{}/far.onnx')
  expect(out).toMatch(/parameters {2}9\n {2}weights in {2}W\.bin\n {2}obstacle {4}its weights are in the file W\.bin, which is not there/)
})

test.each([
  ['a file that is none', ['inspect', '{}/table.csv'], /table\.csv: it is text that is neither ONNX/],
  ['a file that was cut off', ['inspect', '{}/cut.onnx'], /cut\.onnx: it is not an ONNX file, or it was cut off/],
  ['a file that is not there', ['inspect', './none.onnx'], /none\.onnx cannot be read: ENOENT/],
  ['a folder', ['inspect', '{}'], /is a folder: give a file in it/],
  ['a model that is not there', ['inspect', 'violet'], /there is no file and no model "violet"; the models in .* are line/],
  ['a version that is not there', ['inspect', 'line@2'], /line has no version "2"; it has 1/],
])('%s: it fails', async (_, args, reason) => {
  await place.files({ 'table.csv': 'a,b\n1,2\n', 'cut.onnx': classifier().subarray(0, 100) })
  await place.run('import', '{}/line.onnx', '--name', 'line', '--version', '1')
  expect(await place.run(...args)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(reason) })
})

test.each([
  [[], 'what to inspect is missing'],
  [['a', 'b'], '"b" is an argument too many'],
  [['a b'], 'cannot be the name of a model'],
  [['a', '--colour'], 'Unknown option'],
])('misuse: %j', async (args, message) => {
  expect(await place.run('inspect', ...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) })
})

test('every flag is explained', () => {
  for (const flag of ['models', 'json']) expect(inspect.help).toContain(`--${flag} `)
})
