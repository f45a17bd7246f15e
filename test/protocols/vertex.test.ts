import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { vertexRoutes } from '../../src/routes/vertex.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles, flowerProbabilities, regressionFiles, repository } from '../helpers/models.ts'
import { startProcess } from '../helpers/process.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { lookUpFiles, sumFiles } from './tensor-models.ts'

const { rule, table } = protocolTable('Vertex AI')
const predictRoute = 'POST AIP_PREDICT_ROUTE'
const healthRoute = 'GET AIP_HEALTH_ROUTE'

// What Vertex AI chooses where nobody says otherwise.
const AIP_HEALTH_ROUTE = '/v1/endpoints/12/deployedModels/34'
const AIP_PREDICT_ROUTE = `${AIP_HEALTH_ROUTE}:predict`
const routes = { AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE }

let server: TestApp
let tensors: TestApp

beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles(), 'repository.json': '{"default": "flower"}' }, routes)
  tensors = await startApp({ 'sum/1': sumFiles() }, routes)
})

afterAll(async () => {
  await server.close()
  await tensors.close()
})

rule(predictRoute, 'answers `{"instances": […]}`, by name or in order, with what /predict says of each row; `parameters` change nothing', async () => {
  const answer = await server.post(AIP_PREDICT_ROUTE, { instances: [{ length: 6, kind: 'red', age: 2 }, [2, 'blue', null]], parameters: { confidenceThreshold: 0.5 } })
  const row = (prediction: number, name: string, probabilities: readonly number[]): object =>
    ({ prediction, class_name: name, probabilities: probabilities.map(p => expect.closeTo(p, 6) as unknown) })
  expect(answer).toMatchObject({ status: 200, body: { predictions: [row(0, 'rose', flowerProbabilities(6, 'red', 2)), row(1, 'violet', flowerProbabilities(2, 'blue'))] } })
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(answer.headers.get('server-timing')).toMatch(/run;dur=/)
  expect((await server.get('/metrics')).text).toMatch(/modelport_requests_total\{[^}]*protocol="vertex"[^}]*\} [1-9]/)
})

rule(predictRoute, 'answers a number as `{"prediction"}`, and the outputs of a model of tensors row by row', async () => {
  const line = await startApp({ 'line/1.0.0': regressionFiles() }, { AIP_PREDICT_ROUTE: '/vertex/predict' })
  try {
    expect((await line.post('/vertex/predict', { instances: [1, [2], { x: 3 }] })).body).toEqual({ predictions: [{ prediction: 3 }, { prediction: 5 }, { prediction: 7 }] })
  } finally {
    await line.close()
  }
  expect((await tensors.post(AIP_PREDICT_ROUTE, { instances: [{ a: [1, 2], tag: 'p' }] })).body).toEqual({ predictions: [{ sum: 3, name: 'p' }] })
})

rule(healthRoute, 'is 503 until the server can answer, then 200; no token', async () => {
  const loading = await startApp({ 'line/1.0.0': regressionFiles() }, { AIP_HEALTH_ROUTE: '/vertex/health' }, { load: false })
  try {
    expect(await loading.get('/vertex/health', { authorization: '' })).toMatchObject({ status: 503, body: { status: 'unavailable' } })
    await loading.app.inference.registry.load(undefined)
    expect(await loading.get('/vertex/health', { authorization: '' })).toMatchObject({ status: 200, body: { status: 'ready' } })
  } finally {
    await loading.close()
  }
  expect((await server.get(AIP_HEALTH_ROUTE)).status).toBe(200)
})

rule(healthRoute, 'may be /health/ready or /ping, which tell the same', async () => {
  for (const path of ['/health/ready', '/ping']) {
    const own = await startApp({ 'line/1.0.0': regressionFiles() }, { AIP_HEALTH_ROUTE: path })
    expect((await own.get(path)).status).toBe(200)
    await own.close()
  }
})

rule(predictRoute, 'tells every error as `{"error": {"code", "message", "status"}}`', async () => {
  const error = (code: number, status: string, message = ''): object => ({ status: code, body: { error: { code, status, message: expect.stringContaining(message) } } })
  expect(await server.post(AIP_PREDICT_ROUTE, { instances: [[6, 'red', 1]] }, { authorization: '' })).toMatchObject(error(401, 'UNAUTHENTICATED'))
  expect(await server.post(AIP_PREDICT_ROUTE, { instances: [[6, 'red', 1], [6, 'pink', 1]] })).toMatchObject(error(422, 'INVALID_ARGUMENT', '/instances/1/1 kind must be one of red, blue'))
})

