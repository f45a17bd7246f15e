import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { claims, jwt } from '../helpers/keys.ts'
import { liveRepository } from '../helpers/live-repository.ts'
import { type Files, flowerFiles, flowerOnnx, heavyFiles, regressionFiles } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { parseSeries } from '../monitor/prometheus-text.ts'

const { rule, ruleEach, table } = protocolTable('Open Inference Protocol v2: repository')

const row = { length: 5, kind: 'red' }
const done = { status: 200, body: {} }
const indexRoute = 'POST /v2/repository/index'
const loadRoute = 'POST /v2/repository/models/{m}/load'
const unloadRoute = 'POST /v2/repository/models/{m}/unload'

/** Sound but for one byte. */
function broken (version: string): Files {
  const onnx = flowerOnnx()
  onnx[onnx.length - 10]! ^= 1
  return { ...flowerFiles('flower', version), 'model.onnx': onnx }
}

/** Its golden rows say something else than the model. */
function mistaken (version: string): Files {
  const { 'manifest.json': _manifest, 'golden.json': _golden, ...files } = flowerFiles('flower', version)
  return { ...files, 'manifest.json': { ...flowerFiles('flower', version)['manifest.json'] as object, description: 'other', labels: ['rose'] } }
}

/** Posts rows until some wait for a run. */
async function underWay ({ app, post }: TestApp): Promise<{ waiting: number, answers: ReturnType<TestApp['post']>[] }> {
  const answers = Array.from({ length: 8 }, (_, x) => post('/predict', { x }))
  for (;;) {
    const waiting = [...app.inference.registry.queuedRows()].reduce((sum, { rows }) => sum + rows, 0)
    if (waiting > 0) return { waiting, answers }
    await setImmediate()
  }
}

rule(indexRoute, 'lists every version with its state, and why it is not served', async () => {
  const { index, put } = await liveRepository({ 'flower/1.0.0': flowerFiles(), 'flower/2.0.0': broken('2.0.0'), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'line' })
  await put('flower/3.0.0', flowerFiles('flower', '3.0.0'))
  await put('new/1', { 'model.onnx': flowerOnnx() })
  expect(await index()).toEqual([
    'flower 1.0.0 READY',
    expect.stringMatching(/^flower 2\.0\.0 UNAVAILABLE HASH_MISMATCH: model\.onnx has SHA-256 /),
    'flower 3.0.0 UNAVAILABLE not loaded',
    'line 1.0.0 READY',
    'new 1 UNAVAILABLE not loaded',
  ])
})

rule(indexRoute, 'lists only what is ready where {"ready": true} asks for that', async () => {
  const { server } = await liveRepository({ 'flower/1.0.0': flowerFiles(), 'flower/2.0.0': broken('2.0.0') })
  expect((await server.post('/v2/repository/index', { ready: true })).body).toEqual([{ name: 'flower', version: '1.0.0', state: 'READY', reason: '' }])
})

rule(indexRoute, 'tells of versions that are loading', async () => {
  const server = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
  onTestFinished(() => server.close())
  const loading = server.app.inference.registry.load(undefined)
  let states: string[] = []
  while (states.length === 0) states = (await server.post('/v2/repository/index', '')).body.map(({ state }: { state: string }) => state)
  expect(['LOADING', 'READY']).toContain(states[0])
  await loading
})

