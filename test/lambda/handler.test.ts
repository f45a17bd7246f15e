import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type GatewayEvent, readEvent } from '../../src/lambda/event.ts'
import { type HandlerOptions, type Injected, type LambdaContext, createHandler } from '../../src/lambda/handler.ts'
import type { HttpAnswer, LambdaResult } from '../../src/lambda/result.ts'
import { type Sender, context, received, senders, sourceIp } from './events.ts'

const all = Object.keys(senders) as Sender[]
const get = { method: 'GET', url: '/models' }

/** A handler before an app that answers as it is told. */
function handlerOf (answer: HandlerOptions['answer'], more: Partial<HandlerOptions> = {}) {
  return createHandler({ answer, securityHeaders: { 'x-frame-options': 'DENY' }, warn: () => {}, beforeFreeze: () => {}, ...more })
}

function text (rawPayload: string | Buffer, headers: HttpAnswer['headers'] = {}): HttpAnswer {
  return { statusCode: 200, headers: { 'content-type': 'text/plain', ...headers }, rawPayload: Buffer.from(rawPayload as string) }
}

/** What the app was asked for an event. */
async function asked (event: GatewayEvent, more: Partial<LambdaContext> = {}): Promise<Injected> {
  let request: Injected | undefined
  await handlerOf(async injected => { request = injected; return text('') })(event, context(more))
  return request!
}

describe.each(all)('a request through %s', sender => {
  test('has the id of the invocation, unless it brings its own', async () => {
    expect((await asked(senders[sender](get), { awsRequestId: 'invocation-1' })).headers['x-request-id']).toBe('invocation-1')
    expect((await asked(senders[sender]({ ...get, headers: { 'x-request-id': 'own' } }))).headers['x-request-id']).toBe('own')
  })

  test('comes from the address that the gateway saw, and TRUST_PROXY sees those before it', async () => {
    expect(await asked(senders[sender](get))).toMatchObject({ remoteAddress: sourceIp })
    const { remoteAddress, headers } = await asked(senders[sender]({ ...get, headers: { 'x-forwarded-for': `198.51.100.1,  192.0.2.2, ${sourceIp}` } }))
    expect({ remoteAddress, forwarded: headers['x-forwarded-for'] }).toEqual({ remoteAddress: sourceIp, forwarded: '198.51.100.1, 192.0.2.2' })
  })

  test('brings its bytes, and their number, whatever they are', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async bytes => {
      const { payload, headers } = await asked(senders[sender]({ method: 'POST', url: '/predict', headers: { 'content-length': '7' }, body: bytes }))
      expect(payload).toEqual(Buffer.from(bytes))
      expect(headers['content-length']).toBe(`${bytes.length}`)
    }), { numRuns: 30 })
  })

  test('brings its path and its query', async () => {
    const name = fc.stringMatching(/^[\w.~ü 🌷-]{1,8}$/u)
    const value = fc.string({ maxLength: 8, unit: 'grapheme' })
    await fc.assert(fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 3 }), fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }), async (parts, query) => {
      fc.pre(!parts.some(part => /^\.{1,2}$/.test(part)) && !Object.keys(query).includes('__proto__'))
      const pairs = Object.entries(query).map(pair => pair.map(encodeURIComponent).join('='))
      const path = `/${parts.map(encodeURIComponent).join('/')}`
      const { url } = await asked(senders[sender]({ method: 'GET', url: pairs.length === 0 ? path : `${path}?${pairs.join('&')}` }))
      const found = new URL(url, 'http://localhost')
      expect(found.pathname.split('/').slice(1).map(decodeURIComponent)).toEqual(parts)
      expect(Object.fromEntries(found.searchParams)).toEqual(query)
    }), { numRuns: 50 })
  })

  test('gets its answer back byte for byte, text as text', async () => {
    await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(body => new TextEncoder().encode(body))), async bytes => {
      const answer = received(await handlerOf(async () => text(Buffer.from(bytes)))(senders[sender](get), context()))
      expect(answer.bytes).toEqual(Buffer.from(bytes))
    }), { numRuns: 50 })
    expect((await handlerOf(async () => text('grün'))(senders[sender](get), context())).body).toBe('grün')
  })

  test('gets every header, and all values of one', async () => {
    // A load balancer takes a list only where it sends lists.
    const cookies = sender === 'a load balancer' ? ['a=1'] : ['a=1', 'b=2']
    const result = await handlerOf(async () => text('', { 'set-cookie': cookies, 'x-count': 7, connection: 'keep-alive', 'transfer-encoding': 'chunked' }))(senders[sender](get), context())
    const { headers } = received(result)
    expect(headers.getSetCookie()).toEqual(cookies)
    expect(headers.get('x-count')).toBe('7')
    expect(headers.has('connection') || headers.has('transfer-encoding')).toBe(false)
  })
})

