import { Redis, type RedisOptions, type Result } from 'ioredis'
import type { Count, Counters } from './rate-limit-counters.ts'

interface CountersLog {
  info: (message: string) => void
  warn: (data: object, message: string) => void
}

declare module 'ioredis' {
  interface RedisCommander<Context> {
    countRequest: (key: string, windowMs: number) => Result<[current: number, ttl: number], Context>
  }
}

/** One step for Redis: a counter that got no expiry would lock its caller out for ever. */
const countScript = `
local current = redis.call('INCR', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return { current, ttl }`

const replyWithinMs = 50
const pauseMs = 1000

const redisOptions: RedisOptions = {
  // A request must not wait in a queue for Redis to come back: the defaults hold it for many seconds.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2000,
  socketTimeout: 2000,
  retryStrategy: attempt => Math.min(attempt * 100, 2000),
  scripts: { countRequest: { lua: countScript, numberOfKeys: 1 } },
}

/**
 * Counts in Redis, for all servers together; with `fallback` while Redis does not answer.
 * Each outage is one warning, and one line when it is over.
 */
export class RedisCounters implements Counters {
  readonly #redis: Redis
  readonly #log: CountersLog
  readonly #fallback: Counters
  #failing = false
  #closed = false
  #pausedUntilMs = 0

  constructor (url: string, log: CountersLog, fallback: Counters) {
    this.#log = log
    this.#fallback = fallback
    this.#redis = new Redis(url, redisOptions)
    this.#redis.on('error', (error: Error) => this.#failed(error.message))
    this.#redis.on('close', () => this.#failed('the connection is closed'))
    this.#redis.on('ready', () => this.#answered())
  }

  /** Resolves once Redis can count or is known to be away, after 500 ms at most. */
  async connected (): Promise<void> {
    if (this.#redis.status === 'ready') return
    await new Promise<void>(resolve => {
      this.#redis.once('ready', resolve)
      this.#redis.once('close', resolve)
      setTimeout(resolve, 500).unref()
    })
  }

  count (caller: string, windowMs: number, done: (count: Count) => void): void {
    if (this.#redis.status !== 'ready' || performance.now() < this.#pausedUntilMs) return this.#fallback.count(caller, windowMs, done)
    let waiting = true
    const settle = (reply: [current: number, ttl: number] | undefined, reason: string): void => {
      if (!waiting) return
      waiting = false
      clearTimeout(timer)
      if (reply !== undefined) {
        this.#answered()
        return done({ current: reply[0], ttl: reply[1] })
      }
      this.#pausedUntilMs = performance.now() + pauseMs
      this.#failed(reason)
      this.#fallback.count(caller, windowMs, done)
    }
    // After a blocked event loop timers come before sockets: the immediate lets a reply that is there be read first.
    const timer = setTimeout(() => setImmediate(settle, undefined, `no reply within ${replyWithinMs} ms`), replyWithinMs)
    // The key names the window, so that servers with another setting do not share a counter.
    this.#redis.countRequest(`modelport:limit:${windowMs}:${caller}`, windowMs)
      .then(reply => settle(reply, ''), (error: Error) => settle(undefined, error.message))
  }

  close (): void {
    this.#closed = true
    this.#redis.disconnect()
  }

  #failed (reason: string): void {
    if (this.#failing || this.#closed) return
    this.#failing = true
    this.#log.warn({ reason }, 'Redis does not answer: the rate limit counts in this server alone')
  }

  #answered (): void {
    if (!this.#failing || this.#closed) return
    this.#failing = false
    this.#log.info('Redis answers again: the rate limit is shared')
  }
}
