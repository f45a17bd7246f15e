import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flowerFiles, flowerProbabilities, regressionFiles, repository, withManifest } from '../helpers/models.ts'
import { type Ended, modelport } from './modelport.ts'

const committed = resolve(import.meta.dirname, '../../models')

let models: Awaited<ReturnType<typeof repository>>
let folder: string

/** The model says rose of the first and the third. */
const flowers = [
  { length: 6, kind: 'red', age: 2, answer: 'rose' },
  { length: 2, kind: 'blue', age: undefined, answer: 'violet' },
  { length: 9, kind: 'red', age: 1, answer: 'violet' },
  { length: 3, kind: 'blue', age: 4, answer: 'violet' },
] as const

beforeAll(async () => {
  const { 'manifest.json': _, ...files } = flowerFiles()
  models = await repository({
    'flower/1.0.0': flowerFiles(),
    'flower/2.0.0': withManifest(files, { version: '2.0.0', metrics: { accuracy: 0.9 }, training: { target: 'answer' } }),
    'line/1.0.0': regressionFiles(),
    'steady/1': flowerFiles('steady', '1'),
    'steady/2': flowerFiles('steady', '2'),
    'steady/aliases.json': '{"production": "1"}',
    'raw/1': { 'model.onnx': flowerFiles()['model.onnx']! },
    'broken/1': { ...flowerFiles('broken', '1'), 'model.onnx': new Uint8Array([1]) },
  })
  folder = await mkdtemp(join(tmpdir(), 'modelport-report-'))
  const lines = flowers.map(({ length, kind, age, answer }) => [length, kind, age ?? '', answer, 'x'].join(','))
  await writeFile(join(folder, 'flowers.csv'), ['length,kind,age,answer,beside', ...lines].join('\n'))
  await writeFile(join(folder, 'line.csv'), 'x,y\n1,3\n2,5\n3,7\n4,10\n')
  await writeFile(join(folder, 'green.csv'), 'length,kind,answer\n1,red,rose\n2,green,rose\n')
  await writeFile(join(folder, 'tulip.csv'), 'length,kind,answer\n1,red,rose\n2,red,tulip\n')
  await writeFile(join(folder, 'gap.csv'), 'length,kind,answer\n1,red,rose\n2,red,\n')
  await writeFile(join(folder, 'short.csv'), 'length,answer\n1,rose\n')
  await writeFile(join(folder, 'empty.csv'), 'length,kind,answer\n')
})

afterAll(async () => {
  await models.remove()
  await rm(folder, { recursive: true })
})

/** `DIR` in an argument is the folder of this test. */
async function report (args: readonly string[], repository = models.path): Promise<Ended> {
  return await modelport(['report', ...args.map(arg => arg.replace('DIR', folder))], { env: { MODELS_DIR: repository } })
}

async function page (args: readonly string[], repository?: string): Promise<string> {
  const file = join(folder, 'page.html')
  expect(await report([...args, '--out', file], repository)).toEqual({ code: 0, out: file, err: '' })
  return await readFile(file, 'utf8')
}

interface Told { versions: { version: string, measured: unknown, metrics: Record<string, unknown>, training: unknown }[], differences?: Record<string, unknown> }

async function told (args: readonly string[], repository?: string): Promise<Told> {
  const { code, out, err } = await report([...args, '--json'], repository)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as Told
}

describe('of a version that was trained here', () => {
  test('a page tells scores, pictures and provenance', async () => {
    const text = await page(['iris'], committed)
    expect(text).toContain('Measured on 30 rows that training had not seen')
    for (const title of ['Scores', 'Confusion matrix', 'ROC curve', 'Precision–recall curve', 'Calibration', 'Importance', 'Training data', 'Provenance']) expect(text).toContain(`<h2>${title}</h2>`)
    expect(text).toMatch(/5-fold cross-validation.*\n.*Accuracy<\/th><td>1<\/td><td>0\.9467 ± 0\.045<\/td>/)
    expect(text).toContain('0a4f7e22a7853db8ba6b1872251384f8bf1d255ddaec610a4a5c10f937c1d8af')
    expect(text).toContain('sepal_length (cm)')
  })

  test('a regression has residuals in the place of classes', async () => {
    const text = await page(['mpg@1.0.0'], committed)
    for (const title of ['Residuals', 'Predicted and actual']) expect(text).toContain(`<h2>${title}</h2>`)
    expect(text).not.toContain('Confusion matrix')
  })

  test('--json prints the numbers of the manifest, and writes no page', async () => {
    const before = await readdir('.')
    const { versions: [version] } = await told(['penguins'], committed)
    const { metrics, training } = JSON.parse(await readFile(join(committed, 'penguins/1.0.0/manifest.json'), 'utf8')) as Told['versions'][number]
    const { cv, ...others } = metrics
    expect(version).toMatchObject({ version: '1.0.0', measured: null, metrics: others, training })
    const { folds, ...spreads } = cv as Record<string, unknown>
    expect(version!.metrics['cv']).toEqual({ folds, scores: spreads })
    expect(await readdir('.')).toEqual(before)
  })
})