describe('a load balancer', () => {
  test.each(all.filter(sender => sender.startsWith('a load balancer')))('gets headers in the form in which it asks, and the status in words: %s', async sender => {
    const result = await handlerOf(async () => text(''))(senders[sender](get), context())
    expect(Object.keys(result)).toEqual(['statusCode', 'statusDescription', sender.endsWith('headers') ? 'multiValueHeaders' : 'headers', 'body', 'isBase64Encoded'])
    expect(result.statusDescription).toBe('200 OK')
  })

  test('that writes no X-Forwarded-For has one caller', () => {
    const event = senders['a load balancer'](get)
    expect(readEvent({ ...event, headers: {} }).remoteAddress).toBe('0.0.0.0')
  })

  test('hands a query on as it was sent', () => {
    const event = senders['a load balancer']({ method: 'GET', url: '/models?a=b%20c&d=%zz' })
    expect(readEvent(event).url).toBe('/models?a=b%20c&d=%zz')
  })
})

test.each([
  ['the whole base path', { resource: '/', path: '/scoring' }, '/'],
  ['a resource of its own', { resource: '/models/{name}', path: '/scoring/models/iris', pathParameters: { name: 'iris' } }, '/models/iris'],
  ['a slash at the end', { resource: '/{proxy+}', path: '/scoring/v2/', pathParameters: { proxy: 'v2' } }, '/v2/'],
  ['a name of the base path in the path', { resource: '/{proxy+}', path: '/v2/v2/models', pathParameters: { proxy: 'v2/models' } }, '/v2/models'],
  ['signs that were decoded', { resource: '/{proxy+}', path: '/scoring/models/a b', pathParameters: { proxy: 'models/a b' } }, '/models/a%20b'],
  ['no resource', { path: '/models' }, '/models'],
])('a REST API with %s', (_, event, url) => {
  expect(readEvent({ httpMethod: 'GET', ...event }).url).toBe(url)
})

test.each([
  ['a number', 7],
  ['nothing', null],
  ['an event of S3', { Records: [{ eventSource: 'aws:s3' }] }],
  ['a WebSocket', { requestContext: { eventType: 'CONNECT', connectionId: 'a' } }],
])('%s is refused, saying what is answered', async (_, event) => {
  await expect(handlerOf(async () => text(''))(event as GatewayEvent, context())).rejects.toThrow(/not an HTTP request.*API Gateway.*Load Balancer/)
})

