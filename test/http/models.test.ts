import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Files, flowerFiles, regressionFiles } from '../helpers/models.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { expectProblem } from './problem.ts'

const row = { length: 5, kind: 'red' }

async function started (...[contents, env]: Parameters<typeof startApp>): Promise<TestApp> {
  const server = await startApp(contents, env)
  onTestFinished(() => server.close())
  return server
}

/** Sound but for one byte. */
function brokenFlower (version: string): Files {
  const files = flowerFiles('flower', version)
  const onnx = Uint8Array.from(files['model.onnx'] as Uint8Array)
  onnx[onnx.length - 10]! ^= 1
  return { ...files, 'model.onnx': onnx }
}

describe('what is loaded', () => {
  let server: TestApp
  beforeAll(async () => {
    server = await startApp({
      'flower/1.0.0': flowerFiles('flower', '1.0.0'),
      'flower/1.1.0': flowerFiles('flower', '1.1.0'),
      'flower/2.0.0': brokenFlower('2.0.0'),
      'flower/aliases.json': '{"production": "1.0.0", "canary": {"version": "1.1.0", "weight": 0.1}}',
      'line/1.0.0': regressionFiles(),
    }, { DEFAULT_MODEL: 'flower' })
  })
  afterAll(async () => { await server.close() })

  const detail = expect.stringMatching(/^model\.onnx has SHA-256 [0-9a-f]{64}, the manifest says [0-9a-f]{64}$/)
  const flower = {
    name: 'flower',
    default: true,
    serving: '1.0.0',
    description: 'Tells two flowers apart',
    task: 'classification',
    aliases: { production: '1.0.0', canary: { version: '1.1.0', weight: 0.1 } },
    versions: [{ version: '1.0.0', state: 'ready' }, { version: '1.1.0', state: 'ready' }, { version: '2.0.0', state: 'failed', reason: 'HASH_MISMATCH', detail }],
  }

  test('GET /models lists the models, their versions and states', async () => {
    const { status, body } = await server.get('/models')
    expect(status).toBe(200)
    expect(body).toEqual({ models: [flower, { name: 'line', default: false, serving: '1.0.0', description: expect.any(String), task: 'regression', aliases: {}, versions: [{ version: '1.0.0', state: 'ready' }] }] })
  })

  test('GET /models/{name} tells of the version that answers, manifest and all', async () => {
    const { body } = await server.get('/models/flower')
    const { answers, ...summary } = body
    expect(summary).toEqual(flower)
    expect(answers).toEqual((await server.get('/models/flower/versions/1.0.0')).body)
  })

  test('GET /models/{name}/versions/{version} has the state, the tensors and the manifest', async () => {
    const { status, body } = await server.get('/models/flower/versions/1.1.0')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'flower',
      version: '1.1.0',
      state: 'ready',
      load_ms: expect.any(Number),
      placement: { mode: 'inline' },
      inputs: [{ name: 'X', type: 'float32' }],
      outputs: [{ name: 'label' }, { name: 'probabilities' }],
      notes: [],
    })
    expect(body.manifest).toEqual(JSON.parse(JSON.stringify(flowerFiles('flower', '1.1.0')['manifest.json'])))
  })

  test('a version that is not served says why', async () => {
    expect((await server.get('/models/flower/versions/2.0.0')).body).toEqual({ name: 'flower', version: '2.0.0', state: 'failed', reason: 'HASH_MISMATCH', detail })
    const answer = await server.post('/models/flower/versions/2.0.0/predict', row)
    expectProblem(answer, 'MODEL_NOT_READY', { detail: 'flower 2.0.0 cannot answer: it did not pass its checks (HASH_MISMATCH).' })
    expect(answer.headers.get('retry-after')).toBe('30')
  })

  test('GET /health is a summary', async () => {
    const { status, body } = await server.get('/health', { authorization: '' })
    expect(status).toBe(200)
    expect(body).toEqual({ status: 'ok', uptime_s: expect.any(Number), ready: true, models: { flower: '1.0.0', line: '1.0.0' } })
  })

  test('GET /health/live says that it lives', async () => {
    expect(await server.get('/health/live', { authorization: '' })).toMatchObject({ status: 200, body: { status: 'live' } })
  })

  test('GET /health/ready names what is not served, without details', async () => {
    const { status, body } = await server.get('/health/ready', { authorization: '' })
    expect(status).toBe(200)
    expect(body).toEqual({ status: 'ready', failures: [{ model: 'flower', version: '2.0.0', reason: 'HASH_MISMATCH' }] })
  })

  test('any version can be asked by name', async () => {
    expect((await server.post('/models/flower/versions/1.1.0/predict', row)).body.model).toEqual({ name: 'flower', version: '1.1.0' })
  })
})

