import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importVerb } from '../../src/cli/import.ts'
import { classScores, classifier, columnsModel, logits, regressor, softmax } from '../import/onnx-graphs.ts'
import { type Bench, bench } from './import-verb.ts'

let place: Bench

beforeEach(async () => {
  place = await bench()
  await place.files({ 'iris.onnx': classifier({ zipMap: true }), 'line.onnx': regressor(), 'raw.onnx': logits(), 'plans.onnx': columnsModel() })
})
afterEach(() => place.remove())

const iris = ['import', '{}/iris.onnx', '--name', 'iris', '--version', '1.0.0']
const labels = ['--labels', 'setosa,versicolor,virginica']

async function made (file: string, name = 'iris', version = '1.0.0') {
  return JSON.parse(await readFile(join(place.models, name, version, file), 'utf8')) as Record<string, never>
}

test('it tells what it made, what to know of it, and what to do next', async () => {
  const { code, out, err } = await place.run(...iris, ...labels)
  expect(code).toBe(0)
  expect(err.split('\n')).toEqual([
    'iris: "output_probability" was a list of maps, made by ZipMap: it is the matrix of probabilities now',
    'iris: the file does not name its columns: they are f0, f1 …; give their names with --features',
  ])
  expect(out.replaceAll(place.models, 'models')).toMatch(new RegExp([
    '^iris 1\\.0\\.0: classification by f0, f1, f2',
    '  classes  setosa, versicolor, virginica',
    '  outputs  label from output_label, probabilities from output_probability',
    '  no golden rows: nothing proves .*',
    '  models/iris/1\\.0\\.0/model\\.onnx {2}[\\d.]+ (KiB|B)',
    '',
    'Next:',
    '  npx modelport verify iris@1\\.0\\.0',
    '  npm start',
    '  curl -s http://localhost:8000/models/iris/predict .*',
    ".*-d '\\{\"f0\":0\\.5,\"f1\":0\\.5,\"f2\":0\\.5\\}'$",
  ].join('\n')))
})

test('--json prints an object for machines', async () => {
  const { out, err } = await place.run(...iris, '--json', '--out', '{}/other')
  expect(err).toBe('')
  expect(JSON.parse(out)).toEqual({
    name: 'iris',
    version: '1.0.0',
    folder: join(place.folder, 'other', 'iris', '1.0.0'),
    task: 'classification',
    features: ['f0', 'f1', 'f2'].map(name => ({ name, type: 'number' })),
    labels: ['0', '1', '2'],
    outputs: { label: 'output_label', probabilities: 'output_probability' },
    files: { 'model.onnx': { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: expect.any(Number) } },
    notices: [expect.any(String), expect.any(String)],
  })
})

test('the same file makes the same version', async () => {
  await place.run(...iris)
  const first = await readFile(join(place.models, 'iris', '1.0.0', 'manifest.json'), 'utf8')
  await place.run(...iris, '--force')
  expect(await readFile(join(place.models, 'iris', '1.0.0', 'manifest.json'), 'utf8')).toBe(first)
})

const rows = [[0.5, -1, 2], [3, 0, 0], [0, 3, -3]]
const answers = rows.map(row => softmax(classScores(row)))
const classes = answers.map(list => list.indexOf(Math.max(...list)))
const names = ['setosa', 'versicolor', 'virginica']

const csv = (header: string, row: (i: number) => string) => [`f0,f1,f2,${header}`, ...rows.map((values, i) => `${values.join(',')},${row(i)}`)].join('\n')
const perClass = names.map(name => `probability_${name}`).join(',')

test.each<[string, string | object]>([
  ['CSV with class names', csv('prediction', i => names[classes[i]!]!)],
  ['CSV with places, as other programs write them', csv('prediction', i => `${classes[i]}.0`)],
  ['CSV with a probability a column', csv(`prediction,${perClass}`, i => `${names[classes[i]!]},${answers[i]!.join(',')}`)],
  ['CSV with all probabilities in one', csv('probabilities', i => `[${answers[i]!.join(' ')}]`)],
  ['CSV from Windows', `\ufeff${csv('prediction', i => names[classes[i]!]!).replaceAll('\n', '\r\n')}\r\n`],
  ['rows with answers', rows.map(([f0, f1, f2], i) => ({ row: { f0, f1, f2 }, prediction: names[classes[i]!], probabilities: answers[i] }))],
  ['golden.json', { schemaVersion: 1, rows: rows.map(([f0, f1, f2], i) => ({ row: { f0, f1, f2 }, prediction: classes[i], probabilities: answers[i] })) }],
])('golden rows from %s are proved and kept', async (_, golden) => {
  await place.files({ golden })
  const { code, err } = await place.run(...iris, ...labels, '--golden', '{}/golden')
  expect(err).not.toContain('golden')
  expect(code).toBe(0)
  const { rows: kept } = await made('golden.json') as unknown as { rows: { row: object, prediction: number }[] }
  expect(kept.map(({ prediction }) => prediction)).toEqual(classes)
  expect(kept[0]!.row).toEqual({ f0: 0.5, f1: -1, f2: 2 })
  expect(await made('manifest.json')).toMatchObject({ features: [{ name: 'f0', example: 0.5 }, { name: 'f1', example: -1 }, { name: 'f2', example: 2 }] })
})

