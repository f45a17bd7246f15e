import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Golden } from '../../src/artifact/golden.ts'
import { type Files, flowerFeatures, flowerFiles, flowerOnnx, flowerProbabilities, regressionFiles, repository, withManifest } from '../helpers/models.ts'
import { modelport } from './modelport.ts'

const committed = resolve(import.meta.dirname, '../../models')
const golden = flowerFiles()['golden.json'] as Golden

let models: Awaited<ReturnType<typeof repository>> | undefined

afterEach(async () => {
  await models?.remove()
  models = undefined
})

async function verify (contents: Parameters<typeof repository>[0], ...args: string[]) {
  models = await repository(contents)
  return await modelport(['verify', ...args], { env: { MODELS_DIR: models.path } })
}

/** The flower with other files, whose hashes are right. */
function flower (different: Files, manifest: Parameters<typeof withManifest>[1] = {}): Files {
  const { 'manifest.json': _, ...files } = flowerFiles()
  return withManifest({ ...files, ...different }, manifest)
}

/** The flower with golden rows that it does not give. */
function flowerWith (rows: Golden['rows']): Files {
  return flower({ 'golden.json': { schemaVersion: 1, rows } })
}

describe('what is sound', () => {
  test('the committed models, a line each', async () => {
    const { code, out, err } = await modelport(['verify', '--models', committed])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')).toEqual(['iris', 'mpg', 'penguins'].map(name =>
      expect.stringMatching(new RegExp(`^${name} 1\\.0\\.0 {2}ok in \\d+ ms: 20 golden rows reproduced, largest deviation \\d\\.\\de-\\d+$`))))
  })

  test('a version without golden rows, with a warning', async () => {
    const { code, out } = await verify({ 'line/1.0.0': regressionFiles() })
    expect(code).toBe(0)
    expect(out).toMatch(/^line 1\.0\.0 {2}ok in \d+ ms\n {2}warning: no golden\.json: /)
  })

  test('a folder with a model.onnx alone', async () => {
    const { code, out } = await verify({ 'raw/1': { 'model.onnx': flowerOnnx() } })
    expect(code).toBe(0)
    expect(out).toMatch(/^raw 1 {2}ok in \d+ ms\n {2}warning: no manifest\.json: /)
  })

  test('--json, for machines', async () => {
    const { code, out } = await verify({ 'flower/1.0.0': flowerFiles() }, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      ok: true,
      versions: [{ name: 'flower', version: '1.0.0', ok: true, faults: [], warnings: [], golden: { rows: 2, reproduced: 2, largestDeviation: expect.any(Number) }, tookMs: expect.any(Number) }],
      models: [{ name: 'flower', faults: [] }],
    })
  })
})

describe('takes', () => {
  const contents = { 'flower/1.0.0': flowerFiles(), 'flower/2.0.0': flowerFiles('flower', '2.0.0'), 'line/1.0.0': regressionFiles(), 'line/aliases.json': '{"canary": "9"}' }

  test.each<[string, string[], string[]]>([
    ['a model', ['flower'], ['flower 1.0.0', 'flower 2.0.0']],
    ['a version', ['flower@2.0.0'], ['flower 2.0.0']],
    ['a version whose model has bad aliases', ['line@1.0.0'], ['line 1.0.0']],
  ])('%s', async (_name, args, versions) => {
    const { code, out } = await verify(contents, ...args)
    expect(code).toBe(0)
    expect(out.split('\n').filter(line => !line.startsWith(' ')).map(line => line.split('  ')[0])).toEqual(versions)
  })

  test('the folder of a version, wherever it is', async () => {
    models = await repository({ 'flower/1.0.0': flowerFiles() })
    await rename(join(models.path, 'flower/1.0.0'), join(models.path, 'unpacked'))
    expect((await modelport(['verify', join(models.path, 'unpacked')])).out).toMatch(/^flower 1\.0\.0 {2}ok in \d+ ms: 2 golden rows/)
  })

  test('the folder of a version in the repository, under the names that the server sees', async () => {
    models = await repository({ 'flower/1.0.1': flowerFiles() })
    const { code, out } = await modelport(['verify', join(models.path, 'flower/1.0.1')], { env: { MODELS_DIR: models.path } })
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('BAD_MANIFEST: manifest.json: /version: is "1.0.0", but the folder is "1.0.1"') })
  })

  test('another repository', async () => {
    models = await repository({ 'flower/1.0.0': flowerFiles() })
    expect((await modelport(['verify', `${models.path}/`])).out).toMatch(/^flower 1\.0\.0 {2}ok/)
  })
})

