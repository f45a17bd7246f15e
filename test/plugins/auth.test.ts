import { sign } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { FatalError } from '../../src/errors.ts'
import { secret, securedApp, warnings } from '../auth/secured-app.ts'
import { jwksServer } from '../helpers/jwks.ts'
import { claims, ecPair, edPair, jwt, type KeyPair, nowSeconds, rsaPair } from '../helpers/keys.ts'

const rsa = rsaPair()
const ec = ecPair()
const ed = edPair()
const unsigned = (token: string) => token.slice(0, token.lastIndexOf('.') + 1)

/** The right key under the wrong name: as RS256 the runtime would take an EC signature in this encoding. */
function ecSignedAsRsa (): string {
  const input = unsigned(jwt(claims(), ec, { kid: 'e', alg: 'RS256' })).slice(0, -1)
  return `${input}.${sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'der' }).toString('base64url')}`
}

afterEach(() => { vi.useRealTimers() })

describe('a token signed with the secret', () => {
  test('opens the route of its scope and names its subject', async () => {
    const { call } = await securedApp()
    const answer = await call(jwt(claims(), secret))
    expect(answer).toMatchObject({ status: 200, body: { subject: 'alice' } })
  })

  test.each([
    ['scope, text with spaces', { scope: 'metrics predict' }],
    ['scope, a list', { scope: ['predict'] }],
    ['scp, a list', { scope: undefined, scp: ['openid', 'predict'] }],
    ['scp, text', { scope: undefined, scp: 'openid predict' }],
    ['permissions, a list', { scope: undefined, permissions: ['predict'] }],
  ])('may hold its scopes in %s', async (_name, more) => {
    const { call } = await securedApp()
    expect((await call(jwt(claims(more), secret))).status).toBe(200)
  })

  test.each([
    ['no scope at all', { scope: undefined }],
    ['another scope', { scope: 'metrics' }],
    ['a scope that only begins the same', { scope: 'predictions' }],
    ['things that are no text', { scope: 7, scp: { predict: true }, permissions: [['predict'], null] }],
  ])('with %s is 403 and told which scope', async (_name, more) => {
    const { call } = await securedApp()
    const answer = await call(jwt(claims(more), secret))
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', detail: 'This needs a token with the scope predict' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="modelport", error="insufficient_scope", scope="predict"')
  })

  test('without a subject is good, and known by no name', async () => {
    const { call } = await securedApp()
    expect(await call(jwt(claims({ sub: undefined }), secret))).toMatchObject({ status: 200, body: { subject: null } })
  })

  test('may write the scheme in any case', async () => {
    const { call } = await securedApp()
    expect((await call(undefined, { headers: { authorization: `bEARER ${jwt(claims(), secret)}` } })).status).toBe(200)
  })

  test('is good once more after it was good, and never after it has expired', async () => {
    const { call } = await securedApp()
    const token = jwt(claims({ exp: nowSeconds() + 60 }), secret)
    expect((await call(token)).status).toBe(200)
    expect((await call(token)).status).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 62_000 })
    expect(await call(token)).toMatchObject({ status: 401, body: { detail: 'The token has expired' } })
  })
})

describe('without a token', () => {
  test.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic YWxpY2U6c2VjcmV0' }],
    ['a scheme that only begins the same', { authorization: `Bearers ${jwt(claims(), secret)}` }],
  ])('%s is 401 with a challenge and no error', async (_name, headers) => {
    const { call } = await securedApp()
    const answer = await call(undefined, { headers })
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="modelport"')
  })

  test('routes that have no scope are open, and unknown ones are 404', async () => {
    const { call } = await securedApp()
    expect((await call(undefined, { path: '/health', method: 'GET' })).status).toBe(200)
    expect((await call('rubbish', { path: '/health', method: 'GET' })).status).toBe(200)
    expect((await call(undefined, { path: '/nowhere', method: 'GET' })).status).toBe(404)
  })

  test('HEAD is refused where GET is', async () => {
    const { call } = await securedApp()
    expect((await call(undefined, { path: '/metrics', method: 'HEAD' })).status).toBe(401)
  })

  test('it is refused before the body is looked at', async () => {
    const { call } = await securedApp()
    const answer = await call(undefined, { headers: { 'content-type': 'application/nonsense', 'content-length': '0' } })
    expect(answer.status).toBe(401)
  })
})