describe('the version that answers', () => {
  test('is the highest by semver, else by natural order', async () => {
    const latest: [name: string, versions: string[]][] = [
      ['numbers', ['1.10.0', '1.9.0', '1.2.30']],
      ['release', ['2.0.0', '2.0.0-rc.2', '2.0.0-rc.10']],
      ['candidates', ['1.0.0-rc.10', '1.0.0-alpha', '1.0.0-rc.2', '1.0.0-beta.20']],
      ['words', ['1.0.0-a', '1.0.0-1', '1.0.0-99']],
      ['dates', ['20250801_090000', '20250717_214053', '20241231_235959']],
      ['integers', ['10', '9', '1']],
      ['mixed', ['v1', '1.9.0', '1.10.0']],
    ]
    const server = await started(Object.fromEntries(latest.flatMap(([name, versions]) =>
      versions.map(version => [`${name}/${version}`, regressionFiles(name, version)]))))
    for (const [name, [version]] of latest) {
      expect((await server.post(`/models/${name}/predict`, { x: 1 })).body.model).toEqual({ name, version })
      expect((await server.get(`/models/${name}`)).body.versions.at(-1).version).toBe(version)
    }
    expect((await server.get('/models/mixed')).body.versions.map(({ version }: { version: string }) => version)).toEqual(['1.9.0', '1.10.0', 'v1'])
  })

  test('is the latest that can be served', async () => {
    const server = await started({ 'flower/1.0.0': flowerFiles(), 'flower/1.1.0': flowerFiles('flower', '1.1.0'), 'flower/2.0.0': brokenFlower('2.0.0') })
    expect((await server.post('/predict', row)).body.model.version).toBe('1.1.0')
    expect((await server.get('/health/ready')).status).toBe(200)
  })

  test('is production\'s', async () => {
    const server = await started({ 'line/1.0.0': regressionFiles('line', '1.0.0'), 'line/2.0.0': regressionFiles('line', '2.0.0'), 'line/aliases.json': '{"production": {"version": "1.0.0"}}' })
    expect((await server.post('/predict', { x: 1 })).body.model.version).toBe('1.0.0')
  })

  test.each([
    ['leads nowhere', '{"production": "3.0.0"}', 'BAD_ALIASES', undefined, 'aliases.json: production is "3.0.0", and there is no such version'],
    ['leads out of the folder', '{"production": "../line/1.0.0"}', 'BAD_ALIASES', undefined, 'aliases.json: production is "../line/1.0.0", and there is no such version'],
    ['is no text', '{"production": 1}', 'BAD_ALIASES', undefined, expect.stringContaining('aliases.json: /production')],
    ['stands in what is not JSON', '{"production": 1.0.0}', 'BAD_ALIASES', undefined, expect.stringContaining('aliases.json: is not JSON')],
    ['leads to a version that is broken', '{"production": "2.0.0"}', 'HASH_MISMATCH', '2.0.0', undefined],
  ])('is none where production %s, and other models answer', async (_, aliases, reason, version, message) => {
    const server = await started({ 'flower/1.0.0': flowerFiles(), 'flower/2.0.0': brokenFlower('2.0.0'), 'flower/aliases.json': aliases, 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'line' })
    const answer = await server.post('/models/flower/predict', row)
    expectProblem(answer, 'MODEL_NOT_READY', { detail: expect.stringContaining(`it did not pass its checks (${reason})`) })
    expect((await server.get('/health/ready')).body.failures).toContainEqual({ model: 'flower', ...(version === undefined ? {} : { version }), reason })
    expect((await server.get('/models/flower')).body).toMatchObject({ serving: null, answers: null, ...(message === undefined ? {} : { fault: { reason, message } }) })
    if (message !== undefined) expect(server.logs).toContainEqual(expect.objectContaining({ level: 50, model: 'flower', reason, detail: message }))

    expect((await server.post('/models/line/predict', { x: 1 })).body.prediction).toBe(3)
    expect((await server.post('/models/flower/versions/1.0.0/predict', row)).status).toBe(200)
    expect((await server.get('/health')).body.models).toEqual({ flower: null, line: '1.0.0' })
  })

  test('is at 0 in the metrics under its alias when it was refused, so that an alert can see it', async () => {
    const server = await started({ 'line/2.0.0': { ...regressionFiles('line', '2.0.0'), 'model.onnx': 'cut off' }, 'line/aliases.json': '{"production": "2.0.0"}', 'flower/1.0.0': flowerFiles(), 'repository.json': '{"default": "flower"}' })
    expect((await server.get('/metrics')).text).toContain('modelport_model_ready{model="line",version="2.0.0",alias="production"} 0')
  })
})

