import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LambdaHandler, createHandler } from '../../src/lambda/handler.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { claims, jwt } from '../helpers/keys.ts'
import { flowerFiles, regressionFiles } from '../helpers/models.ts'
import { writeRequest } from '../protocols/oip-client.ts'
import { type ClientRequest, type LambdaAnswer, type Sender, context, received, senders } from './events.ts'

const secret = 'a secret of the tests, long enough for HS256'
const row = { length: 5, kind: 'red' }
const json = { 'content-type': 'application/json' }
const binary = writeRequest({
  inputs: [{ name: 'X', datatype: 'FP32', shape: [2, 4], bytes: Buffer.from(Float32Array.of(1, 0, 1, 1, -3, 1, 0, 0.5).buffer) }],
  parameters: { binary_data_output: true },
})
const inBinary = { 'content-type': 'application/octet-stream', 'inference-header-content-length': `${binary.json.length}` }

const post = (url: string, body: unknown, headers: Record<string, string> = json): ClientRequest =>
  ({ method: 'POST', url, headers, body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) })
const get = (url: string, headers: Record<string, string> = {}): ClientRequest => ({ method: 'GET', url, headers })

/** What every route and every kind of error is asked once; the token is added where none is given. */
const requests: readonly (readonly [string, number, ClientRequest])[] = [
  ['liveness', 200, get('/health/live')],
  ['readiness', 200, get('/health/ready')],
  ['a summary', 200, get('/health')],
  ['a summary without its body', 200, { method: 'HEAD', url: '/health' }],
  ['the models', 200, get('/models')],
  ['one model', 200, get('/models/flower')],
  ['one version', 200, get('/models/flower/versions/1.0.0')],
  ['the console', 200, get('/docs')],
  ['a picture of the console', 200, get('/docs/static/favicon-32x32.png')],
  ['the document as JSON', 200, get('/docs/json')],
  ['the document as YAML', 200, get('/docs/yaml')],
  ['ReDoc', 200, get('/redoc')],
  ['one row', 200, post('/predict', row)],
  ['one row as a list, of another model', 200, post('/models/line/predict', { features: [3] })],
  ['many rows of one version', 200, post('/models/flower/versions/1.0.0/predict', { instances: [row, { length: 20, kind: 'blue', age: null }] })],
  ['CSV', 200, post('/predict', 'length,kind\n5,red\n1,blue\n', { 'content-type': 'text/csv' })],
  ['NDJSON', 200, post('/predict', '{"length":5,"kind":"red"}\n{"features":[1,"blue",3]}\n', { 'content-type': 'application/x-ndjson' })],
  ['a partial batch', 200, post('/predict?partial=true', { instances: [row, { length: 5, kind: 'grün' }] })],
  ['a request id of the caller\'s', 200, post('/predict', row, { ...json, 'x-request-id': 'caller-17' })],
  ['the protocol\'s server', 200, get('/v2')],
  ['the protocol\'s readiness', 200, get('/v2/health/ready')],
  ['tensors as JSON', 200, post('/v2/models/line/infer', { id: 'a', inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 1], data: [3] }] })],
  ['tensors as bytes', 200, post('/v2/models/flower/infer', binary.body, inBinary)],
  ['tensors as compressed bytes', 200, post('/v2/models/flower/infer', gzipSync(binary.body), { ...inBinary, 'content-encoding': 'gzip' })],
  ['the repository', 200, post('/v2/repository/index', '')],
  ['MLflow', 200, post('/invocations', { dataframe_records: [row] })],
  ['MLflow\'s ping', 200, get('/ping')],
  ['MLflow\'s version', 200, get('/version')],
  ['TensorFlow Serving', 200, post('/v1/models/line:predict', { instances: [{ x: 1 }, { x: 2 }] })],
  ['TensorFlow Serving, with an encoded colon', 200, post('/v1/models/line%3Apredict', { instances: [{ x: 1 }] })],
  ['TensorFlow Serving\'s status', 200, get('/v1/models/flower')],
  ['a body that is cut off', 400, post('/predict', '{"length": 5')],
  ['no body', 400, { method: 'POST', url: '/predict', headers: json }],
  ['a body that is not UTF-8', 400, post('/predict', Buffer.from([0x22, 0xff, 0x22]))],
  ['a parameter that there is not', 400, post('/predict?verbose=1', row)],
  ['a parameter with blanks and signs', 400, post('/predict?partial=a%20b%2Bc%26d', row)],
  ['a parameter twice', 400, post('/predict?partial=true&partial=false', row)],
  ['a parameter without a value', 400, post('/predict?partial', row)],
  ['no token', 401, post('/predict', row, { ...json, authorization: '' })],
  ['a token with another key', 401, post('/predict', row, { ...json, authorization: `Bearer ${jwt(claims(), 'another secret that is long enough too')}` })],
  ['a token without the scope', 403, post('/predict', row, { ...json, authorization: `Bearer ${jwt(claims({ scope: 'metrics' }), secret)}` })],
  ['the metrics without the scope', 403, get('/metrics', { authorization: `Bearer ${jwt(claims({ scope: 'predict' }), secret)}` })],
  ['no such route', 404, get('/nowhere')],
  ['the root', 404, get('/')],
  ['no such route of a protocol', 404, get('/v2/nowhere')],
  ['no such model', 404, post('/models/rose/predict', row)],
  ['a name with a slash', 404, get('/models/flower%2Fversions')],
  ['a name with signs', 404, get('/models/r%C3%B6schen%20%3F')],
  ['no such version', 404, get('/models/flower/versions/2.0.0')],
  ['another method', 405, { method: 'DELETE', url: '/predict' }],
  ['another Accept', 406, get('/models', { accept: 'text/html' })],
  ['a body above the limit', 413, post('/predict', { instances: new Array<object>(2000).fill(row) })],
  ['too many rows', 413, post('/predict', { instances: new Array<object>(60).fill(row) })],
  ['a name that is too long', 414, get(`/models/${'a'.repeat(500)}`)],
  ['another type', 415, post('/predict', 'length=5', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['a compressed body', 415, post('/predict', gzipSync(JSON.stringify(row)), { ...json, 'content-encoding': 'gzip' })],
  ['wrong values', 422, post('/predict', { length: -1, kind: 'grün', height: 3 })],
]

let server: TestApp
let handler: LambdaHandler

beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() },
    { DEFAULT_MODEL: 'flower', BODY_LIMIT: '50kb', MAX_ROWS: '50', JWT_SECRET: secret, METRICS_AUTH: 'on', RATE_LIMIT_MAX: '1000000' })
  handler = functionOf(server)
})
afterAll(async () => { await server.close() })