describe('a bad token is 401', () => {
  const good = { sub: 'alice', scope: 'predict', exp: 4_000_000_000, iss: 'issuer', aud: 'modelport' }
  const signed = (more: Record<string, unknown>) => jwt({ ...good, ...more }, secret)
  const rules = { JWT_ISSUER: 'issuer', JWT_AUDIENCE: 'modelport' }

  test('while the good one that the others are made from is 200', async () => {
    const { call } = await securedApp(rules)
    expect((await call(signed({}))).status).toBe(200)
    expect((await call(signed({ aud: ['other', 'modelport'] }))).status).toBe(200)
  })

  test.each<[name: string, token: string, reason: string]>([
    ['empty', '', 'not valid'],
    ['rubbish', 'rubbish', 'not a JSON Web Token'],
    ['rubbish in three parts', 'a.b.c', 'not a JSON Web Token'],
    ['a token with a second word', `${signed({})} x`, 'signature'],
    ['signed with another secret', jwt(good, 'another secret of at least thirty-two bytes'), 'signature'],
    ['changed after signing', signed({}).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...good, scope: 'admin' })).toString('base64url')}.`), 'signature'],
    ['its signature taken off', unsigned(signed({})), 'not signed'],
    ['expired', signed({ exp: nowSeconds() - 10 }), 'expired'],
    ['expired before there was a calendar', signed({ exp: -1e300 }), 'not valid'],
    ['without exp', signed({ exp: undefined }), 'lacks exp'],
    ['exp as text', signed({ exp: '4000000000' }), 'wrong type'],
    ['exp null', signed({ exp: null }), 'wrong type'],
    ['nbf ahead', signed({ nbf: nowSeconds() + 60 }), 'not valid yet'],
    ['alg none', unsigned(jwt(good, secret, { alg: 'none' })), 'not signed'],
    ['alg none, with a signature', jwt(good, secret, { alg: 'none' }), 'another algorithm'],
    ['header RS256, signed with HS256', jwt(good, secret, { alg: 'RS256' }), 'another algorithm'],
    ['header HS512', jwt(good, secret, { alg: 'HS512' }), 'another algorithm'],
    ['no alg', jwt(good, secret, { alg: undefined }), 'another algorithm'],
    ['kid with a path, other secret', jwt(good, '', { kid: '../../../../dev/null' }), 'signature'],
    ['a critical header that nobody knows', jwt(good, secret, { crit: ['b64'], b64: false }), 'not valid'],
    ['wrong audience', signed({ aud: 'other' }), 'another audience'],
    ['no audience', signed({ aud: undefined }), 'aud'],
    ['wrong issuer', signed({ iss: 'issuer.example' }), 'another issuer'],
    ['no issuer', signed({ iss: undefined }), 'iss'],
    ['a subject that is no text', signed({ sub: { name: 'alice' } }), 'sub'],
    ['an endless subject', signed({ sub: 'a'.repeat(256) }), 'sub'],
    ['oversized', signed({ padding: 'a'.repeat(8000) }), 'longer than 8192'],
  ])('%s', async (_name, token, reason) => {
    const { call } = await securedApp(rules)
    const answer = await call(token)
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED', detail: expect.stringContaining(reason) } })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="modelport", error="invalid_token", error_description="[^"\\]+"$/)
  })
})

describe('with a public key', () => {
  test.each<[string, KeyPair]>([['RSA', rsa], ['P-256', ec], ['Ed25519', ed]])('%s: its own tokens are good and all others 401', async (_name, pair) => {
    const { call } = await securedApp({ JWT_PUBLIC_KEY: pair.publicPem })
    expect((await call(jwt(claims(), pair))).status).toBe(200)
    for (const token of [
      // The classic confusion: the public key, which everyone knows, as the secret of HS256.
      jwt(claims(), pair.publicPem),
      jwt(claims(), pair.publicPem.trim()),
      jwt(claims(), pair.publicPem, { alg: pair.algorithm }),
      // JWT_SECRET is set too, and comes after the public key.
      jwt(claims(), secret),
      unsigned(jwt(claims(), pair, { alg: 'none' })),
      ...[rsa, ec, ed].filter(other => other !== pair).map(other => jwt(claims(), other)),
      ...[rsa, ec, ed].filter(other => other !== pair).map(other => jwt(claims(), other, { alg: pair.algorithm })),
    ]) {
      expect((await call(token)).status).toBe(401)
    }
  })
})

describe('with a JWKS address', () => {
  const jwk = (pair: KeyPair, kid: string, more: object = {}) => ({ ...pair.jwk, kid, ...more })
  const others = [
    { kty: 'oct', kid: 'shared', k: Buffer.from(secret).toString('base64url') },
    { kty: 'RSA', kid: 'broken' },
    jwk(rsa, 'for-encryption', { use: 'enc' }),
    jwk(rsa, 'for-another-algorithm', { alg: 'RS512' }),
    null,
  ]

  test('tokens of each kind of key are good, and keys of no use to us are passed over', async () => {
    const address = await jwksServer([...others, jwk(rsa, 'r'), jwk(ec, 'e', { alg: 'ES256', use: 'sig' }), jwk(ed, 'd')])
    const { call } = await securedApp({ JWT_JWKS_URL: address.url })
    for (const [pair, kid] of [[rsa, 'r'], [ec, 'e'], [ed, 'd']] as const) {
      expect((await call(jwt(claims(), pair, { kid }))).status).toBe(200)
    }
    expect(address.fetches).toBe(1)
  })

  test.each<[string, string]>([
    ['the kid of another key', jwt(claims(), ec, { kid: 'r' })],
    ['the kid and algorithm of another key', jwt(claims(), ec, { kid: 'r', alg: 'RS256' })],
    ['the right key under another algorithm', ecSignedAsRsa()],
    ['another algorithm of the same kind', jwt(claims(), rsa, { kid: 'r', alg: 'RS512' })],
    ['a shared secret of the set', jwt(claims(), secret, { kid: 'shared' })],
    ['the public key as a secret', jwt(claims(), rsa.publicPem, { kid: 'r' })],
    ['a key for encryption', jwt(claims(), rsa, { kid: 'for-encryption' })],
    ['no kid among several keys', jwt(claims(), rsa)],
    ['a kid with a path', jwt(claims(), rsa, { kid: '../../keys' })],
    ['a kid that objects have', jwt(claims(), rsa, { kid: '__proto__' })],
    ['a kid that is no text', jwt(claims(), rsa, { kid: { toString: 'r' } })],
  ])('%s is 401', async (_name, token) => {
    const address = await jwksServer([...others, jwk(rsa, 'r'), jwk(ec, 'e')])
    const { call } = await securedApp({ JWT_JWKS_URL: address.url })
    expect(await call(token)).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } })
  })

  test('a token without kid is good where there is only one key', async () => {
    const address = await jwksServer([jwk(rsa, 'r')])
    const { call } = await securedApp({ JWT_JWKS_URL: address.url })
    expect((await call(jwt(claims(), rsa))).status).toBe(200)
  })

  test('a new key is found, rubbish kids do not hammer the address, and a withdrawn key stops counting', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const address = await jwksServer([jwk(rsa, 'old')])
    const { call } = await securedApp({ JWT_JWKS_URL: address.url })
    const old = jwt(claims(), rsa, { kid: 'old' })
    const fresh = jwt(claims(), ec, { kid: 'fresh' })
    expect((await call(old)).status).toBe(200)

    address.keys = [jwk(ec, 'fresh')]
    vi.advanceTimersByTime(10_001)
    expect((await call(fresh)).status).toBe(200)
    expect((await call(old)).status).toBe(401)
    expect(address.fetches).toBe(2)

    for (let i = 0; i < 20; i++) expect((await call(jwt(claims(), ec, { kid: `rubbish-${i}` }))).status).toBe(401)
    expect(address.fetches).toBe(2)
  })

  test('while the address fails, the last keys go on counting; a token of an unknown key is 503, not 401', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const address = await jwksServer([jwk(rsa, 'r')])
    const { call, logged } = await securedApp({ JWT_JWKS_URL: address.url })
    expect((await call(jwt(claims(), rsa, { kid: 'r' }))).status).toBe(200)

    address.keys = null
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(10_001)
      const unknown = await call(jwt(claims(), ec, { kid: 'e' }))
      expect(unknown.status).toBe(503)
      expect(unknown.headers.get('retry-after')).toBe('10')
    }
    expect((await call(jwt(claims({ sub: 'bob' }), rsa, { kid: 'r' }))).status).toBe(200)
    expect(warnings(logged)).toHaveLength(1)

    address.keys = [jwk(rsa, 'r'), jwk(ec, 'e')]
    vi.advanceTimersByTime(10_001)
    expect((await call(jwt(claims(), ec, { kid: 'e' }))).status).toBe(200)
    expect(logged.filter(line => line.msg === 'The signing keys can be fetched again')).toHaveLength(1)
  })

  test('the server starts without the address, and answers 503 to what it cannot check', async () => {
    const address = await jwksServer([])
    const { call } = await securedApp({ JWT_JWKS_URL: address.url })
    expect((await call(jwt(claims(), rsa, { kid: 'r' }))).status).toBe(503)
    expect((await call()).status).toBe(401)
    expect((await call(undefined, { path: '/health', method: 'GET' })).status).toBe(200)
  })
})

describe('without a key', () => {
  test('a token for the first run opens everything for twelve hours', async () => {
    const { app, call } = await securedApp({ JWT_SECRET: '' })
    const token = app.firstRunToken ?? ''
    expect(await call(token)).toMatchObject({ status: 200, body: { subject: 'first-run' } })
    expect((await call(token, { path: '/metrics', method: 'GET' })).status).toBe(200)
    const { exp, scope } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(scope).toBe('predict metrics admin')
    expect(Math.abs(exp - nowSeconds() - 12 * 3600)).toBeLessThan(60)
  })

  test('each run has its own secret', async () => {
    const first = await securedApp({ JWT_SECRET: '' })
    const second = await securedApp({ JWT_SECRET: '' })
    expect((await second.call(first.app.firstRunToken)).status).toBe(401)
  })

  test('production does not start, and says what to set', async () => {
    const start = securedApp({ JWT_SECRET: '', NODE_ENV: 'production' })
    await expect(start).rejects.toThrow(FatalError)
    await expect(start).rejects.toThrow('JWT_JWKS_URL, JWT_PUBLIC_KEY or JWT_SECRET')
  })

  test('no such token is made where a key is configured', async () => {
    expect((await securedApp()).app.firstRunToken).toBeUndefined()
  })
})

test('AUTH=off checks nothing and knows nobody', async () => {
  const { app, call } = await securedApp({ AUTH: 'off', NODE_ENV: 'production', JWT_SECRET: '' })
  expect(app.firstRunToken).toBeUndefined()
  expect(await call()).toMatchObject({ status: 200, body: { subject: null } })
  expect(await call('rubbish')).toMatchObject({ status: 200, body: { subject: null } })
})
