import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { ApiError } from '../errors.ts'
import type { Peers } from '../peers.ts'
import { type Count, type Counters, MemoryCounters } from './rate-limit-counters.ts'
import { LeasedCounters } from './rate-limit-leases.ts'

type RateLimitConfig = Pick<Config, 'rateLimitMax' | 'rateLimitWindow' | 'redisUrl'>

/**
 * Limits the routes that have a scope, per subject of a verified token, else per address. Writes the
 * RateLimit fields of the IETF draft on each of their answers.
 */
export default fp<{ config: RateLimitConfig, peers?: Peers | undefined }>(async (app, { config, peers }) => {
  const { rateLimitMax: max, rateLimitWindow: windowMs, redisUrl } = config
  let counters = ownCounters(app, peers, max)
  if (redisUrl !== undefined) {
    // Loaded only where it is used: it is a fifth of the start.
    const { RedisCounters } = await import('./rate-limit-redis.ts')
    const shared = new RedisCounters(redisUrl, app.log, counters)
    await shared.connected()
    app.addHook('onClose', async () => shared.close())
    counters = shared
  }
  await app.register(rateLimit, { global: false, max, timeWindow: windowMs, keyGenerator: callerOf, store: storeOf(counters) })
  const take = app.createRateLimit()
  const policy = `"default";q=${max};w=${seconds(windowMs)}`

  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.scope === undefined) return done()
    take(request).then(taken => done(answer(reply, taken)), done)
  })

  function answer (reply: FastifyReply, taken: Awaited<ReturnType<typeof take>>): ApiError | undefined {
    if (taken.isAllowed) return undefined
    reply.header('ratelimit-policy', policy)
    reply.header('ratelimit', `"default";r=${taken.remaining};t=${seconds(taken.ttl)}`)
    if (!taken.isExceeded) return undefined
    const retryAfter = seconds(taken.ttl)
    return new ApiError('RATE_LIMITED', `More than ${max} requests within ${seconds(windowMs)} seconds; try again in ${retryAfter}`,
      { headers: { 'retry-after': String(retryAfter) } })
  }
}, { name: 'rate-limit', fastify: '5.x', dependencies: ['auth'] })

/** Without Redis, or while it is away: the processes of this service together, or this one alone. */
function ownCounters (app: FastifyInstance, peers: Peers | undefined, max: number): Counters {
  if (peers === undefined) return new MemoryCounters()
  const leased = new LeasedCounters(peers, max)
  app.addHook('onClose', async () => leased.close())
  return leased
}

/** The prefix keeps a subject that looks like an address apart from that address. */
function callerOf (request: FastifyRequest): string {
  if (request.subject !== undefined) return `subject:${request.subject}`
  // A household's IPv6 addresses are one caller, else each of 2^64 had its own limit.
  return `address:${rateLimit.normalizeIP(request.ip ?? '')}`
}

/** The library wants a class that it makes an instance of. */
function storeOf (counters: Counters): RateLimitPluginOptions['store'] {
  return class {
    incr (caller: string, done: (error: null, count: Count) => void, windowMs: number): void {
      counters.count(caller, windowMs, done)
    }

    child (): this {
      return this
    }
  }
}

function seconds (ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}
