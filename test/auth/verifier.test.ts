import fastifyJwt from '@fastify/jwt'
import fc from 'fast-check'
import fastify from 'fastify'
import { afterEach, expect, test, vi } from 'vitest'
import { verifyOptions } from '../../src/auth/token.ts'
import { type Check, Verifier } from '../../src/auth/verifier.ts'
import { loadConfig } from '../../src/config.ts'
import { claims, jwt, nowSeconds } from '../helpers/keys.ts'

const secret = 'a secret of at least thirty-two bytes'

afterEach(() => { vi.useRealTimers() })

/** A check that takes every token for good, and the tokens that it was asked about. */
function counting (more: object = {}): { check: Check, asked: string[] } {
  const asked: string[] = []
  return { asked, check: token => { asked.push(token); return claims({ sub: token, ...more }) } }
}

test('a token is checked once, until it expires', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { check, asked } = counting({ exp: nowSeconds() + 60 })
  const verifier = new Verifier(check)
  const first = await verifier.verify('a')
  expect(await verifier.verify('a')).toBe(first)
  expect(asked).toEqual(['a'])
  vi.advanceTimersByTime(62_000)
  await verifier.verify('a')
  expect(asked).toEqual(['a', 'a'])
})

test('a bad token is checked each time and takes no room', async () => {
  const check = vi.fn<Check>(() => { throw new Error('bad') })
  const verifier = new Verifier(check)
  expect(await verifier.verify('a')).toEqual({ kind: 'refused', reason: 'The token is not valid' })
  await verifier.verify('a')
  expect(check).toHaveBeenCalledTimes(2)
})

test('a thousand tokens are kept, the oldest makes room', async () => {
  const { check, asked } = counting()
  const verifier = new Verifier(check)
  for (let i = 0; i <= 1000; i++) await verifier.verify(`token-${i}`)
  asked.length = 0
  await verifier.verify('token-1')
  await verifier.verify('token-1000')
  expect(asked).toEqual([])
  await verifier.verify('token-0')
  expect(asked).toEqual(['token-0'])
})

test('after the keys have changed every token is checked anew, also one whose check was under way', async () => {
  let finish: (claims: object) => void = () => {}
  const check = vi.fn<Check>(() => new Promise(resolve => { finish = resolve }))
  const verifier = new Verifier(check)
  const underWay = verifier.verify('a')
  verifier.forget()
  finish(claims())
  expect(await underWay).toMatchObject({ kind: 'identity' })
  const again = verifier.verify('a')
  expect(check).toHaveBeenCalledTimes(2)
  finish(claims())
  await again
  expect(verifier.verify('a')).toMatchObject({ kind: 'identity', subject: 'alice' })
  expect(check).toHaveBeenCalledTimes(2)
})

test('whatever is sent, only what was signed is an identity, and nothing throws', async () => {
  const config = loadConfig({ JWT_SECRET: secret })
  const app = fastify()
  await app.register(fastifyJwt, verifyOptions(config, { kind: 'secret', algorithm: 'HS256', secret, firstRun: false }, undefined))
  const verifier = new Verifier(token => app.jwt.verify(token))
  const good = jwt(claims(), secret)
  const part = fc.json().map(json => Buffer.from(json).toString('base64url'))
  fc.assert(fc.property(fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(part, part, part).map(parts => parts.join('.')),
    fc.tuple(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1 })).map(([at, letter]) => good.slice(0, at) + letter + good.slice(at + 1))
    // The last letter of a signature has bits that mean nothing, so changes there are left out.
  ).filter(token => token.slice(0, -1) !== good.slice(0, -1)), token => {
    expect(verifier.verify(token)).toMatchObject({ kind: 'refused' })
  }), { numRuns: 500 })
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (scope, scp, permissions, sub) => {
    const verdict = verifier.verify(jwt({ scope, scp, permissions, sub, exp: nowSeconds() + 60 }, secret))
    expect(verdict).toMatchObject({ kind: typeof sub === 'string' && sub !== '' ? 'identity' : 'refused' })
  }), { numRuns: 200 })
  await app.close()
})
