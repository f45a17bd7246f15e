import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles, flowerProbabilities, regressionFiles } from '../helpers/models.ts'
import { expectProblem, expectSecurityHeaders } from './problem.ts'
import { requestRaw } from './raw.ts'

let server: TestApp
beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'flower' })
})
afterAll(async () => { await server.close() })

describe('a prediction', () => {
  test('of one row has the class, its name and the probabilities, and nothing else', async () => {
    const { status, headers, body } = await server.post('/predict', { length: 5, kind: 'red' })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(body).toEqual({
      prediction: 0,
      class_name: 'rose',
      probabilities: flowerProbabilities(5, 'red').map(p => expect.closeTo(p, 6)),
      model: { name: 'flower', version: '1.0.0' },
      latency_ms: expect.any(Number),
    })
    expect(body.latency_ms).toBeGreaterThan(0)
  })

  test('is the same by default, by name and by version', async () => {
    const row = { length: 5, kind: 'red' }
    const [first, ...others] = await Promise.all(['/predict', '/models/flower/predict', '/models/flower/versions/1.0.0/predict'].map(path => server.post(path, row)))
    for (const other of others) expect(other.body).toEqual({ ...first?.body, latency_ms: expect.any(Number) })
  })

  test.each([
    [6, 'red', 2], [0, 'red', 0], [30, 'blue', 100], [2.5, 'blue', undefined], [5.1, 'red', null], [1e-30, 'blue', 1e5], [5, 'red', -3],
  ] as const)('of length %s, %s, age %s has the probabilities that one works out by hand', async (length, kind, age) => {
    const { body } = await server.post('/predict', { age, kind, length })
    // Age is imputed with 1, then clipped to 0…100.
    const expected = flowerProbabilities(length, kind, Math.min(100, Math.max(0, age ?? 1)))
    expect(body.probabilities).toEqual(expected.map(p => expect.closeTo(p, 5)))
    expect(body.prediction).toBe(expected[0] > expected[1] ? 0 : 1)
    expect(body.class_name).toBe(expected[0] > expected[1] ? 'rose' : 'violet')
    expect((body.probabilities as number[]).reduce((sum, p) => sum + p)).toBeCloseTo(1, 5)
  })

  test('of many rows is a list in the same order, in mixed forms', async () => {
    const lengths = Array.from({ length: 50 }, (_, i) => (i * 7) % 30)
    const instances = lengths.map((length, i) => [{ length, kind: 'blue' }, { features: [length, 'blue', null] }, { features: { kind: 'blue', length } }][i % 3])
    const { body } = await server.post('/predict', { instances })
    expect(body.predictions.map(({ probabilities }: { probabilities: number[] }) => probabilities[0]))
      .toEqual(lengths.map(length => expect.closeTo(flowerProbabilities(length, 'blue')[0], 5)))
    expect(Object.keys(body).sort()).toEqual(['latency_ms', 'model', 'predictions', 'warnings'])
  })

  test('of one row in instances is a list', async () => {
    expect((await server.post('/predict', { instances: [{ length: 5, kind: 'red' }] })).body.predictions).toEqual([expect.objectContaining({ prediction: 0 })])
  })

  test('of a regression is a number alone', async () => {
    const model = { name: 'line', version: '1.0.0' }
    expect((await server.post('/models/line/predict', { x: 3 })).body).toEqual({ prediction: 7, model, latency_ms: expect.any(Number) })
    expect((await server.post('/models/line/predict', { instances: [{ x: 0.1 }, { features: [-2] }] })).body)
      .toEqual({ predictions: [{ prediction: 1.2 }, { prediction: -3 }], model, latency_ms: expect.any(Number) })
  })

  test('tells how long each stage took', async () => {
    const { headers } = await server.post('/predict', { length: 5, kind: 'red' })
    expect(headers.get('server-timing')).toMatch(/^validate;dur=\d+(\.\d{1,3})?, queue;dur=\d+(\.\d{1,3})?, run;dur=\d+(\.\d{1,3})?$/)
  })
})

describe('warnings', () => {
  test.each([
    ['an object', { length: 12, kind: 'red' }, '/length', '12 is outside the range of the training data, 1 to 10'],
    ['a list', { features: [0.5, 'red', null] }, '/features/0', 'length 0.5 is outside the range of the training data, 1 to 10'],
    ['an object of features', { features: { length: 10.001, kind: 'red' } }, '/features/length', '10.001 is outside the range of the training data, 1 to 10'],
  ])('name the place in %s', async (_, row, path, message) => {
    expect((await server.post('/predict', row)).body.warnings).toEqual([{ path, message }])
    expect((await server.post('/predict', { instances: [{ length: 5, kind: 'red' }, row] })).body.warnings).toEqual([{ path: `/instances/1${path}`, message }])
  })

  test.each([1, 10, 5])('are absent for %s, which is within the range', async length => {
    expect((await server.post('/predict', { length, kind: 'red' })).body).not.toHaveProperty('warnings')
  })

  test('do not change the answer', async () => {
    expect((await server.post('/predict', { length: 0, kind: 'blue' })).body.probabilities).toEqual(flowerProbabilities(0, 'blue').map(p => expect.closeTo(p, 5)))
  })

  test('are listed up to 1000, and counted in full', async () => {
    const { body } = await server.post('/predict', { instances: new Array<object>(1500).fill({ length: 20, kind: 'red' }) })
    expect(body.warnings).toHaveLength(1001)
    expect(body.warnings.at(-1)).toEqual({ path: '', message: 'and 500 more values are outside the range of the training data' })
  })
})