describe('--data runs the model', () => {
  test('and measures classes and probabilities', async () => {
    const { versions: [version] } = await told(['flower@1.0.0', '--data', 'DIR/flowers.csv', '--target', 'answer'])
    const shares = flowers.map(({ length, kind, age }) => flowerProbabilities(length, kind, age))
    const loss = flowers.reduce((sum, { answer }, i) => sum - Math.log(shares[i]![answer === 'rose' ? 0 : 1]), 0) / flowers.length
    expect(version).toMatchObject({
      measured: { file: join(folder, 'flowers.csv'), rows: 4, target: 'answer', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      metrics: { accuracy: 0.75, confusion_matrix: [[1, 0], [1, 2]], roc_auc: expect.closeTo(2 / 3, 9), calibration: { label: 'violet' } },
    })
    expect(version!.metrics['log_loss']).toBeCloseTo(loss, 4)
    expect((version!.metrics['importance'] as { features: { feature: string }[] }).features.map(({ feature }) => feature).toSorted()).toEqual(['age', 'kind', 'length'])
  })

  test('and values', async () => {
    const { versions: [version] } = await told(['line', '--data', 'DIR/line.csv', '--target', 'y'])
    expect(version!.metrics).toMatchObject({ mae: 0.25, rmse: 0.5, residuals: { mean: 0.25, quantiles: { min: 0, max: 1 } }, importance: { metric: 'r2', rows: 4 } })
  })

  test('against the target that the manifest names', async () => {
    expect((await told(['flower', '--data', 'DIR/flowers.csv'])).versions).toMatchObject([{ version: '2.0.0', measured: { target: 'answer' }, metrics: { accuracy: 0.75 } }])
    expect(await page(['flower', '--data', 'DIR/flowers.csv'])).toContain('Measured on 4 rows of')
  })

  test('the same file gives the same page', async () => {
    const args = ['flower', '--data', 'DIR/flowers.csv']
    expect(await page(args)).toBe(await page(args))
  })
})

test('without a version it is production\'s, else the latest', async () => {
  for (const [name, version] of [['steady', '1'], ['flower', '2.0.0']] as const) expect((await told([name])).versions).toMatchObject([{ version }])
})

test('--compare tells what the second does better or worse', async () => {
  const { versions, differences } = await told(['--compare', 'flower@1.0.0', 'flower@2.0.0', '--data', 'DIR/flowers.csv', '--target', 'answer'])
  expect(versions.map(({ version }) => version)).toEqual(['1.0.0', '2.0.0'])
  expect(differences).toMatchObject({ accuracy: { first: 0.75, second: 0.75, difference: 0 } })
  expect(await page(['--compare', 'flower@1.0.0', 'flower@2.0.0'])).toContain('<title>flower 1.0.0 and flower 2.0.0: report</title>')
})

test.each([
  [[], 'the version to report on is missing'],
  [['--compare', 'flower'], '--compare takes two versions, not 1'],
  [['flower', 'line'], 'or two with --compare: "line" is an argument too many'],
  [['flower', '--target', 'answer'], '--target names a column of --data, which is missing'],
  [['../flower'], 'cannot be the name of a model'],
])('misuse: %j', async (args, message) => {
  const { code, err } = await report(args)
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) })
})

test.each([
  ['a model that is not there', ['rose'], 'there is no model "rose"'],
  ['a version that is not there', ['flower@9'], 'flower has no version "9"; it has 1.0.0, 2.0.0'],
  ['files that are not what the manifest says', ['broken'], 'broken: model.onnx has 1 bytes, the manifest says'],
  ['different tasks', ['--compare', 'flower', 'line'], 'flower has the task classification, line regression'],
  ['rows for a model without features', ['raw', '--data', 'DIR/line.csv'], 'raw 1 has no features'],
  ['a target that nobody names', ['flower@1.0.0', '--data', 'DIR/flowers.csv'], 'does not name the target: say --target'],
  ['a target that is no column', ['flower', '--data', 'DIR/flowers.csv', '--target', 'colour'], 'has no column "colour", the target'],
  ['a feature that is no column', ['flower', '--data', 'DIR/short.csv'], 'has no column "kind", which the model needs; it has length, answer'],
  ['a value that the model refuses', ['flower', '--data', 'DIR/green.csv'], 'row 2: kind must be one of red, blue'],
  ['a class that the model does not know', ['flower', '--data', 'DIR/tulip.csv'], 'row 2: "answer" is "tulip", which is none of the classes rose, violet'],
  ['a row without its answer', ['flower', '--data', 'DIR/gap.csv'], 'row 2: "answer" is missing'],
  ['a text for a value', ['line', '--data', 'DIR/flowers.csv', '--target', 'kind'], 'has no column "x"'],
  ['a file without rows', ['flower', '--data', 'DIR/empty.csv'], 'empty.csv has no rows'],
  ['a file that is not there', ['flower', '--data', 'DIR/nowhere.csv'], 'nowhere.csv cannot be read: ENOENT'],
  ['a place that cannot be written', ['flower', '--out', 'DIR/nowhere/page.html'], 'page.html cannot be written (ENOENT)'],
])('fails with %s, and leaves nothing behind', async (_, args, message) => {
  const before = await readdir(folder)
  const { code, out, err } = await report(args.includes('--out') ? args : [...args, '--out', 'DIR/never.html'])
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringContaining(message) })
  expect(await readdir(folder)).toEqual(before)
})