describe('an answer that is too large', () => {
  const large = '"'.repeat(4_000_000)

  test('crosses compressed where the caller reads gzip', async () => {
    const event = senders['an HTTP API (payload 2.0)']({ ...get, headers: { 'accept-encoding': 'br, gzip' } })
    const answer = received(await handlerOf(async () => text(large, { vary: 'origin' }))(event, context()))
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'content-encoding': 'gzip', vary: 'origin, accept-encoding' })
    expect(gunzipSync(answer.bytes).toString()).toBe(large)
  })

  test.each([['', 'identity'], ['', 'gzip;q=0'], ['', 'gzip; q=0.0, br'], ['br', 'gzip']])('is 413 where it cannot be compressed (content-encoding: %s, accept-encoding: %s)', async (encoding, accept) => {
    const warnings: object[] = []
    const event = senders['a function URL']({ ...get, headers: { 'accept-encoding': accept } })
    const answer = text(large, { 'x-request-id': 'id-1', 'cache-control': 'no-store', ...(encoding === '' ? {} : { 'content-encoding': encoding }) })
    const result = await handlerOf(async () => answer, { warn: facts => { warnings.push(facts) } })(event, context())
    const { status, headers, bytes } = received(result)
    expect(status).toBe(413)
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.has('content-encoding')).toBe(false)
    expect(JSON.parse(bytes.toString())).toMatchObject({ type: 'urn:modelport:error:answer-too-large', request_id: 'id-1', detail: expect.stringContaining('4.0 MB, and 6 MB') as string })
    expect(warnings).toEqual([{ request_id: 'id-1', answer_bytes: 4_000_000, limit_bytes: 6_000_000 }])
  })

  test('is told in the words of its route, and sooner to a load balancer', async () => {
    const event = senders['a load balancer']({ method: 'POST', url: '/v2/models/iris/infer', headers: {}, body: '{}' })
    const { status, bytes } = received(await handlerOf(async () => text('x'.repeat(1_000_000)))(event, context()))
    expect(status).toBe(413)
    expect(Object.keys(JSON.parse(bytes.toString()) as object)).toEqual(['error'])
  })

  test('is never handed over: what is below the limit stays below it as JSON', async () => {
    const units = fc.constantFrom('a', '"', '\u0000', 'ü', '🌷')
    await fc.assert(fc.asyncProperty(units, fc.oneof(fc.integer({ min: 100_000, max: 1_200_000 }), fc.integer({ min: 150_000, max: 170_000 })), async (unit, count) => {
      const result = await handlerOf(async () => text(unit.repeat(count)))(senders['a load balancer'](get), context())
      expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThanOrEqual(1_000_000)
      if (unit === 'a' && count < 990_000) expect(result.statusCode).toBe(200)
    }), { numRuns: 10 })
  })
})

describe('at the end of the function\'s time', () => {
  const never = async ({ signal }: Injected): Promise<HttpAnswer> => await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new Error('aborted')) })
  })

  test('the answer is 504 in the words of the route, and the request is dropped', async () => {
    let dropped = false
    const warnings: string[] = []
    const handler = handlerOf(async request => {
      request.signal.addEventListener('abort', () => { dropped = true })
      return await never(request)
    }, { warn: (_, message) => { warnings.push(message) } })
    const result = await handler(senders['a function URL']({ method: 'POST', url: '/v2/models/iris/infer' }), context({ getRemainingTimeInMillis: () => 310 }))
    const { status, headers, bytes } = received(result)
    expect(status).toBe(504)
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(JSON.parse(bytes.toString())).toEqual({ error: expect.stringMatching(/time of the function.*fewer rows/) as string })
    expect(dropped).toBe(true)
    expect(warnings).toEqual(['the time of the function was over before the answer'])
  })

  test('an answer in time is not touched', async () => {
    const result = await handlerOf(async () => text('in time'))(senders['a function URL'](get), context({ getRemainingTimeInMillis: () => 1 }))
    expect(result.statusCode).toBe(200)
  })
})

test('the log is written before the process may stand still, and timers do not hold the answer back', async () => {
  const order: string[] = []
  const handler = handlerOf(async () => { order.push('answer'); return text('') }, { beforeFreeze: async () => { order.push('flush') } })
  const invocation = context()
  const result: LambdaResult = await handler(senders['a function URL'](get), invocation)
  order.push('result')
  expect(result.statusCode).toBe(200)
  expect(order).toEqual(['answer', 'flush', 'result'])
  expect(invocation.callbackWaitsForEmptyEventLoop).toBe(false)
})
