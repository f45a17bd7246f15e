import { isIPv6 } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Address6 } from 'ip-address'
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
  const policy = `"default";q=${max};w=${seconds(windowMs)}`

  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.scope === undefined) return done()
    counters.count(callerOf(request), windowMs, count => { done(answer(reply, count)) })
  })

  function answer (reply: FastifyReply, { current, ttl }: Count): ApiError | undefined {
    reply.header('ratelimit-policy', policy)
    reply.header('ratelimit', `"default";r=${Math.max(0, max - current)};t=${seconds(ttl)}`)
    if (current <= max) return undefined
    const retryAfter = seconds(ttl)
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
  return `address:${networkOf(request.ip ?? '')}`
}

/** A household's IPv6 addresses are one caller, else each of 2^64 had its own limit. */
function networkOf (address: string): string {
  if (!isIPv6(address)) return address
  const parsed = new Address6(address)
  return parsed.isMapped4() ? parsed.to4().correctForm() : new Address6(`${address}/64`).startAddress().correctForm()
}

/** Rounded up, but for the hair by which sums of the clock's fractions are off. */
function seconds (ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000 - 1e-6))
}