describe('tells every fault', () => {
  test('of the files', async () => {
    const contents: Files = { ...flowerFiles(), 'baseline.json': '{}' }
    const stale = JSON.parse(JSON.stringify(contents['manifest.json'])) as { files: Record<string, { sha256: string, bytes: number }> }
    stale.files['model.onnx']!.sha256 = '0'.repeat(64)
    stale.files['preprocessor.json']!.bytes++
    stale.files['weights.bin'] = { sha256: '0'.repeat(64), bytes: 1 }
    const { code, out, err } = await verify({ 'flower/1.0.0': { ...contents, 'manifest.json': stale } })
    expect({ code, err }).toEqual({ code: 1, err: 'modelport verify: there are 4 faults' })
    expect(out.split('\n').map(line => line.replaceAll(/\d+ (ms|bytes)|[0-9a-f]{64}/g, '…').replace(/says \d+/, 'says …'))).toEqual([
      'flower 1.0.0  FAILED in …',
      '  HASH_MISMATCH: model.onnx has SHA-256 …, the manifest says …',
      '  HASH_MISMATCH: preprocessor.json has …, the manifest says …',
      '  MISSING_FILE: weights.bin is missing',
      '  UNLISTED_FILE: baseline.json is in the folder but not in the manifest\'s files: list it with its sha256 and bytes, or remove it',
    ])
  })

  test('of changed files and of what they lead to', async () => {
    const contents = { ...flowerFiles(), 'golden.json': { schemaVersion: 1, rows: [{ ...golden.rows[0], prediction: 1 }] } }
    const { code, out } = await verify({ 'flower/1.0.0': contents })
    expect(code).toBe(1)
    expect(out).toContain('\n  HASH_MISMATCH: golden.json has ')
    expect(out).toContain('\n  GOLDEN_MISMATCH: golden.json: /rows/0/prediction is 1, the model gives 0')
  })

  test('of golden rows, with the row and both numbers', async () => {
    const [p] = flowerProbabilities(6, 'red', 2)
    const rows = [
      { row: { length: 6, kind: 'red', age: 2 }, prediction: 1, probabilities: [p + 0.1, 1 - p] },
      golden.rows[1]!,
      { row: { length: 99, kind: 'green' }, prediction: 0 },
      { row: { length: 2, kind: 'blue' }, prediction: 0 },
    ]
    const { code, out, err } = await verify({ 'flower/1.0.0': flowerWith(rows) })
    expect({ code, err }).toEqual({ code: 1, err: 'modelport verify: there are 3 faults' })
    const [head, ...lines] = out.split('\n')
    expect(head).toMatch(/^flower 1\.0\.0 {2}FAILED in \d+ ms: 1 of 4 golden rows reproduced, largest deviation 1\.0e\+0$/)
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}GOLDEN_MISMATCH: golden\.json: \/rows\/0\/prediction is 1, the model gives 0; \/rows\/0\/probabilities\/0 is [\d.]+, the model gives 0\.\d+$/),
      '  BAD_GOLDEN: golden.json: /rows/2/row/length must be at most 30; /rows/2/row/kind must be one of red, blue',
      '  GOLDEN_MISMATCH: golden.json: /rows/3/prediction is 0, the model gives 1',
    ])
  })

  test('of golden rows, for machines', async () => {
    const { code, out } = await verify({ 'flower/1.0.0': flowerWith([{ row: { length: 2, kind: 'blue' }, prediction: 0 }]) }, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      versions: [{
        ok: false,
        golden: { rows: 1, reproduced: 0, largestDeviation: 1 },
        faults: [{ reason: 'GOLDEN_MISMATCH', row: 0, differences: [{ path: '/rows/0/prediction', expected: 0, given: 1 }] }],
      }],
    })
  })

  test('of inputs and outputs', async () => {
    const { code, out } = await verify({ 'flower/1.0.0': flower({ 'model.onnx': flowerOnnx(3) }, { outputs: { label: 'class', probabilities: 'shares' } }) })
    expect(code).toBe(1)
    expect(out.split('\n').slice(1)).toEqual([
      '  SIGNATURE_MISMATCH: the model\'s input has the shape [rows, 3], its preprocessor gives [rows, 4]',
      '  SIGNATURE_MISMATCH: the model has no output "class"; its outputs are label, probabilities',
      '  SIGNATURE_MISMATCH: the model has no output "shares"; its outputs are label, probabilities',
    ])
  })

  test('of the whole repository, and still what is sound', async () => {
    const { code, out, err } = await verify({
      'flower/1.0.0': flowerFiles(),
      'flower/2.0.0': flowerFiles(),
      'flower/aliases.json': '{"production": "1.0.0", "canary": {"version": "3.0.0", "weight": 0.1}, "shadow": "4.0.0"}',
      'line/1.0.0': regressionFiles(),
      'line/aliases.json': '{"production": 1}',
      'repository.json': '{"default": "tulip"}',
      'empty/not a version/x': 'x',
    })
    expect(code).toBe(1)
    expect(out.split('\n').map(line => line.replace(/(ok|FAILED) in .*/, '$1'))).toEqual([
      'tulip  FAILED',
      '  MODEL_NOT_FOUND: repository.json names it, and there is no such model',
      'flower  FAILED',
      '  BAD_ALIASES: aliases.json: canary is "3.0.0", and there is no such version',
      '  BAD_ALIASES: aliases.json: shadow is "4.0.0", and there is no such version',
      'flower 1.0.0  ok',
      'flower 2.0.0  FAILED',
      '  BAD_MANIFEST: manifest.json: /version: is "1.0.0", but the folder is "2.0.0"',
      'line  FAILED',
      expect.stringMatching(/^ {2}BAD_ALIASES: aliases\.json: \/production must be string/),
      'line 1.0.0  ok',
      expect.stringMatching(/^ {2}warning: no golden\.json/),
    ])
    expect(err.split('\n')).toEqual([
      'warning: empty/not a version is neither a model nor a version, or cannot be read',
      'warning: empty has no version',
      'modelport verify: there are 5 faults',
    ])
  })
})

