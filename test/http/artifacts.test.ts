import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Reason } from '../../src/artifact/artifact-error.ts'
import type { Manifest } from '../../src/artifact/manifest.ts'
import { model, node } from '../../src/onnx/build.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { type Files, flowerFeatures, flowerFiles, flowerOnnx, flowerPreprocessor, regressionFiles, repository, withManifest } from '../helpers/models.ts'
import { expectProblem } from './problem.ts'

const row = { length: 5, kind: 'red' }
const sound = flowerFiles('flower', '2.0.0')
const onnx = sound['model.onnx'] as Uint8Array
const golden = sound['golden.json'] as { schemaVersion: number, rows: { row: object, prediction: number, probabilities: number[] }[] }
const { 'manifest.json': _manifest, ...unlisted } = sound
const manifest = sound['manifest.json'] as Manifest

/** Sound but for what is given, and the manifest vouches for it. */
function signed (files: Files = {}, different: Partial<Manifest> = {}): Files {
  return withManifest({ ...unlisted, ...files }, { version: '2.0.0', ...different })
}

/** Sound but for what is given, and the manifest knows nothing of it. */
function tampered (files: Files): Files {
  return { ...sound, ...files }
}

function without (file: string): Files {
  const { [file]: _gone, ...others } = sound
  return others
}

function oneByteChanged (bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes)
  const middle = changed.length >> 1
  changed[middle] = (changed[middle] ?? 0) ^ 1
  return changed
}

const twoInputs = model({
  graph: {
    inputs: [{ name: 'X', type: 'float32', shape: ['rows', 4] }, { name: 'Z', type: 'float32', shape: ['rows', 4] }],
    outputs: [{ name: 'label', type: 'int64', shape: ['rows'] }, { name: 'probabilities', type: 'float32', shape: ['rows', 4] }],
    nodes: [node('Add', ['X', 'Z'], ['sum']), node('Softmax', ['sum'], ['probabilities'], { axis: 1n }), node('ArgMax', ['sum'], ['label'], { axis: 1n, keepdims: 0n })],
  },
})

const doubleInput = model({
  graph: {
    inputs: [{ name: 'X', type: 'float64', shape: ['rows', 4] }],
    outputs: [{ name: 'probabilities', type: 'float64', shape: ['rows', 4] }],
    nodes: [node('Identity', ['X'], ['probabilities'])],
  },
})

const unknownOperator = model({
  graph: {
    inputs: [{ name: 'X', type: 'float32', shape: ['rows', 4] }],
    outputs: [{ name: 'probabilities', type: 'float32', shape: ['rows', 2] }],
    nodes: [node('Divine', ['X'], ['probabilities'])],
  },
})

const wrongGolden = { ...golden, rows: [golden.rows[0], { ...golden.rows[1], probabilities: [0.9, 0.1] }] }
const refusedGolden = { ...golden, rows: [{ row: { length: 31, kind: 'red' }, prediction: 0 }] }
const misspeltGolden = { ...golden, rows: [{ row: { length: 5, kind: 'red', colour: 'red' }, prediction: 0 }] }
const otherPreprocessor = { ...flowerPreprocessor, columns: [...flowerPreprocessor.columns.slice(1), { feature: 'petal', steps: [] }] }
const feature = (name: string) => [...flowerFeatures.slice(0, 2), { name, type: 'number' as const, required: false }]
const secret = 'top-secret'

