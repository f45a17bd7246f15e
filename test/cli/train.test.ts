import { access, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { train } from '../../src/cli/train.ts'
import { UsageError } from '../../src/cli/verb.ts'
import { FatalError } from '../../src/errors.ts'
import { startProcess } from '../helpers/process.ts'
import { modelport } from './modelport.ts'

let folder: string
let models: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-train-'))
  models = join(folder, 'models')
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i % 3 === 0 ? 'red' : 'blue'},${i < 30 ? 'low' : 'high'}`)
  await writeFile(join(folder, 'data.csv'), ['height,colour,level', ...rows].join('\n'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Runs the verb; `{}` in an argument is the folder of this test. */
async function run (args: readonly string[], env: Record<string, string> = {}): Promise<{ out: string[], err: string[] }> {
  const out: string[] = []
  const err: string[] = []
  await train.run(args.map(arg => arg.replace('{}', folder)), { env: { MODELS_DIR: models, ...env }, out: line => out.push(line), err: line => err.push(line) })
  return { out, err }
}

const flags = ['--data', '{}/data.csv', '--target', 'level', '--name', 'levels', '--trees', '5']

test('a table becomes a version, with a summary of how good it is', async () => {
  const { out } = await run(flags)
  expect(out.join('\n')).toMatch(/^levels 1\.0\.0: classification of 60 rows by height, colour\n {2}12 rows held back: accuracy \d\.\d{3}, f1_macro \d\.\d{3}\n {2}5-fold cross-validation: accuracy \d\.\d{3} ± /)
  expect((await readdir(join(models, 'levels', '1.0.0'))).sort()).toEqual(['baseline.json', 'golden.json', 'manifest.json', 'model.onnx', 'preprocessor.json'])
})

test('--json prints an object for machines', async () => {
  const { out } = await run([...flags, '--json', '--cv', '0', '--version', '2.0.0'])
  expect(out).toHaveLength(1)
  expect(JSON.parse(out[0]!)).toMatchObject({ name: 'levels', version: '2.0.0', folder: join(models, 'levels', '2.0.0'), metrics: { accuracy: expect.any(Number) } })
})

test('columns that may fool are told of, by name', async () => {
  const { out } = await run([...flags, '--json', '--cv', '0'])
  expect(JSON.parse(out[0]!).notices).toEqual([
    'the column "height" is another whole number in every row, as an id is: drop it if it says nothing else',
    'the column "height" alone tells "level" in every row: drop it if callers cannot know it beforehand',
  ])
})

test('boosting, with its params, as the manifest says', async () => {
  await run([...flags, '--algorithm', 'gradient-boosting', '--params', 'learningRate=0.3,maxLeaves=7', '--params', 'subsample=0.8', '--class-weight', 'balanced'])
  const { training } = JSON.parse(await readFile(join(models, 'levels', '1.0.0', 'manifest.json'), 'utf8'))
  expect(training).toMatchObject({
    algorithm: 'gradient-boosting',
    params: { trees: 5, learningRate: 0.3, maxLeaves: 7, subsample: 0.8, colsample: 1, minSamplesLeaf: 6, classWeight: 'balanced' },
    rounds: 5,
  })
})

test.each(['random-forest', 'gradient-boosting'])('%s: any number of threads makes the same files', async algorithm => {
  const made = []
  for (const threads of ['1', '3']) {
    await run([...flags, '--algorithm', algorithm, '--threads', threads, '--version', '1', '--force', '--cv', '2'], { SOURCE_DATE_EPOCH: '1795240800' })
    made.push(await Promise.all(['model.onnx', 'manifest.json'].map(async file => await readFile(join(models, 'levels', '1', file), 'latin1'))))
  }
  expect(made[1]).toEqual(made[0])
})

test('training files, of which flags change a part', async () => {
  for (const name of ['one', 'two']) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify({ name, data: { file: 'data.csv' }, target: { column: 'level' }, params: { trees: 3, maxDepth: 2 } }))
  }
  await run(['--config', '{}/one.json', '--config', '{}/two.json', '--trees', '4', '--seed', '7', '--drop', 'colour', '--out', '{}/other'])
  for (const name of ['one', 'two']) {
    const manifest = JSON.parse(await readFile(join(folder, 'other', name, '1.0.0', 'manifest.json'), 'utf8'))
    expect(manifest).toMatchObject({ name, features: [{ name: 'height' }], training: { dataset: 'data.csv', seed: 7, params: { trees: 4, maxDepth: 2 } } })
  }
})

test('a version that exists is kept, unless forced', async () => {
  await run(flags)
  await expect(run(flags)).rejects.toThrow(/levels 1\.0\.0 already exists .*--force/)
  await run([...flags, '--force', '--seed', '7'])
  const manifest = JSON.parse(await readFile(join(models, 'levels', '1.0.0', 'manifest.json'), 'utf8'))
  expect(manifest.training.seed).toBe(7)
})

test('SOURCE_DATE_EPOCH makes whole versions repeatable', async () => {
  await run(flags, { SOURCE_DATE_EPOCH: '1795240800' })
  const first = await readFile(join(models, 'levels', '1.0.0', 'manifest.json'), 'utf8')
  expect(JSON.parse(first).createdAt).toBe('2026-11-21T06:00:00Z')
  await run([...flags, '--force'], { SOURCE_DATE_EPOCH: '1795240800' })
  expect(await readFile(join(models, 'levels', '1.0.0', 'manifest.json'), 'utf8')).toBe(first)
})

test.each([
  [['--target', 'level', '--name', 'levels'], '--data is missing'],
  [['--data', 'x.csv', '--name', 'levels'], '--target is missing'],
  [['--data', 'x.csv', '--target', 'level'], '--name is missing'],
  [['--data', 'x.csv', '--config', 'x.json'], '--data and --config exclude each other'],
  [['--config', 'a.json', '--config', 'b.json', '--name', 'levels'], 'are for one model'],
  [[...flags, '--trees', '0'], '--trees must be a whole number from 1 to 10000, not "0"'],
  [[...flags, '--max-depth', 'deep'], '--max-depth must be a whole number'],
  [[...flags, '--seed', '-1'], /seed/],
  [[...flags, '--threads', '0'], '--threads must be a whole number from 1 to 256, not "0"'],
  [[...flags, '--cv', '1'], '--cv must be 0 or at least 2'],
  [[...flags, '--algorithm', 'magic'], '--algorithm must be random-forest or gradient-boosting, not "magic"'],
  [[...flags, '--class-weight', 'mine'], '--class-weight must be balanced'],
  [[...flags, '--params', 'learningRate'], '--params takes NAME=VALUE,NAME=VALUE, not "learningRate"'],
  [[...flags, '--params', 'learningRate=2'], /--params: .*learningRate/],
  [[...flags, '--params', 'colour=red'], /--params: .*colour/],
  [[...flags, '--colour', 'red'], /Unknown option '--colour'/],
  [[...flags, 'data.csv'], /Unexpected argument/],
])('misuse: %j', async (args, message) => {
  await expect(run(args)).rejects.toThrow(UsageError)
  await expect(run(args)).rejects.toThrow(message)
})

test.each([
  ['a file that is not there', ['--data', '{}/nowhere.csv', '--target', 'level', '--name', 'levels'], /nowhere\.csv cannot be read: ENOENT/],
  ['a training file that is not there', ['--config', '{}/nowhere.json'], /nowhere\.json cannot be read: ENOENT/],
  ['a training file of the wrong shape', ['--config', '{}/wrong.json'], /wrong\.json: .*must have data, target/],
  ['a target that is not there', ['--data', '{}/data.csv', '--target', 'price', '--name', 'levels'], /no column "price"; it has height, colour, level/],
  ['a param of the other algorithm', ['--data', '{}/data.csv', '--target', 'level', '--name', 'levels', '--params', 'l2=1'], /params\.l2 is not for random-forest: it takes trees, /],
  ['balanced classes of a quantity', ['--data', '{}/data.csv', '--target', 'height', '--name', 'levels', '--class-weight', 'balanced'], /params\.classWeight is for a classification, but "height" is a quantity/],
  ['a class that the folds cannot share', ['--data', '{}/data.csv', '--target', 'level', '--name', 'levels', '--cv', '31'], /"level" is "high" in 30 of 60 rows: at least 31 are needed/],
  ['a target of one class', ['--data', '{}/one.csv', '--target', 'y', '--name', 'levels'], /"y" is "a" in every row: there is nothing to learn/],
  ['a name that cannot be one', ['--data', '{}/data.csv', '--target', 'level', '--name', '../levels'], /cannot be the name of a model/],
])('fails with %s, and writes nothing', async (_, args, message) => {
  await writeFile(join(folder, 'wrong.json'), '{"name": "x"}')
  await writeFile(join(folder, 'one.csv'), ['x,y', ...Array.from({ length: 20 }, (_, i) => `${i},a`)].join('\n'))
  await expect(run(args)).rejects.toThrow(FatalError)
  await expect(run(args)).rejects.toThrow(message)
  await expect(access(models)).rejects.toThrow()
})

test('every flag is explained', () => {
  for (const flag of ['config', 'data', 'target', 'name', 'version', 'drop', 'algorithm', 'trees', 'max-depth', 'params', 'class-weight', 'seed', 'cv', 'threads', 'out', 'force', 'json']) {
    expect(train.help).toContain(`--${flag} `)
  }
})

describe('how far it is', () => {
  async function watched (more: readonly string[], isTTY: boolean): Promise<{ screen: string, err: string }> {
    const screen = Object.assign(new PassThrough(), { isTTY })
    const args = ['train', ...flags, ...more].map(arg => arg.replace('{}', folder))
    const { code, err } = await modelport(args, { env: { MODELS_DIR: models }, in: { stream: Readable.from([]), isTerminal: true, questions: screen } })
    expect(code).toBe(0)
    return { screen: String(screen.read() ?? '').replaceAll('\x1B[K', ''), err }
  }

  test('stands on a terminal as a bar: which model, which tree, and the time', async () => {
    const { screen, err } = await watched(['--cv', '3'], true)
    expect(screen).toMatch(/^\r\[\.{24}\] 0% {2}levels: the rows held back, tree 0 of 5 {2}0:00/)
    expect(screen).toMatch(/\r\[#{24}\] 100% {2}levels: the model, tree 5 of 5 {2}0:\d\d\n$/)
    expect(err).not.toContain('fold')
  })

  test('is a line for each model elsewhere', async () => {
    expect(await watched(['--cv', '2'], false)).toEqual({
      screen: '',
      err: expect.stringMatching(/^levels: 60 rows, 2 features, 5 trees\nlevels: fitting the rows held back\nlevels: fitting fold 1 of 2\nlevels: fitting fold 2 of 2\nlevels: fitting the model\n/),
    })
  })

  test('is not told beside --json', async () => {
    expect(await watched(['--json'], true)).toEqual({ screen: '', err: '' })
  })
})

describe('a process that is killed', { timeout: 60_000 }, () => {
  const args = () => ['train', ...flags.map(flag => flag.replace('{}', folder)), '--out', models, '--cv', '20', '--threads', '2']

  async function versions (): Promise<{ version: string, faults: unknown[] }[]> {
    const { code, out } = await modelport(['models', '--models', models, '--json'])
    expect(code).toBe(0)
    return JSON.parse(out) as { version: string, faults: unknown[] }[]
  }

  test('while it learns leaves nothing, and the next training of the same version works', async () => {
    await run([...flags, '--version', '0.9.0'])
    const killed = startProcess({}, ['dist/cli.js', ...args()])
    await killed.until(/fitting fold 3 of 20/)
    killed.child.kill('SIGKILL')
    expect(await killed.exit()).toBeNull()
    expect(await versions()).toMatchObject([{ version: '0.9.0', faults: [] }])
    expect(await readdir(join(models, 'levels'))).toEqual(['0.9.0'])
    expect((await modelport(args())).code).toBe(0)
    expect(await versions()).toMatchObject([{ version: '0.9.0', faults: [] }, { version: '1.0.0', faults: [] }])
  })

  test('while it writes leaves a whole version or none', async () => {
    const killed = startProcess({}, ['dist/cli.js', ...args(), '--trees', '500'])
    // Once there is the first of its files, and wherever it then is.
    while (killed.child.exitCode === null && (await readdir(join(models, 'levels')).catch(() => [])).length === 0);
    killed.child.kill('SIGKILL')
    await killed.exit()
    const left = await versions()
    expect(left.flatMap(({ faults }) => faults)).toEqual([])
    expect((await modelport([...args(), ...(left.length > 0 ? ['--force'] : [])])).code).toBe(0)
    expect(await versions()).toMatchObject([{ version: '1.0.0', faults: [] }])
  })
})
