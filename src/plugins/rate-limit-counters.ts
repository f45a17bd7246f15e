import { Redis, type RedisOptions, type Result } from 'ioredis'

/** Requests of one caller in the present window, this one included; `ttl` is what is left of it in milliseconds. */
export interface Count { current: number, ttl: number }

/** Counts one more request. Never fails; calls back at once or within `replyWithinMs`. */
export interface Counters {
  count: (caller: string, windowMs: number, done: (error: null, count: Count) => void) => void
}

interface CountersLog {
  info: (message: string) => void
  warn: (data: object, message: string) => void
}

const maxCallers = 20_000

/** Counts in this process. The memory is bounded: beyond 20,000 callers, the window that began first is dropped. */
export class MemoryCounters implements Counters {
  readonly #windows = new Map<string, Count & { endsAtMs: number }>()

  count (caller: string, windowMs: number, done: (error: null, count: Count) => void): void {
    // Monotonic: a corrected clock must not lengthen anyone's window.
    const nowMs = performance.now()
    let window = this.#windows.get(caller)
    if (window === undefined || window.endsAtMs <= nowMs) {
      // Deleted first, so that the map stays in the order in which windows began.
      this.#windows.delete(caller)
      if (this.#windows.size >= maxCallers) this.#windows.delete(this.#windows.keys().next().value ?? '')
      window = { current: 0, ttl: windowMs, endsAtMs: nowMs + windowMs }
      this.#windows.set(caller, window)
    }
    window.current++
    window.ttl = window.endsAtMs - nowMs
    done(null, window)
  }
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
 * Counts in Redis, for all servers together; in this process's memory while Redis does not answer.
 * Each outage is one warning, and one line when it is over.
 */
export class RedisCounters implements Counters {
  readonly #redis: Redis
  readonly #log: CountersLog
  readonly #own = new MemoryCounters()
  #failing = false
  #closed = false
  #pausedUntilMs = 0

  constructor (url: string, log: CountersLog) {
    this.#log = log
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

  count (caller: string, windowMs: number, done: (error: null, count: Count) => void): void {
    if (this.#redis.status !== 'ready' || performance.now() < this.#pausedUntilMs) return this.#own.count(caller, windowMs, done)
    let waiting = true
    const settle = (reply: [current: number, ttl: number] | undefined, reason: string): void => {
      if (!waiting) return
      waiting = false
      clearTimeout(timer)
      if (reply !== undefined) {
        this.#answered()
        return done(null, { current: reply[0], ttl: reply[1] })
      }
      this.#pausedUntilMs = performance.now() + pauseMs
      this.#failed(reason)
      this.#own.count(caller, windowMs, done)
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
    this.#log.warn({ reason }, 'Redis does not answer: the rate limit counts in this process alone')
  }

  #answered (): void {
    if (!this.#failing || this.#closed) return
    this.#failing = false
    this.#log.info('Redis answers again: the rate limit is shared')
  }
}