rule(loadRoute, 'brings a new version, in the documents and the metrics too', async () => {
  const { server, put, load } = await liveRepository({ 'flower/1.0.0': flowerFiles() })
  const document = (await server.get('/docs/json')).body
  await put('flower/1.1.0', flowerFiles('flower', '1.1.0'))
  await put('line/1.0.0', regressionFiles())
  expect(await load('flower')).toMatchObject(done)
  expect(await load('line')).toMatchObject(done)
  expect((await server.post('/predict', row)).body.model).toEqual({ name: 'flower', version: '1.1.0' })
  expect((await server.post('/models/line/predict', { x: 1 })).body.prediction).toBe(3)
  const { paths } = (await server.get('/docs/json')).body
  const added = ['/models/flower/versions/1.1.0/predict', '/models/line/predict', '/models/line/versions/1.0.0/predict']
  expect(Object.keys(paths).filter(path => !(path in document.paths)).sort()).toEqual(added.sort())
  const ready = parseSeries((await server.get('/metrics')).text).filter(({ name }) => name === 'modelport_model_ready').map(({ labels, value }) => [labels.model, labels.version, labels.alias, value].join(' '))
  expect(ready.sort()).toEqual(['flower 1.0.0  1', 'flower 1.1.0 latest 1', 'line 1.0.0 latest 1'])
})

rule(loadRoute, 'opens a version anew whose files have changed, manifest or none', async () => {
  const { server, put, load } = await liveRepository({ 'line/1.0.0': regressionFiles(), 'net/1': { 'model.onnx': flowerOnnx() } }, { DEFAULT_MODEL: 'line' })
  await server.post('/predict', { x: 1 })
  await put('line/1.0.0', { 'manifest.json': { ...regressionFiles()['manifest.json'] as object, description: 'again' } })
  await put('net/1', { 'model.onnx': flowerOnnx(5) })
  expect([await load('line'), await load('net')]).toMatchObject([done, done])
  expect((await server.get('/models/line')).body.description).toBe('again')
  expect((await server.get('/models/net')).body.answers.inputs[0].shape).toEqual(['rows', 5])
})

ruleEach(loadRoute, 'a version that fails is 400 with its reason, and the old one goes on answering', [
  ['new, a file is not what the manifest says', '2.0.0', broken('2.0.0'), 'HASH_MISMATCH'],
  ['changed, a file is not what the manifest says', '1.0.0', broken('1.0.0'), 'HASH_MISMATCH'],
  ['changed, its parts do not fit together', '1.0.0', mistaken('1.0.0'), 'MISMATCH'],
  ['changed, no ONNX any more', '1.0.0', { ...flowerFiles(), 'manifest.json': 'none' }, 'BAD_MANIFEST'],
] as [string, string, Files, string][], async (_, version, files, reason) => {
  const { server, put, load, index } = await liveRepository({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'line' })
  await put(`flower/${version}`, files)
  const answer = await load('flower')
  expect([answer.status, answer.body, answer.headers.get('content-type')]).toEqual([400, { error: expect.stringMatching(new RegExp(`^flower was not loaded in full: ${version}: \\w*${reason}: .*\\. 1\\.0\\.0 answers\\.$`)) }, 'application/json; charset=utf-8'])
  expect((await server.post('/models/flower/predict', row)).body.model).toEqual({ name: 'flower', version: '1.0.0' })

  const { body } = await server.get('/models/flower')
  expect(body.versions.find((one: { version: string }) => one.version === version)).toMatchObject({ state: version === '1.0.0' ? 'ready' : 'failed', reason: expect.stringContaining(reason), detail: expect.any(String) })
  expect((await server.get('/health/ready')).body).toEqual({ status: 'ready', failures: [{ model: 'flower', version, reason: expect.stringContaining(reason) }] })
  const metrics = (await server.get('/metrics')).text
  expect(metrics).toContain(`modelport_model_load_failed{model="flower",version="${version}"} 1`)
  expect(metrics).toMatch(/modelport_model_ready\{model="flower",version="1\.0\.0",alias="(latest)?"\} 1/)
  expect(await index()).toContainEqual(expect.stringMatching(new RegExp(`^flower ${version} (READY its present files are not served|UNAVAILABLE).*${reason}: `)))

  await put(`flower/${version}`, flowerFiles('flower', version))
  expect(await load('flower')).toMatchObject(done)
  expect((await server.get('/health/ready')).body.failures).toEqual([])
  expect((await server.get('/metrics')).text).toContain(`modelport_model_load_failed{model="flower",version="${version}"} 0`)
})