describe('finds', () => {
  test.each<[string, Files, RegExp]>([
    ['a file that is no ONNX', flower({ 'model.onnx': new Uint8Array([1, 2, 3]) }), /BAD_MODEL: model\.onnx: /],
    ['a manifest that is no JSON', { ...flowerFiles(), 'manifest.json': '{' }, /BAD_MANIFEST: manifest\.json: is not JSON/],
    ['a manifest of the wrong shape', { ...flowerFiles(), 'manifest.json': {} }, /BAD_MANIFEST: manifest\.json: .*must have schemaVersion, name/],
    ['a preprocessor of the wrong shape', flower({ 'preprocessor.json': '{}' }), /BAD_PREPROCESSOR: preprocessor\.json: /],
    ['golden rows of the wrong shape', flower({ 'golden.json': '{}' }), /BAD_GOLDEN: golden\.json: /],
    ['a baseline of the wrong shape', flower({ 'baseline.json': '[]' }), /BAD_BASELINE: baseline\.json: /],
    ['no model', { 'README.md': 'x' }, /MISSING_FILE: neither manifest\.json nor model\.onnx is there/],
    ['a feature that the preprocessor does not know', flower({}, { features: flowerFeatures.slice(1) }), /BAD_PREPROCESSOR: .*length/],
  ])('%s', async (_name, files, fault) => {
    const { code, out, err } = await verify({ 'flower/1.0.0': files })
    expect({ code, err }).toEqual({ code: 1, err: 'modelport verify: there is one fault' })
    expect(out).toMatch(/^flower 1\.0\.0 {2}FAILED in \d+ ms(:|$)/m)
    expect(out).toMatch(fault)
  })

  test('a link that leads out of the version', async () => {
    models = await repository({ 'flower/1.0.0': flowerFiles() })
    const path = join(models.path, 'flower/1.0.0/model.onnx')
    await rm(path)
    await symlink('/etc/hostname', path)
    const { code, out } = await modelport(['verify', 'flower'], { env: { MODELS_DIR: models.path } })
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('OUTSIDE_FOLDER: model.onnx is a link out of the version\'s folder') })
  })
})

describe('fails, and says why', () => {
  test.each<[string, string[], string]>([
    ['no such model', ['tulip'], 'there is no model "tulip"; the models are flower'],
    ['no such version', ['flower@2'], 'flower has no version "2"; it has 1.0.0'],
    ['no such folder', ['./nowhere'], 'the folder ./nowhere cannot be read (ENOENT)'],
    ['no such repository', ['--models', './nowhere'], 'the folder ./nowhere cannot be read (ENOENT)'],
  ])('%s', async (_name, args, message) => {
    const { code, out, err } = await verify({ 'flower/1.0.0': flowerFiles() }, ...args)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
  })

  test('a repository without a version', async () => {
    models = await repository({ 'note.txt': 'x' })
    await mkdir(join(models.path, 'flower'))
    const { code, err } = await modelport(['verify', '--models', models.path])
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('there is no version to verify') })
  })

  test('a repository.json that is none', async () => {
    models = await repository({ 'flower/1.0.0': flowerFiles() })
    await writeFile(join(models.path, 'repository.json'), '[]')
    expect(await modelport(['verify', '--models', models.path])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('repository.json in ') })
  })
})

test.each<[string, string[], string]>([
  ['two arguments', ['flower', 'line'], '"line" is an argument too many'],
  ['a name that cannot be one', ['-'], '"-" cannot be the name of a model'],
  ['an empty version', ['flower@'], '"" cannot be a version'],
  ['an unknown flag', ['--deep'], '--deep'],
])('is misused with %s, and says how', async (_name, args, message) => {
  const { code, out, err } = await modelport(['verify', ...args])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(message)
})
