import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { MemoryCounters } from '../../src/plugins/rate-limit-counters.ts'
import { secret, securedApp, type SecuredApp, warnings } from '../auth/secured-app.ts'
import { freePort } from '../helpers/free-port.ts'
import { claims, jwt } from '../helpers/keys.ts'
import { hasRedis, type RedisServer, startRedis } from '../helpers/redis.ts'

const alice = jwt(claims(), secret)
const bob = jwt(claims({ sub: 'bob' }), secret)

afterEach(() => { vi.useRealTimers() })

async function statuses (call: SecuredApp['call'], times: number, token?: string, more?: Parameters<SecuredApp['call']>[1]): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < times; i++) found.push((await call(token, more)).status)
  return found
}

describe('in memory', () => {
  test('a limited route says what is allowed and what is left', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '5', RATE_LIMIT_WINDOW: '30s' })
    const first = await call(alice)
    expect(first.headers.get('ratelimit-policy')).toBe('"default";q=5;w=30')
    expect(first.headers.get('ratelimit')).toBe('"default";r=4;t=30')
    expect((await call(alice)).headers.get('ratelimit')).toMatch(/^"default";r=3;t=(30|29)$/)
    expect([...first.headers.keys()].filter(name => name.startsWith('x-ratelimit'))).toEqual([])
  })

  test('beyond the limit it is 429, with the same fields and when to come again', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '2', RATE_LIMIT_WINDOW: '90s' })
    expect(await statuses(call, 2, alice)).toEqual([200, 200])
    const refused = await call(alice)
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED', detail: expect.stringContaining('More than 2 requests within 90 seconds') } })
    expect(refused.headers.get('retry-after')).toMatch(/^(90|89)$/)
    expect(refused.headers.get('ratelimit')).toMatch(/^"default";r=0;t=(90|89)$/)
    expect(refused.headers.get('ratelimit-policy')).toBe('"default";q=2;w=90')
  })

  test('the next window begins from nothing', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1', RATE_LIMIT_WINDOW: '1 minute' })
    expect(await statuses(call, 2, alice)).toEqual([200, 429])
    vi.advanceTimersByTime(59_900)
    expect((await call(alice)).headers.get('retry-after')).toBe('1')
    vi.advanceTimersByTime(100)
    expect(await statuses(call, 2, alice)).toEqual([200, 429])
  })

  test('each subject has its own, whatever token it comes with', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '2' })
    const another = jwt(claims({ jti: 'another' }), secret)
    expect(await statuses(call, 2, alice)).toEqual([200, 200])
    expect(await statuses(call, 1, another)).toEqual([429])
    expect(await statuses(call, 2, bob)).toEqual([200, 200])
  })

  test('a flood without or with bad tokens is counted by address, and leaves subjects alone', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '3' })
    expect(await statuses(call, 2)).toEqual([401, 401])
    expect(await statuses(call, 2, 'rubbish')).toEqual([401, 429])
    expect(await statuses(call, 1, jwt(claims(), 'another secret of at least thirty-two bytes'))).toEqual([429])
    expect(await statuses(call, 1, alice)).toEqual([200])
  })

  test('a subject that is called like an address is not that address', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1' })
    expect(await statuses(call, 2)).toEqual([401, 429])
    expect(await statuses(call, 1, jwt(claims({ sub: '127.0.0.1' }), secret))).toEqual([200])
  })

  test('a token without the scope is counted too', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1' })
    expect(await statuses(call, 2, jwt(claims({ scope: 'metrics' }), secret))).toEqual([403, 429])
  })

  test('open routes and unknown ones are neither counted nor marked', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1' })
    for (const path of ['/health', '/health', '/nowhere', '/nowhere']) {
      const answer = await call(undefined, { path, method: 'GET' })
      expect(answer.status).toBe(path === '/health' ? 200 : 404)
      expect(answer.headers.has('ratelimit')).toBe(false)
    }
    expect(await statuses(call, 1)).toEqual([401])
  })

  test('AUTH=off counts by address', async () => {
    const { call } = await securedApp({ AUTH: 'off', RATE_LIMIT_MAX: '2' })
    expect(await statuses(call, 3)).toEqual([200, 200, 429])
  })

  test('X-Forwarded-For does not choose the address', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1' })
    const from = (address: string) => statuses(call, 1, undefined, { headers: { 'x-forwarded-for': address } })
    expect([...await from('192.0.2.1'), ...await from('192.0.2.2')]).toEqual([401, 429])
  })

  test('behind a trusted proxy the last hop that it names does, and nothing before it', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1', TRUST_PROXY: '1' })
    const from = (addresses: string) => statuses(call, 1, undefined, { headers: { 'x-forwarded-for': addresses } })
    expect(await from('192.0.2.1')).toEqual([401])
    expect(await from('192.0.2.2')).toEqual([401])
    expect(await from('198.51.100.9, 192.0.2.2')).toEqual([429])
  })

  test('the addresses of one IPv6 network are one caller', async () => {
    const { call } = await securedApp({ RATE_LIMIT_MAX: '1', TRUST_PROXY: '1' })
    const from = (address: string) => statuses(call, 1, undefined, { headers: { 'x-forwarded-for': address } })
    expect([...await from('2001:db8:1:2::1'), ...await from('2001:db8:1:2:ffff::9'), ...await from('2001:db8:1:3::1')]).toEqual([401, 429, 401])
  })
})