describe('the default model', () => {
  const two = { 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() }

  test.each([
    ['DEFAULT_MODEL', two, { DEFAULT_MODEL: 'line' }, 'line'],
    ['repository.json', { ...two, 'repository.json': '{"default": "flower"}' }, {}, 'flower'],
    ['DEFAULT_MODEL before repository.json', { ...two, 'repository.json': '{"default": "flower"}' }, { DEFAULT_MODEL: 'line' }, 'line'],
    ['the only one', { 'line/1.0.0': regressionFiles() }, {}, 'line'],
    ['the only one, with a repository.json that names none', { 'line/1.0.0': regressionFiles(), 'repository.json': '{}' }, {}, 'line'],
  ] as [string, Parameters<typeof startApp>[0], Record<string, string>, string][])('is that of %s', async (_, contents, env, name) => {
    const server = await started(contents, env)
    expect((await server.post('/predict', name === 'line' ? { x: 1 } : row)).body.model.name).toBe(name)
    expect((await server.get('/models')).body.models.filter((model: { default: boolean }) => model.default)).toEqual([expect.objectContaining({ name })])
  })

  test('is none among several: 404 that names them, and each answers for itself', async () => {
    const server = await started(two)
    expectProblem(await server.post('/predict', row), 'MODEL_NOT_FOUND', { detail: 'There is no default model; post to /models/{name}/predict. The models are flower, line.' })
    expect((await server.get('/health/ready')).status).toBe(200)
    expect((await server.post('/models/flower/predict', row)).status).toBe(200)
  })

  test('is none in an empty repository: 404, and the server is not ready', async () => {
    const server = await started({ 'repository.json': '{}' })
    expectProblem(await server.post('/predict', row), 'MODEL_NOT_FOUND', { detail: expect.stringContaining('The models are none.') })
    expect(await server.get('/health/ready')).toMatchObject({ status: 503, body: { status: 'unavailable', failures: [] } })
    expect((await server.get('/models')).body).toEqual({ models: [] })
  })
})

describe('a start is refused, in one line,', () => {
  test.each([
    ['without the folder', {}, { MODELS_DIR: '/nonexistent/models' }, /^MODELS_DIR: the folder \/nonexistent\/models cannot be read \(ENOENT\)/],
    ['for an unknown DEFAULT_MODEL', { 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'rose' }, /^DEFAULT_MODEL names the model "rose", and there is none; the models are line$/],
    ['for a DEFAULT_MODEL that is a path', { 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: '../line' }, /^DEFAULT_MODEL names the model "\.\.\/line"/],
    ['for an unknown model in repository.json', { 'line/1.0.0': regressionFiles(), 'repository.json': '{"default": "rose"}' }, {}, /^repository\.json names the model "rose"/],
    ['for a repository.json that is not JSON', { 'line/1.0.0': regressionFiles(), 'repository.json': '{' }, {}, /^repository\.json in .*: is not JSON/],
    ['for a repository.json of another shape', { 'line/1.0.0': regressionFiles(), 'repository.json': '{"default": 1}' }, {}, /^repository\.json in .*: \/default/],
    ['when no version of the default model can be served', { 'flower/1.0.0': brokenFlower('1.0.0'), 'flower/2.0.0': { 'notes.txt': 'x' }, 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'flower' },
      /^The default model flower cannot be served: 1\.0\.0: HASH_MISMATCH: model\.onnx has SHA-256 .*; 2\.0\.0: MISSING_FILE: neither manifest\.json nor model\.onnx is there$/],
    ['when the only model has no version', { 'flower/notes.txt': 'x' }, {}, /^The default model flower cannot be served: it has no version$/],
    ['when production of the default model leads nowhere', { 'line/1.0.0': regressionFiles(), 'line/aliases.json': '{"production": "2"}' }, {}, /^The default model line cannot be served: aliases\.json: production is "2"/],
    ['when the default model is garbage', { 'line/1/model.onnx': 'garbage\n\nmore' }, {}, /^The default model line cannot be served: 1: BAD_MODEL: /],
  ] as [string, Parameters<typeof startApp>[0], Record<string, string>, RegExp][])('%s', async (_, contents, env, message) => {
    const error: unknown = await startApp(contents, env).then(server => server.close(), (thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'FatalError', message: expect.stringMatching(message) })
    expect((error as Error).message).not.toContain('\n')
  })
})