const bad: [what: string, files: Files, reason: Reason, detail: string | RegExp][] = [
  ['is empty', { 'notes.txt': 'later' }, 'MISSING_FILE', 'neither manifest.json nor model.onnx is there'],
  ['lacks its model', without('model.onnx'), 'MISSING_FILE', 'model.onnx is missing'],
  ['lacks its preprocessor', without('preprocessor.json'), 'MISSING_FILE', 'preprocessor.json is missing'],
  ['lacks its golden rows', without('golden.json'), 'MISSING_FILE', 'golden.json is missing'],
  ['has a manifest without a model', withManifest({ 'preprocessor.json': flowerPreprocessor }, { version: '2.0.0' }), 'BAD_MANIFEST', /\/files: must list model\.onnx/],
  ['has a truncated model', tampered({ 'model.onnx': onnx.subarray(0, onnx.length - 20) }), 'HASH_MISMATCH', `model.onnx has ${onnx.length - 20} bytes, the manifest says ${onnx.length}`],
  ['has an empty model', tampered({ 'model.onnx': '' }), 'HASH_MISMATCH', `model.onnx has 0 bytes, the manifest says ${onnx.length}`],
  ['has a model with one byte changed', tampered({ 'model.onnx': oneByteChanged(onnx) }), 'HASH_MISMATCH', /^model\.onnx has SHA-256 /],
  ['has a preprocessor with one digit changed', tampered({ 'preprocessor.json': JSON.stringify(flowerPreprocessor).replace('"mean":5', '"mean":6') }), 'HASH_MISMATCH', /^preprocessor\.json has SHA-256 /],
  ['has other golden rows', tampered({ 'golden.json': wrongGolden }), 'HASH_MISMATCH', /^golden\.json has /],
  ['has a golden.json that nothing vouches for', { ...withManifest({ 'model.onnx': onnx, 'preprocessor.json': flowerPreprocessor }, { version: '2.0.0' }), 'golden.json': golden }, 'UNLISTED_FILE', /^golden\.json is in the folder but not in the manifest's files/],
  ['has a preprocessor that nothing vouches for', { ...withManifest({ 'model.onnx': onnx }, { version: '2.0.0' }), 'preprocessor.json': flowerPreprocessor }, 'UNLISTED_FILE', /^preprocessor\.json is in the folder/],
  ['has a model of two inputs', signed({ 'model.onnx': twoInputs }), 'SIGNATURE_MISMATCH', 'the model has 2 inputs, its preprocessor fills one'],
  ['has a model of another width', signed({ 'model.onnx': flowerOnnx(5) }), 'SIGNATURE_MISMATCH', 'the model\'s input has the shape [rows, 5], its preprocessor gives [rows, 4]'],
  ['has a model of another input type', signed({ 'model.onnx': doubleInput }, { outputs: { probabilities: 'probabilities' } }), 'SIGNATURE_MISMATCH', 'the model\'s input is float64, its preprocessor gives float32'],
  ['has a model of another width and no preprocessor', withManifest({ 'model.onnx': flowerOnnx(5) }, { version: '2.0.0', features: flowerFeatures.filter(({ type }) => type === 'number') }), 'SIGNATURE_MISMATCH', 'the model\'s input has the shape [rows, 5], its preprocessor gives [rows, 2]'],
  ['has a preprocessor for an unknown feature', signed({ 'preprocessor.json': otherPreprocessor }), 'BAD_PREPROCESSOR', /the manifest has no feature "petal"/],
  ['has a preprocessor for another input', signed({ 'preprocessor.json': { ...flowerPreprocessor, output: { name: 'input', type: 'float32' } } }), 'SIGNATURE_MISMATCH', 'the model\'s input is "X", its preprocessor fills "input"'],
  ['has a preprocessor for another type', signed({ 'preprocessor.json': { ...flowerPreprocessor, output: { name: 'X', type: 'float64' } } }), 'SIGNATURE_MISMATCH', 'the model\'s input is float32, its preprocessor gives float64'],
  ['has a preprocessor with an unknown step', signed({ 'preprocessor.json': { ...flowerPreprocessor, columns: [{ feature: 'length', steps: [{ sqrt: true }] }] } }), 'BAD_PREPROCESSOR', /^preprocessor\.json: \/columns\/0\/steps\/0/],
  ['has a preprocessor that is not JSON', signed({ 'preprocessor.json': '{' }), 'BAD_PREPROCESSOR', /^preprocessor\.json: is not JSON/],
  ['names an output that is not there', signed({}, { outputs: { label: 'label', probabilities: 'scores' } }), 'SIGNATURE_MISMATCH', 'the model has no output "scores"; its outputs are label, probabilities'],
  ['has a label too many', signed({}, { labels: ['rose', 'violet', 'tulip'] }), 'SIGNATURE_MISMATCH', /^the output "probabilities" of 2 rows has the shape \[2, 2\], not \[2, 3\]$/],
  ['has a label too many and no golden rows', withManifest({ 'model.onnx': onnx, 'preprocessor.json': flowerPreprocessor }, { version: '2.0.0', labels: ['rose', 'violet', 'tulip'] }), 'SIGNATURE_MISMATCH', /^the output "probabilities" of 1 rows? has the shape \[1, 2\], not \[1, 3\]$/],
  ['has a golden row that does not reproduce', signed({ 'golden.json': wrongGolden }), 'GOLDEN_MISMATCH', /^golden\.json: \/rows\/1\/probabilities\/0 is 0\.9, the model gives 0\.00/],
  ['has a golden row of another class', signed({ 'golden.json': { ...golden, rows: [{ ...golden.rows[0], prediction: 1 }] } }), 'GOLDEN_MISMATCH', 'golden.json: /rows/0/prediction is 1, the model gives 0'],
  ['has a golden row with a probability too many', signed({ 'golden.json': { ...golden, rows: [{ ...golden.rows[0], probabilities: [...golden.rows[0]!.probabilities, 0] }] } }), 'GOLDEN_MISMATCH', /^golden\.json: \/rows\/0\/probabilities\/2 is 0, the model gives undefined$/],
  ['has a golden row that the features refuse', signed({ 'golden.json': refusedGolden }), 'BAD_GOLDEN', 'golden.json: /rows/0/row/length must be at most 30'],
  ['has a golden row with another feature', signed({ 'golden.json': misspeltGolden }), 'BAD_GOLDEN', 'golden.json: /rows/0/row/colour is not a feature; the features are length, kind, age'],
  ['has no golden row in golden.json', signed({ 'golden.json': { schemaVersion: 1, rows: [] } }), 'BAD_GOLDEN', /^golden\.json: \/rows/],
  ['has a baseline of another shape', signed({ 'baseline.json': { schemaVersion: 2 } }), 'BAD_BASELINE', /^baseline\.json: /],
  ['has garbage with the right hash', signed({ 'model.onnx': 'this is no model' }), 'BAD_MODEL', /^model\.onnx: /],
  ['has an empty file with the right hash', signed({ 'model.onnx': '' }), 'BAD_MODEL', 'model.onnx: the file is empty'],
  ['has an operator that there is not', signed({ 'model.onnx': unknownOperator }), 'BAD_MODEL', /^model\.onnx: .*Divine/],
  ['has a bare model that is garbage', { 'model.onnx': 'this is no model' }, 'BAD_MODEL', /^model\.onnx: /],
  ['has a manifest that is not JSON', tampered({ 'manifest.json': '{"schemaVersion": 1,' }), 'BAD_MANIFEST', /^manifest\.json: is not JSON/],
  ['has an empty manifest', tampered({ 'manifest.json': '' }), 'BAD_MANIFEST', /^manifest\.json: is not JSON/],
  ['has a manifest in another encoding', tampered({ 'manifest.json': Buffer.from(JSON.stringify({ ...manifest, description: 'gr\u00fcn' }), 'latin1') }), 'BAD_MANIFEST', /^manifest\.json: is not JSON/],
  ['has a manifest that is a list', tampered({ 'manifest.json': '[]' }), 'BAD_MANIFEST', /^manifest\.json: \/ /],
  ['has a manifest without a key', tampered({ 'manifest.json': { ...manifest, files: undefined } }), 'BAD_MANIFEST', /^manifest\.json: .*files/],
  ['has a manifest of another schema version', tampered({ 'manifest.json': { ...manifest, schemaVersion: 2 } }), 'BAD_MANIFEST', /^manifest\.json: \/schemaVersion/],
  ['has a manifest with an unknown task', tampered({ 'manifest.json': { ...manifest, task: 'clustering' } }), 'BAD_MANIFEST', /^manifest\.json: \/task/],
  ['has a classification without labels', tampered({ 'manifest.json': { ...manifest, labels: undefined } }), 'BAD_MANIFEST', /\/labels: is required for a classification/],
  ['has another name than its folder', signed({}, { name: 'rose' }), 'BAD_MANIFEST', 'manifest.json: /name: is "rose", but the folder is "flower"'],
  ['has another version than its folder', signed({}, { version: '2.0.1' }), 'BAD_MANIFEST', 'manifest.json: /version: is "2.0.1", but the folder is "2.0.0"'],
  ['has a path for a name', signed({}, { name: '../flower' }), 'BAD_MANIFEST', /\/name: must be 1 to 64 characters/],
  ['has a path for a version', signed({}, { version: '../2.0.0' }), 'BAD_MANIFEST', /\/version: must be 1 to 64 characters/],
  ['lists a file above the folder', signed({}, { files: { ...manifest.files, '../secret.txt': { sha256: '0'.repeat(64), bytes: secret.length } } }), 'BAD_MANIFEST', /\/files: "\.\.\/secret\.txt" must be the name of a file in the version's own folder/],
  ['lists an absolute path', signed({}, { files: { ...manifest.files, '/etc/hostname': { sha256: '0'.repeat(64), bytes: 1 } } }), 'BAD_MANIFEST', /\/files: "\/etc\/hostname" must be/],
  ['lists ..', signed({}, { files: { ...manifest.files, '..': { sha256: '0'.repeat(64), bytes: 1 } } }), 'BAD_MANIFEST', /\/files: "\.\." must be/],
  ...['features', 'instances', 'constructor', '__proto__', 'toString'].map((name): typeof bad[number] =>
    [`has a feature called ${name}`, signed({}, { features: feature(name) }), 'BAD_MANIFEST', `manifest.json: /features/2/name: "${name}" is reserved`]),
  ['has a feature twice', signed({}, { features: feature('length') }), 'BAD_MANIFEST', /\/features: "length" occurs twice/],
  ['has a link out of its folder', { ...without('model.onnx'), 'model.onnx -> ../../secret.txt': '' }, 'OUTSIDE_FOLDER', 'model.onnx is a link out of the version\'s folder'],
  ['has a manifest that is a link out of its folder', { ...without('manifest.json'), 'manifest.json -> ../../secret.txt': '' }, 'OUTSIDE_FOLDER', 'manifest.json is a link out of the version\'s folder'],
  ['has a link to the version beside it', { ...without('model.onnx'), 'model.onnx -> ../1.0.0/model.onnx': '' }, 'OUTSIDE_FOLDER', 'model.onnx is a link out of the version\'s folder'],
  ['has a link that leads nowhere', { ...without('model.onnx'), 'model.onnx -> gone.onnx': '' }, 'MISSING_FILE', 'model.onnx is missing'],
  ['has a folder for a file', { ...without('model.onnx'), 'model.onnx/x': '' }, 'UNREADABLE', 'model.onnx cannot be read (EISDIR)'],
]

/** `a -> b` among the files is a link. */
async function withLinks (contents: Record<string, Files | string>): ReturnType<typeof repository> {
  const isLink = (file: string) => file.includes(' -> ')
  const plain = Object.entries(contents).map(([folder, files]): [string, Files | string] =>
    [folder, typeof files === 'string' ? files : Object.fromEntries(Object.entries(files).filter(([file]) => !isLink(file)))])
  const models = await repository(Object.fromEntries(plain))
  for (const [folder, files] of Object.entries(contents)) {
    for (const link of Object.keys(files).filter(isLink)) {
      const [name = '', target = ''] = link.split(' -> ')
      await symlink(target, join(models.path, folder, name))
    }
  }
  return models
}

/** A flower among others, until the test ends. */
async function serving (contents: Record<string, Files | string>): Promise<TestApp> {
  const models = await withLinks({ 'line/1.0.0': regressionFiles(), ...contents })
  onTestFinished(models.remove)
  const server = await startApp({}, { MODELS_DIR: models.path, DEFAULT_MODEL: 'line' })
  onTestFinished(server.close)
  return server
}

/** The same version for a folder of another name, where its manifest had that of its folder. */
function renamed (files: Files, name: string): Files {
  const found = files['manifest.json'] as Manifest | undefined
  return found?.name === 'flower' ? { ...files, 'manifest.json': { ...found, name } } : files
}

describe('a version that', () => {
  const cases = bad.map(([what, files, reason, detail], i) => ({ what, files, reason, detail, name: `flower-${i}` }))
  let server: TestApp
  let models: Awaited<ReturnType<typeof repository>>
  beforeAll(async () => {
    models = await withLinks({
      'line/1.0.0': regressionFiles(),
      'secret.txt': secret,
      ...Object.fromEntries(cases.flatMap(({ name, files }) => [[`${name}/1.0.0`, flowerFiles(name, '1.0.0')], [`${name}/2.0.0`, renamed(files, name)]])),
    })
    server = await startApp({}, { MODELS_DIR: models.path, DEFAULT_MODEL: 'line' })
  })
  afterAll(async () => {
    await server.close()
    await models.remove()
  })

  test.each(cases.map(found => [found.what, found] as const))('%s is not served, says why, and hurts no other', async (_, { name, reason, detail }) => {
    const expected = typeof detail === 'string' ? detail.replace('"flower"', `"${name}"`) : expect.stringMatching(detail)

    const refused = await server.post(`/models/${name}/versions/2.0.0/predict`, row)
    expectProblem(refused, 'MODEL_NOT_READY', { detail: `${name} 2.0.0 cannot answer: it did not pass its checks (${reason}).` })
    expect((await server.post(`/models/${name}/predict`, row)).body.model).toEqual({ name, version: '1.0.0' })

    expect((await server.get(`/models/${name}`)).body.versions).toEqual([
      { version: '1.0.0', state: 'ready' }, { version: '2.0.0', state: 'failed', reason, detail: expected },
    ])
    expect(server.logs.filter(({ msg, model }) => msg === 'version is not served' && model === name)).toEqual([
      expect.objectContaining({ level: 50, version: '2.0.0', reason, detail: expected }),
    ])
  })

  test('is broken is named by /health/ready, which is fine with it', async () => {
    const { status, body } = await server.get('/health/ready')
    expect(status).toBe(200)
    expect(body).toEqual({ status: 'ready', failures: expect.any(Array) })
    expect(body.failures).toHaveLength(cases.length)
    expect(body.failures).toEqual(expect.arrayContaining(cases.map(({ name, reason }) => ({ model: name, version: '2.0.0', reason }))))
    expect((await server.post('/predict', { x: 1 })).body.prediction).toBe(3)
  })

  test('leads out of its folder shows nothing of what is there', async () => {
    expect(JSON.stringify(server.logs) + (await server.get('/models')).text).not.toContain(secret.slice(0, 5))
  })

  test('is the only one and broken leaves its model without an answer, and other models with theirs', async () => {
    const server = await serving({ 'flower/2.0.0': tampered({ 'model.onnx': oneByteChanged(onnx) }) })
    const refused = await server.post('/models/flower/predict', row)
    expectProblem(refused, 'MODEL_NOT_READY', { detail: 'flower 2.0.0 cannot answer: it did not pass its checks (HASH_MISMATCH).' })
    expect(refused.headers.get('retry-after')).toBe('30')
    expect((await server.post('/predict', { x: 1 })).body.prediction).toBe(3)
  })

  test('is a link out of the repository is not served', async () => {
    const elsewhere = await repository({ '2.0.0': sound })
    onTestFinished(elsewhere.remove)
    const linked = await serving({ 'flower/1.0.0': flowerFiles(), flower: { [`2.0.0 -> ${elsewhere.path}/2.0.0`]: '' } })
    expect((await linked.get('/health/ready')).body.failures).toEqual([{ model: 'flower', version: '2.0.0', reason: 'OUTSIDE_FOLDER' }])
    expect((await linked.post('/models/flower/predict', row)).body.model.version).toBe('1.0.0')
  })

  test('is a link that leads nowhere is not served, and says so', async () => {
    const linked = await serving({ 'flower/1.0.0': flowerFiles(), flower: { '2.0.0 -> gone': '' } })
    expect((await linked.get('/health/ready')).body.failures).toEqual([{ model: 'flower', version: '2.0.0', reason: 'UNREADABLE' }])
  })

  test('links to files within its folder, as a Kubernetes volume does, is served', async () => {
    const links = Object.fromEntries(Object.keys(sound).map(file => [`${file} -> ..data/${file}`, '']))
    const linked = await serving({ 'flower/2.0.0/..data': sound, 'flower/2.0.0': links, 'flower/..data/aliases.json': '{"production": "2.0.0"}', flower: { 'aliases.json -> ..data/aliases.json': '' } })
    expect((await linked.post('/models/flower/predict', row)).body.model.version).toBe('2.0.0')
    expect((await linked.get('/models/flower')).body).toMatchObject({ aliases: { production: '2.0.0' }, versions: [{ version: '2.0.0', state: 'ready' }] })
  })
})

test('a model whose aliases are a link out of the repository is not served, and does not show what is there', async () => {
  const elsewhere = await repository({ 'passwords.txt': secret })
  onTestFinished(elsewhere.remove)
  const server = await serving({ 'flower/1.0.0': flowerFiles(), flower: { [`aliases.json -> ${elsewhere.path}/passwords.txt`]: '' } })
  const answer = await server.get('/models/flower')
  expect(answer.body).toMatchObject({ serving: null, fault: { reason: 'BAD_ALIASES', message: 'aliases.json is a link out of the repository' } })
  expect(answer.text + JSON.stringify(server.logs)).not.toContain(secret.slice(0, 5))
})

describe('a bare model.onnx', () => {
  test('is listed as tensors, the log says what is missing, and so does /predict', async () => {
    const server = await serving({ 'flower/2.0.0': { 'model.onnx': onnx } })
    expect((await server.get('/models/flower/versions/2.0.0')).body).toMatchObject({
      state: 'ready',
      notes: ['no manifest.json: served as raw tensors, without feature names, labels, limits and golden rows'],
      inputs: [{ name: 'X', type: 'float32' }],
      manifest: { name: 'flower', version: '2.0.0', task: 'tensor' },
    })
    expect(server.logs).toContainEqual(expect.objectContaining({ level: 40, model: 'flower', version: '2.0.0', note: expect.stringContaining('no manifest.json') }))
    const answer = await server.post('/models/flower/predict', row)
    expect(answer.status).toBe(404)
    expect(answer.body.detail).toBe('flower 2.0.0 is served as raw tensors: it has no features to predict from. Give it a manifest.json that names them.')
  })

  test('in a tree of integer versions is served as it is', async () => {
    const server = await startApp({ 'net/1/model.onnx': onnx, 'net/2/model.onnx': onnx, 'net/10/model.onnx': onnx, 'net/config.pbtxt': 'name: "net"' })
    onTestFinished(() => server.close())
    expect((await server.get('/health')).body).toMatchObject({ ready: true, models: { net: '10' } })
    expect((await server.get('/health/ready')).body.failures).toEqual([])
  })
})

test('what is no model and no version is passed over, and the log says so', async () => {
  const server = await serving({
    '.git/config': '', 'README.md': 'x', 'line/.cache/x': '', '__pycache__/x': '', 'my model/1': { 'model.onnx': onnx }, 'line/_old': { 'model.onnx': onnx },
  })
  expect((await server.get('/models')).body.models).toEqual([expect.objectContaining({ name: 'line', versions: [{ version: '1.0.0', state: 'ready' }] })])
  expect(server.logs).toContainEqual(expect.objectContaining({ level: 40, paths: ['__pycache__', 'line/_old', 'my model'] }))
})

test('files that the manifest does not list and nobody reads are no matter', async () => {
  const server = await serving({ 'flower/2.0.0': { ...sound, 'notes.txt': 'x', '.DS_Store': 'x' } })
  expect((await server.post('/models/flower/predict', row)).status).toBe(200)
})

test('a version without golden rows is served, and the log says what is missing', async () => {
  const { 'golden.json': _golden, ...others } = unlisted
  const server = await serving({ 'flower/2.0.0': withManifest(others, { version: '2.0.0' }) })
  expect((await server.post('/models/flower/predict', row)).status).toBe(200)
  expect(server.logs).toContainEqual(expect.objectContaining({ level: 40, model: 'flower', note: 'no golden.json: nothing proves that the model still gives its answers' }))
})