test('the memory is bounded: beyond 20,000 callers the one that began first begins anew', () => {
  const counters = new MemoryCounters()
  const count = (caller: string) => {
    let found = 0
    counters.count(caller, 60_000, ({ current }) => { found = current })
    return found
  }
  for (let i = 0; i < 20_000; i++) count(`caller-${i}`)
  expect([count('caller-0'), count('caller-1')]).toEqual([2, 2])
  count('one more')
  expect([count('caller-1'), count('caller-0')]).toEqual([3, 1])
})

describe.skipIf(!hasRedis)('in Redis', () => {
  async function redisServer (...options: string[]): Promise<RedisServer> {
    const redis = await startRedis(...options)
    onTestFinished(() => redis.stop())
    return redis
  }
  const isBack = ({ logged }: SecuredApp) => logged.filter(line => line.msg.startsWith('Redis answers again')).length === 1

  test('two servers share one limit', async () => {
    const redis = await redisServer()
    const env = { REDIS_URL: redis.url, RATE_LIMIT_MAX: '4', RATE_LIMIT_WINDOW: '1 minute' }
    const [first, second] = [await securedApp(env), await securedApp(env)]
    expect(await statuses(first.call, 2, alice)).toEqual([200, 200])
    const third = await second.call(alice)
    expect(third.headers.get('ratelimit')).toMatch(/^"default";r=1;t=(60|59)$/)
    expect(await statuses(second.call, 2, alice)).toEqual([200, 429])
    expect(await statuses(first.call, 1, alice)).toEqual([429])
    expect(await statuses(first.call, 1, bob)).toEqual([200])
    expect(warnings([...first.logged, ...second.logged])).toEqual([])
  })

  test('a window ends', async () => {
    const redis = await redisServer()
    const { call } = await securedApp({ REDIS_URL: redis.url, RATE_LIMIT_MAX: '1', RATE_LIMIT_WINDOW: '200ms' })
    expect((await call(alice)).status).toBe(200)
    await vi.waitFor(async () => expect((await call(alice)).status).toBe(200), { timeout: 5000 })
  })

  test('when Redis stops, requests are served, limited in memory, with one warning; when it is back, the limit is shared again', async () => {
    const redis = await redisServer()
    const server = await securedApp({ REDIS_URL: redis.url, RATE_LIMIT_MAX: '3' })
    expect(await statuses(server.call, 1, alice)).toEqual([200])

    await redis.stop()
    expect(await statuses(server.call, 5, alice)).toEqual([200, 200, 200, 429, 429])
    expect(await statuses(server.call, 4, bob)).toEqual([200, 200, 200, 429])
    expect(warnings(server.logged)).toEqual(['Redis does not answer: the rate limit counts in this server alone'])

    await redis.start()
    await vi.waitFor(() => expect(isBack(server)).toBe(true), { timeout: 10_000 })
    // Redis came back empty, and counts from nothing.
    await vi.waitFor(async () => expect((await server.call(alice)).status).toBe(200), { timeout: 5000 })
    expect(warnings(server.logged)).toHaveLength(1)
  }, 20_000)

  test('a Redis that hangs holds no request for long', async () => {
    const redis = await redisServer()
    const server = await securedApp({ REDIS_URL: redis.url, RATE_LIMIT_MAX: '40' })
    expect(await statuses(server.call, 1, alice)).toEqual([200])

    redis.pause()
    const begin = performance.now()
    expect(await statuses(server.call, 41, alice)).toEqual([...Array<number>(40).fill(200), 429])
    // Were each to wait for its reply in vain it would take two seconds, with the client's defaults minutes.
    expect(performance.now() - begin).toBeLessThan(1500)
    expect(warnings(server.logged)).toHaveLength(1)

    redis.resume()
    await vi.waitFor(async () => {
      await server.call(bob)
      expect(isBack(server)).toBe(true)
    }, { timeout: 10_000 })
  }, 20_000)

  test('a server starts without Redis, with one warning, and serves', async () => {
    const server = await securedApp({ REDIS_URL: `redis://127.0.0.1:${await freePort()}`, RATE_LIMIT_MAX: '2' })
    expect(await statuses(server.call, 3, alice)).toEqual([200, 200, 429])
    expect(warnings(server.logged)).toHaveLength(1)
  })

  test('a Redis that answers with errors is an outage too', async () => {
    const redis = await redisServer('--maxmemory', '1')
    const server = await securedApp({ REDIS_URL: redis.url, RATE_LIMIT_MAX: '2' })
    expect(await statuses(server.call, 3, alice)).toEqual([200, 200, 429])
    expect(warnings(server.logged)).toHaveLength(1)
    expect(server.logged.find(line => line.level === 40)?.reason).toContain('OOM')
  })
})