rule(loadRoute, 'requests under way are answered by the version that they began with', async () => {
  const { server, put, load } = await liveRepository({ 'heavy/1.0.0': heavyFiles() }, { INFERENCE_THREADS: '1' })
  await put('heavy/2.0.0', regressionFiles('heavy', '2.0.0'))
  const { waiting, answers } = await underWay(server)
  expect(await load('heavy')).toMatchObject(done)
  expect((await server.post('/predict', { x: 3 })).body).toMatchObject({ prediction: 7, model: { version: '2.0.0' } })
  const versions = (await Promise.all(answers)).map(({ body }) => body.model.version)
  expect(versions.filter(version => version === '1.0.0').length).toBeGreaterThanOrEqual(waiting)
})

rule(unloadRoute, 'ends a model: 503 until it is loaded again, and no word of it in documents and metrics', async () => {
  const { server, load, unload, index } = await liveRepository({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'flower' })
  expect(await unload('flower')).toMatchObject(done)
  for (const path of ['/predict', '/models/flower/predict', '/models/flower/versions/1.0.0/predict']) {
    const { status, body, headers } = await server.post(path, row)
    expect([status, body.detail, headers.get('retry-after')]).toEqual([503, 'flower 1.0.0 cannot answer: it was unloaded.', '30'])
  }
  expect((await server.get('/v2/models/flower/ready')).status).toBe(503)
  await expect.poll(index).toEqual(['flower 1.0.0 UNAVAILABLE unloaded', 'line 1.0.0 READY'])
  expect((await server.get('/models/flower')).body).toMatchObject({ serving: null, versions: [{ version: '1.0.0', state: 'unloaded' }] })
  expect((await server.get('/metrics')).text).not.toContain('model="flower"')
  expect(Object.keys((await server.get('/docs/json')).body.paths).filter(path => path.includes('flower'))).toEqual([])
  expect(await server.get('/health/ready')).toMatchObject({ status: 200, body: { failures: [] } })

  expect(await load('flower')).toMatchObject(done)
  expect((await server.post('/predict', row)).status).toBe(200)
})

rule(unloadRoute, 'requests under way are answered', async () => {
  const { server, unload } = await liveRepository({ 'heavy/1.0.0': heavyFiles() }, { INFERENCE_THREADS: '1' })
  const { waiting, answers } = await underWay(server)
  expect(await unload('heavy')).toMatchObject(done)
  expect((await server.post('/predict', { x: 1 })).status).toBe(503)
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(statuses.filter(status => status === 200).length).toBeGreaterThanOrEqual(waiting)
  expect(statuses.filter(status => status !== 200 && status !== 503)).toEqual([])
})

rule(unloadRoute, 'of the only model takes the service from the load balancer, of one among several not', async () => {
  const { server, load, unload } = await liveRepository({ 'flower/1.0.0': flowerFiles() })
  await unload('flower')
  expect(await server.get('/health/ready')).toMatchObject({ status: 503, body: { status: 'unavailable' } })
  await load('flower')
  expect((await server.get('/health/ready')).status).toBe(200)
})

rule('/v2/repository/…', 'counts and windows of unloaded models go with them', async () => {
  const { server, load, unload } = await liveRepository({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() })
  for (let i = 0; i < 20; i++) {
    await server.post('/models/flower/predict', row)
    expect([await unload('flower'), await load('flower'), await load('flower')]).toMatchObject([done, done, done])
  }
  expect((await server.app.monitor.snapshot()).versions.map(({ name }) => name).sort()).toEqual(['flower', 'line'])
  expect((await server.get('/metrics')).text).toContain('modelport_requests_total{model="flower",version="1.0.0",protocol="predict",outcome="ok"} 0')
})