describe('refusals', () => {
  test.each<[name: string, body: unknown, status: number, message: string]>([
    ['no JSON', '{"instances"', 400, 'not valid JSON'],
    ['no body', '', 400, 'The body is empty.'],
    ['a list', [[6, 'red', 1]], 400, 'must be an object: {"instances": [row, …]}'],
    ['no instances', { rows: [] }, 400, 'must be an object'],
    ['a neighbour', { instances: [[6, 'red', 1]], parameter: {} }, 400, '/parameter may not stand beside'],
    ['instances that are no list', { instances: { length: 6 } }, 400, '/instances must be a list'],
    ['no rows', { instances: [] }, 422, '/instances must have at least one row'],
    ['a wrong value by name', { instances: [{ length: 'long', kind: 'red' }] }, 422, '/instances/0/length must be a number'],
  ])('%s', async (_name, body, status, message) => {
    const answer = await server.post(AIP_PREDICT_ROUTE, body)
    expect(answer.body).toEqual({ error: { code: status, status: 'INVALID_ARGUMENT', message: expect.stringContaining(message) } })
    expect(answer.status).toBe(status)
  })

  test('another type', async () => {
    expect((await server.post(AIP_PREDICT_ROUTE, '6,red', { 'content-type': 'text/csv' })).status).toBe(415)
  })

  test('values that the runtime refuses', async () => {
    const own = await startApp({ 'lookUp/1': lookUpFiles() }, routes)
    try {
      expect(await own.post(AIP_PREDICT_ROUTE, { instances: [99] })).toMatchObject({ status: 400, body: { error: { code: 400, status: 'INVALID_ARGUMENT' } } })
    } finally {
      await own.close()
    }
  })
})

rule('start', 'ends with a wrong setting for a route that is no path, or is another route of the server', async () => {
  const starts: [Record<string, string>, RegExp][] = [
    [{ AIP_PREDICT_ROUTE: 'predict' }, /AIP_PREDICT_ROUTE: "predict" is not allowed \(allowed: a path that begins with \//],
    [{ AIP_HEALTH_ROUTE: '/health?deep' }, /AIP_HEALTH_ROUTE: "\/health\?deep" is not allowed/],
    [{ AIP_HEALTH_ROUTE: '/a/*' }, /AIP_HEALTH_ROUTE/],
    [{ AIP_PREDICT_ROUTE: '/predict' }, /AIP_PREDICT_ROUTE: "\/predict" is taken by another route/],
    [{ AIP_HEALTH_ROUTE: '/health' }, /AIP_HEALTH_ROUTE: "\/health" is taken .*\/health\/ready or \/ping/],
  ]
  for (const [env, message] of starts) await expect(startApp({}, env, { load: false })).rejects.toThrow(message)
})

rule('start', 'with AIP_HTTP_PORT and both routes needs no token, and says so; with AUTH or a key it does', async () => {
  const { path, remove } = await repository({ 'line/1.0.0': regressionFiles() })
  const open = startProcess({ ...routes, MODELS_DIR: path, PORT: '', AIP_HTTP_PORT: '0', AIP_STORAGE_URI: 'gs://bucket/model' })
  const closed = startProcess({ ...routes, MODELS_DIR: path, PORT: '', AIP_HTTP_PORT: '0', AUTH: 'jwt' })
  const routesOnly = startProcess({ ...routes, MODELS_DIR: path })
  try {
    for (const [server, status] of [[open, 200], [closed, 401], [routesOnly, 401]] as const) {
      const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
      const url = `http://127.0.0.1:${port}`
      expect((await fetch(url + AIP_HEALTH_ROUTE)).status).toBe(200)
      const answer = await fetch(url + AIP_PREDICT_ROUTE, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"instances": [1]}' })
      expect(answer.status).toBe(status)
      if (status === 200) expect(await answer.json()).toEqual({ predictions: [{ prediction: 3 }] })
    }
    await open.until(/"auth":"off","reason":"the platform checks who calls[^}]*started as Vertex AI[^}]*AIP_STORAGE_URI is not read/)
    await open.until(/AUTH=off: anybody/)
  } finally {
    await Promise.all([open.stop(), closed.stop(), routesOnly.stop()])
    await remove()
  }
})

test('no address can be taken that another route answers', async () => {
  const { body } = await server.get('/docs/json')
  const paths = Object.keys((body as { paths: object }).paths).filter(path => !path.startsWith('/v1/endpoints'))
  expect(paths.length).toBeGreaterThan(20)
  for (const path of [...paths.map(path => path.replace(/\{\w+\}/g, 'x')), '/', '/docs/static/index.html']) {
    const bare = Fastify().register(vertexRoutes, { healthRoute: undefined, predictRoute: path, maxRows: 1 })
    await expect((async () => { await bare })(), path).rejects.toThrow('is taken by another route')
  }
})

table()
