import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { liveRepository } from '../helpers/live-repository.ts'
import { flowerFiles, regressionFiles } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'

const { rule, table } = protocolTable('Open Inference Protocol v2: statistics')

const row = { length: 5, kind: 'red' }
const none = { count: 0, ns: 0 }
const route = 'GET /v2/models/{m}[/versions/{v}]/stats'

let server: TestApp
beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'flower/1.1.0': flowerFiles('flower', '1.1.0'), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'flower' })
})
afterAll(() => server.close())

async function statsOf ({ get }: TestApp, path: string) {
  return (await get(`/v2/models/${path}stats`)).body.model_stats as { name: string, version: string, inference_count: number, execution_count: number, inference_stats: Record<string, { count: number, ns: number }> }[]
}

rule(route, 'is at zero before the first request, golden rows left out', async () => {
  expect(await statsOf(server, 'flower/versions/1.0.0/')).toEqual([{
    name: 'flower',
    version: '1.0.0',
    last_inference: 0,
    inference_count: 0,
    execution_count: 0,
    inference_stats: { success: none, fail: none, queue: none, compute_input: none, compute_infer: none, compute_output: none, cache_hit: none, cache_miss: none },
    batch_stats: [],
  }])
})

rule(route, 'counts requests, their rows and their time in each stage, failures apart', async () => {
  const { server } = await liveRepository({ 'flower/1.0.0': flowerFiles() })
  const before = Date.now()
  await server.post('/predict', row)
  await server.post('/predict', { instances: [row, row, row] })
  await server.post('/predict?partial=true', { instances: [row, { length: 'x', kind: 'red' }] })
  await server.post('/predict', { length: 'x', kind: 'red' })
  await server.post('/v2/models/flower/infer', { inputs: [{ name: 'X', datatype: 'FP32', shape: [2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] }] })
  const spent = { count: 4, ns: expect.any(Number) }
  const [stats] = await statsOf(server, 'flower/')
  expect(stats).toMatchObject({
    inference_count: 1 + 3 + 1 + 2,
    execution_count: 4,
    last_inference: expect.any(Number),
    inference_stats: { success: spent, fail: { count: 1, ns: 0 }, queue: spent, compute_input: spent, compute_infer: spent, compute_output: spent, cache_hit: none, cache_miss: none },
  })
  const { last_inference: last } = stats as unknown as { last_inference: number }
  expect(last).toBeGreaterThanOrEqual(before)
  expect(last).toBeLessThanOrEqual(Date.now())
  const { success, ...stages } = stats!.inference_stats
  for (const { ns } of [success!, stages['compute_infer']!]) expect(ns).toBeGreaterThan(0)
  const inStages = Object.values(stages).reduce((sum, { ns }) => sum + ns, 0)
  expect(inStages).toBeLessThanOrEqual(success!.ns * 1.01)
  expect(Object.values(stats!.inference_stats).every(({ ns }) => Number.isInteger(ns))).toBe(true)
})

rule(route, 'counts a run once that several requests shared', async () => {
  const { server } = await liveRepository({ 'line/1.0.0': regressionFiles() })
  const { inference } = server.app
  const model = inference.registry.resolve({})
  await Promise.all(Array.from({ length: 10 }, (_, x) => inference.predict(model, { type: 'json', body: { x } })))
  expect(await statsOf(server, 'line/')).toMatchObject([{ inference_count: 10, execution_count: 1, inference_stats: { compute_infer: { count: 10 } } }])
})

rule(route, 'has all versions of the model, or the one that is named', async () => {
  const names = async (path: string) => (await statsOf(server, path)).map(({ name, version }) => `${name} ${version}`).sort()
  expect(await names('flower/')).toEqual(['flower 1.0.0', 'flower 1.1.0'])
  expect(await names('flower/versions/1.1.0/')).toEqual(['flower 1.1.0'])
})

rule('GET /v2/models/stats', 'has all versions of all models', async () => {
  expect((await statsOf(server, '')).map(({ name, version }) => `${name} ${version}`).sort()).toEqual(['flower 1.0.0', 'flower 1.1.0', 'line 1.0.0'])
})

rule(route, '404 for a model or a version that there is not', async () => {
  expect(await server.get('/v2/models/rose/stats')).toMatchObject({ status: 404, body: { error: 'There is no model "rose". The models are flower, line.' } })
  expect(await server.get('/v2/models/flower/versions/9/stats')).toMatchObject({ status: 404, body: { error: 'The model flower has no version "9"; it has 1.0.0, 1.1.0.' } })
})

rule(route, 'begins anew with the files of a version, and ends with an unload', async () => {
  const { server, put, load, unload } = await liveRepository({ 'line/1.0.0': regressionFiles() })
  await server.post('/predict', { x: 1 })
  await load('line')
  expect(await statsOf(server, 'line/')).toMatchObject([{ inference_count: 1, execution_count: 1 }])
  await put('line/1.0.0', { 'manifest.json': { ...regressionFiles()['manifest.json'] as object, description: 'again' } })
  await load('line')
  expect(await statsOf(server, 'line/')).toMatchObject([{ inference_count: 0, execution_count: 0 }])
  await unload('line')
  expect(await statsOf(server, 'line/')).toEqual([])
  expect(await server.get('/v2/models/line/versions/1.0.0/stats')).toMatchObject({ status: 503, body: { error: 'line 1.0.0 cannot answer: it was unloaded.' } })
})

rule(route, 'asks for the scope predict', async () => {
  const server = await startApp({ 'line/1.0.0': regressionFiles() })
  onTestFinished(() => server.close())
  expect(await server.get('/v2/models/stats', { authorization: '' })).toMatchObject({ status: 401, body: { error: expect.any(String) } })
})

table()