function functionOf ({ app }: TestApp): LambdaHandler {
  return createHandler({
    answer: async request => await app.inject({ ...request, method: request.method as 'GET' }),
    securityHeaders: app.securityHeaders,
    warn: () => {},
    beforeFreeze: () => {},
  })
}

function signed ({ headers = {}, ...request }: ClientRequest): ClientRequest {
  const { authorization = `Bearer ${jwt(claims({ scope: 'predict metrics admin' }), secret)}`, ...others } = headers
  return { ...request, headers: authorization === '' ? others : { ...others, authorization } }
}

/** Asked once: the answer is the same for every sender. */
const httpAnswers = new Map<ClientRequest, Promise<LambdaAnswer>>()

function answerOverHttp (request: ClientRequest): Promise<LambdaAnswer> {
  let answer = httpAnswers.get(request)
  if (answer === undefined) httpAnswers.set(request, answer = overHttp(signed(request)))
  return answer
}

async function overHttp ({ method, url, headers = {}, body }: ClientRequest): Promise<LambdaAnswer> {
  const response = await fetch(server.url + url, { method, headers, ...(body === undefined ? {} : { body: body as string }), redirect: 'manual' })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** Ids and times differ from one request to the next, and what belongs to the connection is the gateway's. */
function comparable ({ status, headers, bytes }: LambdaAnswer, ownId: boolean): object {
  const fields = [...headers].filter(([name]) => !['connection', 'content-length', 'date', 'keep-alive', 'ratelimit', 'server-timing', 'transfer-encoding'].includes(name))
  const text = bytes.toString('latin1')
    .replace(/"(latency_ms|uptime_s)":[\d.]+/g, '"$1":0')
    .replace(/"request_id":"[^"]+"/g, ownId ? '$&' : '"request_id":""')
  return { status, text, headers: Object.fromEntries(fields.map(([name, value]) => [name, name === 'x-request-id' && !ownId ? '' : value])) }
}

/** Of a parameter that is sent twice, a load balancer hands on the last, unless it is told to send lists. */
const heard = (sender: Sender) => requests.filter(([name]) => sender !== 'a load balancer' || name !== 'a parameter twice')

describe.each(Object.keys(senders) as Sender[])('through %s', sender => {
  test.each(heard(sender))('%s: %i, the same answer as over HTTP', async (_, status, request) => {
    const asked = signed(request)
    const answer = received(await handler(senders[sender](asked), context()))
    const ownId = asked.headers?.['x-request-id'] !== undefined
    expect(comparable(answer, ownId)).toEqual(comparable(await answerOverHttp(request), ownId))
    expect(answer.status).toBe(status)
    if (status === 200 && request.method === 'POST' && request.url.startsWith('/predict')) expect(answer.headers.get('server-timing')).toMatch(/^validate;dur=/)
  })

  test('the metrics are those of the whole service', async () => {
    const series = (text: string): string[] => text.split('\n').filter(line => line.startsWith('modelport_')).map(line => line.split(' ')[0] ?? '')
    const answer = received(await handler(senders[sender](signed(get('/metrics'))), context()))
    expect(answer.status).toBe(200)
    expect(series(answer.bytes.toString())).toEqual(series((await overHttp(signed(get('/metrics')))).bytes.toString()))
  })

  test('429 after the limit, counted by the caller\'s own address', async () => {
    const limited = await startApp({ 'flower/1.0.0': flowerFiles() }, { RATE_LIMIT_MAX: '1', AUTH: 'off' })
    try {
      const invoke = functionOf(limited)
      const forged = (address: string): ClientRequest => get('/models', { 'x-forwarded-for': address })
      const event = senders[sender](get('/models'))
      expect((await invoke(event, context())).statusCode).toBe(200)
      const answer = received(await invoke(event, context()))
      expect(answer.status).toBe(429)
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
      // The gateway writes its own entry behind whatever was sent.
      const others = senders[sender](forged('198.51.100.1, 203.0.113.7'))
      expect((await invoke(others, context())).statusCode).toBe(429)
      expect(limited.logs.filter(line => line['msg'] === 'request').map(line => line['remote_address'])).toEqual(['203.0.113.7', '203.0.113.7', '203.0.113.7'])
    } finally {
      await limited.close()
    }
  })
})