test('rows without answers are given the model\'s own, and it says what that proves', async () => {
  await place.files({ 'rows.csv': 'age,plan,visits\n0.5,pro,3\n60,basic,0\n' })
  const { code, err } = await place.run('import', '{}/plans.onnx', '--name', 'plans', '--version', '1', '--golden', '{}/rows.csv')
  expect(code).toBe(0)
  expect(err).toContain('2 of 2 golden rows come without expected answers, so they are the model\'s own: they prove that it stays the same, not that it is right')
  expect(await made('golden.json', 'plans', '1')).toMatchObject({ rows: [{ row: { age: 0.5, plan: 'pro', visits: 3 }, prediction: 2 }, { probabilities: [1, 0, 0].map(p => expect.closeTo(p, 4)) }] })
})

test('golden values of a regression', async () => {
  await place.files({ 'rows.csv': 'f0,f1,prediction\n1,2,8\n0,0.5,4.0\n' })
  expect(await place.run('import', '{}/line.onnx', '--name', 'line', '--version', '1', '--golden', '{}/rows.csv')).toMatchObject({ code: 0 })
})

test.each<[string, string | object, RegExp]>([
  ['another answer', csv('prediction', i => i === 1 ? 'virginica' : names[classes[i]!]!), /iris\.onnx: golden\.json: \/rows\/1\/prediction is 2, the model gives 0 \(tolerances: .*\): the golden rows are those of another model, or are preprocessed in another way/],
  ['another probability', csv('probabilities', () => '0.2 0.3 0.5'), /golden\.json: \/rows\/0\/probabilities\/0 is 0\.2, the model gives/],
  ['an unknown class', csv('prediction', () => 'tulip'), /golden: row 1, column "prediction": "tulip" is none of the classes setosa, versicolor, virginica/],
  ['an unknown column', csv('price', () => '1'), /golden: its column "price" is neither a feature \(f0, f1, f2\) nor one of prediction, probabilities, probability_setosa/],
  ['some classes only', csv('probability_setosa', () => '1'), /golden: it has the column "probability_setosa" but not "probability_versicolor"/],
  ['a text for a number', 'f0,f1,f2\n1,2,many\n', /iris\.onnx: golden row 1, f2: must be a number, not a string/],
  ['a missing feature', 'f0,f1\n1,2\n', /golden row 1, f2: is required/],
  ['a missing value', 'f0,f1,f2\n1,2,\n', /golden row 1, f2: is required and may not be null/],
  ['a probability that is none', csv('probabilities', () => 'high'), /row 1, column "probabilities": "high" is not a number/],
  ['rows of unequal length', 'f0,f1,f2\n1,2\n', /golden: .*line 2/],
  ['no rows', 'f0,f1,f2\n', /golden: it has no rows/],
  ['JSON of another shape', '{"rows": 3}', /golden: .*rows/],
  ['broken JSON', '[{"f0": 1,', /golden: is not JSON/],
])('golden rows with %s are refused with their place', async (_, golden, reason) => {
  await place.files({ golden })
  const { code, err } = await place.run(...iris, ...labels, '--golden', '{}/golden')
  expect(err).toMatch(reason)
  expect({ code, folder: await readdir(place.folder) }).toEqual({ code: 1, folder: expect.not.arrayContaining(['models']) })
})

test('golden rows need features', async () => {
  await place.files({ golden: 'a,b\n1,2\n' })
  const { code, err } = await place.run('import', '{}/raw.onnx', '--name', 'raw', '--version', '1', '--golden', '{}/golden')
  expect(err).toContain('golden rows need features, and the model is served as raw tensors')
  expect(code).toBe(1)
})

const fixture = (name: string) => fileURLToPath(new URL(`../import/fixtures/${name}`, import.meta.url))
const sigmoid = (score: number) => 1 / (1 + Math.exp(-score))

test('LightGBM\'s text, with other names for its features', async () => {
  // Tree 0 gives 0.4 to a tenure up to 12.5, tree 1 -0.2 to charges up to 70.35 and 0.25 above.
  await place.files({
    'rows.csv': `months,price,tariff,prediction,probability_leaves,probability_stays\n5,70.35,plus,leaves,${sigmoid(0.2)},${1 - sigmoid(0.2)}\n,71,,leaves,${sigmoid(0.65)},${1 - sigmoid(0.65)}\n`,
    'names.json': ['months', 'price', { name: 'tariff', description: 'what the customer pays' }, 'region'],
  })
  const { code, err } = await place.run('import', fixture('lightgbm/churn.txt'), '--name', 'churn', '--version', '1', '--labels', 'stays,leaves', '--features', '{}/names.json', '--golden', '{}/rows.csv')
  expect({ code, err }).toMatchObject({ code: 0 })
  expect(await made('manifest.json', 'churn', '1')).toMatchObject({ task: 'classification', training: { algorithm: 'LightGBM' } })
})