ruleEach('/v2/repository/…', '404 for a model that there is not', [['load'], ['unload']] as [string][], async verb => {
  for (const name of ['rose', '..%2f..%2fetc', '%00', 'a'.repeat(65)]) {
    const answer = await server.post(`/v2/repository/models/${name}/${verb}`, '')
    expect([answer.status, answer.body]).toEqual([404, { error: expect.stringMatching(/^There is no model ".*"\. The models are flower\.$/) }])
  }
})

ruleEach('/v2/repository/…', '400 for what is no such request, in the protocol\'s words', [
  ['a configuration', 'models/flower/load', { parameters: { config: '{}' } }, /"config" is refused: a model is what its manifest\.json/],
  ['an upload', 'models/flower/load', { parameters: { 'file:1/model.onnx': 'AAAA' } }, /^Files cannot be uploaded/],
  ['another parameter', 'models/flower/load', { parameters: { x: 1 } }, /^There is no parameter "x"/],
  ['parameters that are none', 'models/flower/load', { parameters: [] }, /^parameters must be an object/],
  ['another parameter of an unload', 'models/flower/unload', { parameters: { config: '' } }, /"config" is refused/],
  ['a list', 'models/flower/unload', [], /^The body must be an object/],
  ['ready that is no truth value', 'index', { ready: 'yes' }, /^"ready" must be true or false\.$/],
  ['no JSON', 'index', '{', /^The body is not valid JSON/],
  ['null', 'index', null, /^The body must be an object/],
] as [string, string, unknown, RegExp][], async (_, path, body, message) => {
  const answer = await server.post(`/v2/repository/${path}`, body)
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringMatching(message) }])
})

ruleEach('/v2/repository/…', 'takes a body of any type, or none', [
  ['no body', undefined, {}], ['no type', '{}', {}], ['JSON', '{"parameters": {"unload_dependents": true}}', { 'content-type': 'application/json' }], ['empty JSON', '', { 'content-type': 'application/json' }],
] as [string, string | undefined, Record<string, string>][], async (_, body, headers) => {
  for (const path of ['index', 'models/flower/unload', 'models/flower/load/']) {
    const sent = path.endsWith('load/') && body !== undefined ? '{}' : body
    const { status } = await fetch(`${server.url}/v2/repository/${path}`, { method: 'POST', headers: { authorization: `Bearer ${server.token}`, ...headers }, ...(sent === undefined ? {} : { body: new TextEncoder().encode(sent) }) })
    expect([path, status]).toEqual([path, 200])
  }
})

rule('/v2/repository/…', 'asks for the scope admin', async () => {
  const secret = 's'.repeat(32)
  const server = await startApp({ 'flower/1.0.0': flowerFiles() }, { JWT_SECRET: secret })
  onTestFinished(() => server.close())
  for (const path of ['index', 'models/flower/load', 'models/flower/unload']) {
    const as = async (scope?: string) => await server.post(`/v2/repository/${path}`, '', scope === undefined ? {} : { authorization: `Bearer ${jwt(claims({ scope }), secret)}` })
    expect(await as()).toMatchObject({ status: 401, body: { error: expect.any(String) } })
    expect(await as('predict metrics')).toMatchObject({ status: 403, body: { error: 'This needs a token with the scope admin' } })
    expect((await as('admin')).status).toBe(200)
  }
})

rule('/v2/repository/…', '503 while the repository is being loaded for the first time', async () => {
  const server = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
  onTestFinished(() => server.close())
  expect(await server.post('/v2/repository/models/flower/load', '')).toMatchObject({ status: 503, body: { error: 'The repository is still being loaded; try again.' } })
})

rule(indexRoute, '405 for another method', async () => {
  expect(await server.get('/v2/repository/index')).toMatchObject({ status: 405, body: { error: 'This route answers POST.' } })
})

let server: TestApp
beforeAll(async () => { server = await startApp({ 'flower/1.0.0': flowerFiles() }) })
afterAll(() => server.close())

table()
