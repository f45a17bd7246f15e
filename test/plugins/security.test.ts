import helmet from '@fastify/helmet'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import security from '../../src/plugins/security.ts'

const apps: FastifyInstance[] = []
afterEach(async () => { await Promise.all(apps.splice(0).map(async app => app.close())) })

async function start (options: { corsOrigin?: string, trustProxy?: string[] } = {}): Promise<FastifyInstance> {
  const trustProxy = options.trustProxy ?? false
  const app: FastifyInstance = Fastify({
    trustProxy,
    frameworkErrors: (_error, _request, reply: FastifyReply) => { reply.headers(app.securityHeaders).code(400).send('') },
  })
  apps.push(app)
  await app.register(security, { config: { corsOrigin: options.corsOrigin, trustProxy } })
  app.get('/ok', async () => ({ ok: true }))
  app.get('/fails', async () => { throw new Error('no') })
  app.post('/body', async () => ({ ok: true }))
  return app
}

const expected = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}

test.each([
  ['an answer', { url: '/ok' }, 200],
  ['an error that a handler throws', { url: '/fails' }, 500],
  ['a route that is not there', { url: '/nowhere' }, 404],
  ['a body that cannot be read', { method: 'POST' as const, url: '/body', headers: { 'content-type': 'application/json' }, payload: '{' }, 400],
  ['a content type that nobody knows', { method: 'POST' as const, url: '/body', headers: { 'content-type': 'a/b' }, payload: 'x' }, 415],
  ['an address that is no address', { url: '/%zz' }, 400],
])('%s carries the security headers', async (_, request, status) => {
  const answer = await (await start()).inject(request)
  expect(answer.statusCode).toBe(status)
  expect(answer.headers).toMatchObject(expected)
  expect(answer.headers).not.toHaveProperty('x-powered-by')
})

test('the fixed table says what @fastify/helmet would', async () => {
  const app = Fastify()
  apps.push(app)
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
    frameguard: { action: 'deny' },
  })
  app.get('/ok', async () => '')
  const { headers } = await app.inject('/ok')
  const { 'cache-control': _ours, 'content-security-policy': policy, ...others } = expected
  expect(headers).toMatchObject(others)
  expect(headers['content-security-policy']).toBe(policy.replace('; ', ';'))
})

describe('HTTPS alone', () => {
  const secure = { url: '/ok', headers: { 'x-forwarded-proto': 'https' } }

  test('is asked for where a trusted proxy says that the caller came by it', async () => {
    const { headers } = await (await start({ trustProxy: ['127.0.0.1'] })).inject(secure)
    expect(headers['strict-transport-security']).toBe('max-age=31536000')
  })

  test.each([
    ['over plain HTTP', { trustProxy: ['127.0.0.1'] }, { url: '/ok' }],
    ['where anybody could have said so', {}, secure],
    ['where another proxy is trusted', { trustProxy: ['10.0.0.1'] }, secure],
  ])('is not asked for %s', async (_, options, request) => {
    const { headers } = await (await start(options)).inject(request)
    expect(headers).not.toHaveProperty('strict-transport-security')
  })
})

describe('CORS', () => {
  const preflight = (origin: string) => ({
    method: 'OPTIONS' as const,
    url: '/body',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
  })

  test('is off unless an origin is set', async () => {
    const app = await start()
    const answer = await app.inject({ url: '/ok', headers: { origin: 'https://app.example.com' } })
    expect(Object.keys(answer.headers).filter(name => name.startsWith('access-control'))).toEqual([])
    expect((await app.inject(preflight('https://app.example.com'))).statusCode).toBe(404)
  })

  test.each([
    ['https://app.example.com', 'https://app.example.com', 'https://app.example.com'],
    ['https://a.example, http://localhost:3000', 'http://localhost:3000', 'http://localhost:3000'],
    ['https://a.example, http://localhost:3000', 'https://evil.example', undefined],
    ['https://a.example', 'https://a.example.evil.example', undefined],
    ['*', 'https://anywhere.example', '*'],
  ])('with CORS_ORIGIN=%s a page of %s is told %s', async (corsOrigin, origin, allowed) => {
    const app = await start({ corsOrigin })
    for (const request of [{ url: '/ok', headers: { origin } }, { url: '/fails', headers: { origin } }, { url: '/nowhere', headers: { origin } }, preflight(origin)]) {
      const { headers } = await app.inject(request)
      expect(headers['access-control-allow-origin']).toBe(allowed)
      expect(headers).toMatchObject(expected)
    }
  })

  test('lets a page send a token and read what the answer says beside its body', async () => {
    const { statusCode, headers } = await (await start({ corsOrigin: '*' })).inject(preflight('https://a.example'))
    expect(statusCode).toBe(204)
    expect(headers).toMatchObject({
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'authorization, content-type, x-request-id',
      'access-control-expose-headers': 'x-request-id, server-timing, ratelimit, ratelimit-policy, retry-after',
    })
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })
})
