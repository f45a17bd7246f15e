import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.ts'
import { floats, model, node } from '../../src/onnx/build.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { claims, jwt } from '../helpers/keys.ts'
import { flowerFiles, regressionFiles, withManifest } from '../helpers/models.ts'
import { heavyFiles } from './heavy.ts'
import { expectProblem } from './problem.ts'
import { requestRaw, sendRaw } from './raw.ts'

const row = { length: 5, kind: 'red' }

describe('a request that is refused', () => {
  let server: TestApp
  beforeAll(async () => {
    server = await startApp({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'flower', BODY_LIMIT: '100kb', MAX_ROWS: '5' })
  })
  afterAll(async () => { await server.close() })

  test.each([
    ['is cut off', '{"length": 5', 'NOT_JSON'],
    ['is empty', '', 'NOT_JSON'],
    ['is blank', ' \n', 'NOT_JSON'],
    ['has the literal NaN', '{"length": NaN, "kind": "red"}', 'NOT_JSON'],
    ['has a comment', '{"length": 5 /* cm */, "kind": "red"}', 'NOT_JSON'],
    ['is a list', '[]', 'BAD_ENVELOPE'],
    ['is a list of rows', JSON.stringify([row]), 'BAD_ENVELOPE'],
    ['is null', 'null', 'BAD_ENVELOPE'],
    ['is a string', '"x"', 'BAD_ENVELOPE'],
    ['is a number', '7', 'BAD_ENVELOPE'],
    ['is true', 'true', 'BAD_ENVELOPE'],
    ['has instances that are an object', '{"instances": {}}', 'BAD_ENVELOPE'],
    ['has instances that are null', '{"instances": null}', 'BAD_ENVELOPE'],
    ['has instances that are a text', '{"instances": "5"}', 'BAD_ENVELOPE'],
    ['has instances beside another key', '{"instances": [], "parameters": {}}', 'BAD_ENVELOPE'],
    ['has instances beside features', '{"instances": [], "features": [5]}', 'BAD_ENVELOPE'],
    ['has instances beside __proto__', '{"instances": [], "__proto__": {}}', 'BAD_ENVELOPE'],
  ] satisfies [string, string, ErrorCode][])('400: a body that %s', async (_, body, code) => {
    for (const path of ['/predict', '/models/flower/predict', '/models/flower/versions/1.0.0/predict']) {
      expectProblem(await server.post(path, body), code, { instance: path })
    }
  })

  test('400: no body at all', async () => {
    expectProblem(await requestRaw(server.url, 'POST /predict', { authorization: `Bearer ${server.token}`, 'content-length': '0' }), 'BAD_ENVELOPE')
  })

  test.each(['banana', '', '1', 'True', 'true&partial=true'])('400: partial=%s', async value => {
    expectProblem(await server.post(`/predict?partial=${value}`, row), 'BAD_REQUEST', {
      instance: '/predict', errors: [{ path: '/partial', message: 'must be boolean' }],
    })
  })

  test('400: a parameter that there is not', async () => {
    expectProblem(await server.post('/predict?verbose=1', row), 'BAD_REQUEST', { errors: [{ path: '/verbose', message: 'is not a parameter' }] })
  })

  test.each(['application/json', 'text/csv', 'application/x-ndjson'])('400: %s that is not UTF-8', async type => {
    const latin1 = Buffer.from('{"length": 5, "kind": "gr\u00fcn"}', 'latin1')
    expectProblem(await server.post('/predict', latin1, { 'content-type': type }), 'BAD_REQUEST', { detail: 'The body is not valid UTF-8.' })
  })

  test.each([
    ['an address that cannot be decoded', 'GET /models/%zz', 'BAD_REQUEST'],
    ['a line that is no HTTP', 'nonsense', 'BAD_REQUEST'],
    ['a header above 16 KiB', `GET /health HTTP/1.1\r\nx-long: ${'x'.repeat(20_000)}\r\nx-more:`, 'HEADERS_TOO_LARGE'],
  ] satisfies [string, string, ErrorCode][])('400 and 431: %s', async (_, line, code) => {
    expectProblem(await requestRaw(server.url, line), code)
  })

  test('408: a request that does not arrive', async () => {
    const connected = new Promise<Socket>(resolve => { server.app.server.once('connection', resolve) })
    const answer = sendRaw(server.url, 'POST /predict HTTP/1.1\r\n')
    // What Node tells after requestTimeout.
    server.app.server.emit('clientError', Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), await connected)
    expectProblem(await answer, 'REQUEST_TIMEOUT')
  })

  test.each([
    ['another scheme', 'Basic eDp5'],
    ['rubbish', 'Bearer rubbish'],
  ])('401: %s', async (_, authorization) => {
    for (const answer of [await server.post('/predict', row, { authorization }), await server.get('/models', { authorization })]) {
      expectProblem(answer, 'UNAUTHENTICATED')
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="modelport"/)
    }
  })

  test.each([
    ['a route', 'GET /nowhere', 'ROUTE_NOT_FOUND'],
    ['a route with another case', 'GET /Health', 'ROUTE_NOT_FOUND'],
    ['a file of the documents', 'GET /docs/static/nothing.js', 'ROUTE_NOT_FOUND'],
    ['a file above the documents', 'GET /docs/static/..%2f..%2fpackage.json', 'ROUTE_NOT_FOUND'],
    ['a file above the files', 'GET /docs/static/%2e%2e/%2e%2e/%2e%2e/package.json', 'BAD_REQUEST'],
    ['a model', 'GET /models/rose', 'MODEL_NOT_FOUND'],
    ['a model called constructor', 'GET /models/constructor', 'MODEL_NOT_FOUND'],
    ['a model called __proto__', 'GET /models/__proto__/versions/1.0.0', 'MODEL_NOT_FOUND'],
    ['a model called ..', 'GET /models/%2e%2e', 'MODEL_NOT_FOUND'],
    ['a model that is a path', 'GET /models/..%2fflower/versions/1.0.0', 'MODEL_NOT_FOUND'],
    ['a model with U+0000', 'GET /models/flower%00', 'MODEL_NOT_FOUND'],
    ['a model with a long name', `GET /models/${'a'.repeat(65)}`, 'MODEL_NOT_FOUND'],
    ['a version', 'GET /models/flower/versions/2.0.0', 'VERSION_NOT_FOUND'],
    ['a version called ..', 'GET /models/flower/versions/%2e%2e', 'VERSION_NOT_FOUND'],
    ['a version of a model', 'GET /models/flower/versions/1.0', 'VERSION_NOT_FOUND'],
  ] satisfies [string, string, ErrorCode][])('404, or 400: %s that is not there', async (_, line, code) => {
    const authorization = `Bearer ${server.token}`
    expectProblem(await requestRaw(server.url, line, { authorization }), code, { instance: line.split(' ')[1] })
    if (!line.startsWith('GET /models/')) return
    const body = JSON.stringify(row)
    const headers = { authorization, 'content-type': 'application/json', 'content-length': `${body.length}` }
    expectProblem(await requestRaw(server.url, `${line.replace('GET', 'POST')}/predict`, headers, body), code)
  })

  test('404 says what there is instead', async () => {
    expect((await server.post('/models/rose/predict', row)).body.detail).toBe('There is no model "rose". The models are flower, line.')
    expect((await server.get('/models/flower/versions/2')).body.detail).toBe('The model flower has no version "2"; it has 1.0.0.')
  })

  test('404 does not repeat a long name in full', async () => {
    expect((await server.get(`/models/${'a'.repeat(90)}`)).body.detail).toBe(`There is no model "${'a'.repeat(64)}…". The models are flower, line.`)
  })

  test('414: a name that is longer than the router reads', async () => {
    expectProblem(await server.get(`/models/${'a'.repeat(500)}`), 'URI_TOO_LONG')
  })

  test('404 without reading the body', async () => {
    expectProblem(await server.post('/nowhere', '{', {}), 'ROUTE_NOT_FOUND')
    expectProblem(await server.post('/nowhere', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }), 'ROUTE_NOT_FOUND')
  })

  test.each([
    ['POST /health', 'GET, HEAD'],
    ['DELETE /health/ready', 'GET, HEAD'],
    ['GET /predict', 'POST'],
    ['HEAD /predict', 'POST'],
    ['PUT /predict?partial=true', 'POST'],
    ['OPTIONS /predict', 'POST'],
    ['PROPFIND /predict', 'POST'],
    ['DELETE /models', 'GET, HEAD'],
    ['PATCH /models/flower', 'GET, HEAD'],
    ['DELETE /models/flower/versions/1.0.0', 'GET, HEAD'],
    ['GET /models/flower/predict', 'POST'],
    ['GET /models/flower/versions/1.0.0/predict', 'POST'],
    ['POST /metrics', 'GET, HEAD'],
    ['POST /docs/json', 'GET, HEAD'],
  ])('405: %s', async (line, allow) => {
    const answer = await requestRaw(server.url, line)
    expect(answer.headers.get('allow')).toBe(allow)
    if (line.startsWith('HEAD')) expect(answer).toMatchObject({ status: 405, text: '' })
    else expectProblem(answer, 'METHOD_NOT_ALLOWED', { detail: `This route answers ${allow}.` })
  })

  test('405 whatever the body is', async () => {
    expectProblem(await server.post('/health', '{'), 'METHOD_NOT_ALLOWED')
    expectProblem(await server.post('/models', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }), 'METHOD_NOT_ALLOWED')
  })

  test.each(['text/html', 'application/xml, text/*', 'application/json;q=0', 'application/*;q=0.0, */*', 'application/problem+json'])('406: Accept: %s', async accept => {
    expectProblem(await server.post('/predict', row, { accept }), 'NOT_ACCEPTABLE')
    expectProblem(await server.get('/models', { accept }), 'NOT_ACCEPTABLE')
  })

  test.each(['*/*', 'application/json', 'application/*', 'text/html, application/json;q=0.1', 'Application/JSON', 'text/html;q=0, */*;q=0.1', ''])('Accept: %s is served', async accept => {
    expect((await server.post('/predict', row, { accept })).status).toBe(200)
  })

  test.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a multipart form', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['plain text', { 'content-type': 'text/plain' }],
    ['a type that begins like a known one', { 'content-type': 'application/jsonp' }],
    ['no type', { 'content-type': '' }],
    ['no type at all', { 'content-type': '/' }],
    ['another charset', { 'content-type': 'application/json; charset=utf-16le' }],
    ['another quoted charset', { 'content-type': 'text/csv; charset="iso-8859-1"' }],
    ['gzip', { 'content-encoding': 'gzip' }],
    ['deflate and gzip', { 'content-encoding': 'deflate, gzip' }],
  ])('415: %s', async (_, headers) => {
    expectProblem(await server.post('/predict', row, headers), 'UNSUPPORTED_MEDIA_TYPE')
  })

  test.each([
    ['Application/JSON; charset="UTF-8"', ''],
    ['application/json;charset=utf-8', 'identity'],
  ])('content-type: %s is served', async (type, encoding) => {
    const answer = await server.post('/predict', row, { 'content-type': type, ...(encoding === '' ? {} : { 'content-encoding': encoding }) })
    expect(answer.status).toBe(200)
  })

  test('413: a body above the limit, announced or not', async () => {
    const body = JSON.stringify({ instances: new Array<object>(5000).fill(row) })
    expectProblem(await server.post('/predict', body), 'BODY_TOO_LARGE')
    const chunked = await requestRaw(server.url, 'POST /predict', {
      authorization: `Bearer ${server.token}`, 'content-type': 'application/json', 'transfer-encoding': 'chunked',
    }, `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
    expectProblem(chunked, 'BODY_TOO_LARGE')
  })

  test.each([
    ['application/json', JSON.stringify({ instances: new Array<object>(6).fill(row) })],
    ['text/csv', `length,kind\n${'5,red\n'.repeat(6)}`],
    ['application/x-ndjson', `${JSON.stringify(row)}\n`.repeat(6)],
  ])('413: one row too many in %s', async (type, body) => {
    expectProblem(await server.post('/predict', body, { 'content-type': type }), 'TOO_MANY_ROWS', { detail: 'The request has more than 5 rows. Send them in several requests.' })
    expectProblem(await server.post('/predict?partial=true', body, { 'content-type': type }), 'TOO_MANY_ROWS')
  })

  test('as many rows as are allowed are served', async () => {
    expect((await server.post('/predict', { instances: new Array<object>(5).fill(row) })).body.predictions).toHaveLength(5)
  })

  test('422: what is well-formed and wrong', async () => {
    expectProblem(await server.post('/predict', { length: 'long', kind: 'red' }), 'INVALID_INPUT', {
      detail: 'One value does not fit the model.', errors: [{ path: '/length', message: 'must be a number, not a string' }],
    })
  })
})

test('403: a token without the scope', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  const server = await startApp({ 'flower/1.0.0': flowerFiles() }, { JWT_SECRET: secret })
  onTestFinished(() => server.close())
  const answer = await server.post('/predict', row, { authorization: `Bearer ${jwt(claims({ scope: 'metrics' }), secret)}` })
  expectProblem(answer, 'FORBIDDEN')
  expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="predict"')
})

test('429: more requests than are allowed, with the time to wait', async () => {
  const server = await startApp({ 'flower/1.0.0': flowerFiles() }, { RATE_LIMIT_MAX: '1' })
  onTestFinished(() => server.close())
  expect((await server.post('/predict', row)).status).toBe(200)
  const answer = await server.post('/predict', row)
  expectProblem(answer, 'RATE_LIMITED')
  expect(answer.headers.get('retry-after')).toMatch(/^(60|59)$/)
})

describe('503', () => {
  test('while the models load, and liveness does not wait for them', async () => {
    const server = await startApp({ 'flower/1.0.0': flowerFiles() }, {}, { load: false })
    onTestFinished(() => server.close())
    for (const path of ['/predict', '/models/flower/predict', '/models/flower/versions/1.0.0/predict']) {
      const answer = await server.post(path, row)
      expectProblem(answer, 'MODEL_NOT_READY', { detail: expect.stringContaining('it is still loading') })
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    expect(await server.get('/health/ready')).toMatchObject({ status: 503, body: { status: 'loading', failures: [] } })
    expect(await server.get('/health')).toMatchObject({ status: 200, body: { status: 'ok', ready: false, models: {} } })
    expect((await server.get('/health/live')).status).toBe(200)

    await server.app.inference.registry.load(undefined)
    expect((await server.get('/health/ready')).status).toBe(200)
    expect((await server.post('/predict', row)).status).toBe(200)
  })

  test('while the server drains: all but health, and no connection is kept', async () => {
    const server = await startApp({ 'flower/1.0.0': flowerFiles() })
    onTestFinished(() => server.close())
    server.app.startDraining()
    for (const answer of [await server.post('/predict', row), await server.get('/models'), await server.get('/nowhere')]) {
      expectProblem(answer, 'DRAINING')
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(answer.headers.get('connection')).toBe('close')
    }
    expect(await server.get('/health/ready')).toMatchObject({ status: 503, body: { status: 'draining' } })
    expect(await server.get('/health')).toMatchObject({ status: 200, body: { status: 'draining', ready: false } })
    for (const path of ['/health/live', '/v2/health/live']) expect((await server.get(path)).status, path).toBe(200)
  })

  test('when too many rows wait, with the time to wait', async () => {
    const server = await startApp({ 'heavy/1.0.0': heavyFiles('heavy', { layers: 4, width: 128 }) }, { INFERENCE_THREADS: '1', MAX_ROWS: '50000' })
    onTestFinished(() => server.close())
    const body = { instances: new Array<object>(40_000).fill({ x: 1 }) }
    const answers = await Promise.all([1, 2, 3, 4].map(() => server.post('/predict', body)))
    const refused = answers.filter(answer => answer.status !== 200)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(4)
    for (const answer of refused) {
      expectProblem(answer, 'QUEUE_FULL')
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    }
  })
})

test('504: an inference that takes longer than it may', async () => {
  const server = await startApp({ 'heavy/1.0.0': heavyFiles('heavy') }, { REQUEST_TIMEOUT_MS: '1' })
  onTestFinished(() => server.close())
  expectProblem(await server.post('/predict', { instances: new Array<object>(200).fill({ x: 1 }) }), 'INFERENCE_TIMEOUT', { instance: '/predict' })
})

describe('what the model makes of a row', () => {
  const regression = { task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number' }] } as const

  test('400: values that it cannot run, without the names of its inside; the log has them under the same id', async () => {
    const lookup = withManifest({
      'model.onnx': model({
        graph: {
          inputs: [{ name: 'X', type: 'float32', shape: ['rows', 1] }],
          outputs: [{ name: 'value', type: 'float32', shape: ['rows', 1] }],
          nodes: [node('Cast', ['X'], ['index'], { to: 7n }), node('Gather', ['secret_table', 'index'], ['value'])],
          initializers: { secret_table: floats([10, 20, 30]) },
        },
      }),
    }, { ...regression, name: 'lookup', features: [...regression.features] })
    const server = await startApp({ 'lookup/1.0.0': lookup })
    onTestFinished(() => server.close())
    expect((await server.post('/predict', { x: 2 })).body.prediction).toBe(30)

    const answer = await server.post('/predict', { x: 999 }, { 'x-request-id': 'the-bad-one' })
    expectProblem(answer, 'UNRUNNABLE_VALUES', { detail: expect.stringContaining('idx=999 must be within the inclusive range [-3,2]') })
    expect(answer.text).not.toMatch(/secret_table|Gather|\.cc|\.ts|\/src\//)
    expect(server.logs.find(line => line['request_id'] === 'the-bad-one' && line['level'] === 40)).toMatchObject({ err: { message: expect.stringContaining('Gather') } })
    expect((await server.post('/predict', { x: 1 })).body.prediction).toBe(20)
  })

  test('500: answers that are not what its manifest says, and nothing of the inside', async () => {
    const counting = withManifest({
      'model.onnx': model({
        graph: {
          inputs: [{ name: 'X', type: 'float32', shape: [1, 1] }],
          outputs: [{ name: 'value', type: 'float32', shape: ['secret_rows'] }],
          nodes: [
            node('Reshape', ['X', 'flat'], ['limit'], {}),
            node('Max', ['limit', 'one'], ['end']),
            node('Squeeze', ['end'], ['stop']),
            node('Range', ['zero', 'stop', 'step'], ['value']),
          ],
          initializers: {
            flat: { type: 'int64', shape: [1], data: BigInt64Array.of(1n) },
            one: floats([1]),
            zero: floats([0], []),
            step: floats([1], []),
          },
        },
      }),
    }, { ...regression, name: 'counting', features: [...regression.features] })
    const server = await startApp({ 'counting/1.0.0': counting })
    onTestFinished(() => server.close())
    expect((await server.post('/predict', { x: 1 })).body.prediction).toBe(0)

    const answer = await server.post('/predict', { x: 5 }, { 'x-request-id': 'the-bad-one' })
    expectProblem(answer, 'INTERNAL', { detail: 'The server failed; its log has the reason under this request_id.' })
    expect(answer.text).not.toMatch(/shape|value|\.ts|\/src\//)
    expect(server.logs.find(line => line['msg'] === 'request failed')).toMatchObject({
      level: 50, request_id: 'the-bad-one', err: { message: expect.stringContaining('shape [5]'), stack: expect.stringContaining(' at ') },
    })
  })
})

describe('500', () => {
  test('for what a plugin or route throws, whatever it is', async () => {
    const server = await startApp({ 'flower/1.0.0': flowerFiles() })
    onTestFinished(() => server.close())
    const { registry } = server.app.inference
    registry.summaries = () => { throw new TypeError(`cannot read ${import.meta.filename}`) }
    const answer = await server.get('/models')
    expectProblem(answer, 'INTERNAL')
    expect(answer.text).not.toContain(import.meta.filename)
    registry.summaries = () => { throw Object.assign(new Error('no room at /var/lib'), { statusCode: 507 }) }
    expectProblem(await server.get('/models'), 'INTERNAL')
    expect(server.logs.filter(line => line['msg'] === 'request failed').map(line => (line['err'] as { message: string }).message))
      .toEqual([expect.stringContaining('cannot read'), 'no room at /var/lib'])
  })
})