describe('every answer', () => {
  const row = { length: 5, kind: 'red' }

  test.each(['abc-123', 'a', 'A:b.c_d/e+f=g-h', 'x'.repeat(128), '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'])('carries the request\'s id: %s', async id => {
    for (const answer of [await server.post('/predict', row, { 'x-request-id': id }), await server.get('/health', { 'x-request-id': id }), await server.get('/nowhere', { 'x-request-id': id })]) {
      expect(answer.headers.get('x-request-id')).toBe(id)
    }
  })

  test.each(['', ' ', 'has blanks', 'quote"', '<script>', '{"a":1}', 'x'.repeat(129), 'é', 'a,b'])('replaces an id that cannot stand in a log: %j', async id => {
    const { headers } = await server.post('/predict', row, { 'x-request-id': id })
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('replaces an id that was sent twice', async () => {
    const answer = await requestRaw(server.url, 'GET /health', { 'x-request-id': 'one', 'X-Request-Id': 'two' })
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('has an id of its own', async () => {
    const ids = (await Promise.all(Array.from({ length: 20 }, () => server.get('/health/live')))).map(({ headers }) => headers.get('x-request-id'))
    expect(new Set(ids).size).toBe(20)
  })

  test.each(['/health', '/health/live', '/health/ready', '/models', '/models/flower', '/metrics', '/docs', '/docs/json', '/docs/yaml', '/redoc', '/nowhere', '/models/%zz', '/models/nowhere'])('carries the security headers: GET %s', async path => {
    expectSecurityHeaders((await server.get(path)).headers)
  })

  test.each(['/health', '/health/live', '/health/ready', '/models', '/models/flower', '/models/flower/versions/1.0.0', '/metrics', '/docs/json'])('HEAD %s has the headers of GET and no body', async path => {
    const get = await server.get(path)
    const head = await requestRaw(server.url, `HEAD ${path}`, { authorization: `Bearer ${server.token}` })
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
  })

  test('is not to be kept by a cache', async () => {
    expect((await server.post('/predict', row)).headers.get('cache-control')).toBe('no-store')
  })
})

test('rate-limited routes say what is left, also with an error; others do not', async () => {
  const limited = await startApp({ 'flower/1.0.0': flowerFiles() }, { RATE_LIMIT_MAX: '10', RATE_LIMIT_WINDOW: '30s' })
  onTestFinished(() => limited.close())
  const answers = [await limited.post('/predict', { length: 5, kind: 'red' }), await limited.post('/predict', {}), await limited.get('/models'), await limited.get('/models/nowhere')]
  expect(answers.map(answer => answer.status)).toEqual([200, 422, 200, 404])
  answers.forEach((answer, i) => {
    expect(answer.headers.get('ratelimit-policy')).toBe('"default";q=10;w=30')
    expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"default";r=${9 - i};t=(30|29)$`))
  })
  for (const path of ['/health', '/nowhere']) expect((await limited.get(path)).headers.get('ratelimit')).toBeNull()
})

test('the log has a line for each request: id, subject, model, version, status, duration; no token and no values', async () => {
  await server.post('/predict?partial=false', { length: 4.123456789, kind: 'red' }, { 'x-request-id': 'logged-1' })
  expectProblem(await server.post('/models/line/predict', { x: 'secret-value' }, { 'x-request-id': 'logged-2' }), 'INVALID_INPUT', { errors: expect.any(Array) })
  await server.get('/models/rose', { 'x-request-id': 'logged-3' })
  const line = (id: string) => server.logs.find(({ request_id: found }) => found === id)
  // A line is written when the answer has left, which its caller may learn first.
  await vi.waitFor(() => expect(line('logged-3')).toBeDefined())
  expect(line('logged-1')).toMatchObject({
    msg: 'request', level: 30, method: 'POST', path: '/predict', status: 200, duration_ms: expect.any(Number), subject: 'first-run', model: 'flower', version: '1.0.0',
  })
  expect(line('logged-2')).toMatchObject({ status: 422, model: 'line', error: 'INVALID_INPUT' })
  expect(line('logged-3')).toMatchObject({ method: 'GET', path: '/models/rose', status: 404, error: 'MODEL_NOT_FOUND' })
  const all = JSON.stringify(server.logs)
  expect(all).not.toContain('4.123456789')
  expect(all).not.toContain('secret-value')
  expect(all).not.toContain(server.token.slice(-20))
})