test('XGBoost\'s JSON, with the answers that XGBoost gave', async () => {
  const { rows: known, expected } = JSON.parse(await readFile(fixture('xgboost/binary.rows.json'), 'utf8')) as { rows: (number | null)[][], expected: number[] }
  const { manifest: { features } } = JSON.parse((await place.run('inspect', fixture('xgboost/binary.json'), '--json')).out) as { manifest: { features: { name: string }[] } }
  await place.files({ golden: known.map((row, i) => ({ row: Object.fromEntries(features.map(({ name }, k) => [name, row[k]])), prediction: expected[i]! > 0.5 ? 'yes' : 'no', probabilities: [1 - expected[i]!, expected[i]!] })) })
  const { code, err } = await place.run('import', fixture('xgboost/binary.json'), '--name', 'xgb', '--version', '1', '--labels', 'no,yes', '--golden', '{}/golden')
  expect({ code, err }).toMatchObject({ code: 0 })
})

test.each<[string[], RegExp]>([
  [['--task', 'regression'], /binary\.json: --task: the file says that it is a classification/],
  [['--preprocessor', '{}/iris.onnx'], /binary\.json: --preprocessor is for ONNX files/],
  [['--labels', 'a,b,c'], /binary\.json: .*3 labels/],
])('XGBoost\'s JSON with %j is refused', async (flags, reason) => {
  const { code, err } = await place.run('import', fixture('xgboost/binary.json'), '--name', 'xgb', '--version', '1', ...flags)
  expect(err).toMatch(reason)
  expect(code).toBe(1)
})

test.each<[string[], string | RegExp]>([
  [[], 'the file to import is missing'],
  [['a.onnx', 'b.onnx', '--name', 'm', '--version', '1'], '"b.onnx" is an argument too many'],
  [['a.onnx', '--version', '1'], '--name is missing'],
  [['a.onnx', '--name', 'm'], '--version is missing'],
  [['a.onnx', '--name', 'm', '--version', '1', '--task', 'ranking'], '--task must be one of classification, regression, tensor, not "ranking"'],
  [['a.onnx', '--name', 'm', '--version', '1', '--labels', 'a,,b'], '--labels: one of the names is empty'],
  [['a.onnx', '--name', 'm', '--version', '1', '--labels', 'a,b,a'], '--labels: "a" stands there twice'],
  [['a.onnx', '--name', 'm', '--version', '1', '--labels', '["a"'], /--labels: is not JSON/],
  [['a.onnx', '--name', 'm', '--version', '1', '--task', 'tensor', '--labels', 'a,b'], '--labels is for models with features'],
  [['a.onnx', '--name', 'm', '--version', '1', '--task', 'regression', '--labels', 'a,b'], '--labels are for a classification'],
  [['a.onnx', '--name', 'm', '--version', '1', '--colour', 'red'], /Unknown option '--colour'/],
])('misuse: %j', async (args, message) => {
  const { code, err } = await place.run('import', ...args)
  expect(err).toMatch(message)
  expect(code).toBe(2)
})

test.each<[string, string[], RegExp]>([
  ['a file that is not there', ['import', '{}/none.onnx', '--name', 'm', '--version', '1'], /none\.onnx cannot be read: ENOENT/],
  ['a folder', ['import', '{}', '--name', 'm', '--version', '1'], /cannot be read: EISDIR/],
  ['features that are not there', [...iris, '--features', '{}/none.json'], /none\.json cannot be read: ENOENT/],
  ['features of the wrong shape', [...iris, '--features', '{}/iris.onnx'], /iris\.onnx: is not JSON/],
  ['a name that cannot be one', ['import', '{}/iris.onnx', '--name', '../m', '--version', '1'], /cannot be the name of a model/],
])('%s: it fails and leaves nothing behind', async (_, args, reason) => {
  const { code, err } = await place.run(...args)
  expect(err).toMatch(reason)
  expect(code).toBe(1)
  expect(await readdir(place.folder)).not.toContain('models')
})

test('a version that exists is kept, unless forced', async () => {
  await place.run(...iris)
  expect(await place.run(...iris)).toMatchObject({ code: 1, err: expect.stringContaining('iris 1.0.0 already exists') })
  expect(await place.run(...iris, '--force')).toMatchObject({ code: 0 })
})

test('labels with commas are a JSON list', async () => {
  await place.run(...iris, '--labels', '["a, b", "c", 7]')
  expect(await made('manifest.json')).toMatchObject({ labels: ['a, b', 'c', '7'] })
})

test('every flag is explained', () => {
  for (const flag of ['name', 'version', 'features', 'labels', 'golden', 'preprocessor', 'task', 'description', 'out', 'force', 'json']) {
    expect(importVerb.help).toContain(`--${flag} `)
  }
})
