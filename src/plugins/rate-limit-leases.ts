import type { Lease, Peers } from '../peers.ts'
import type { Count, Counters } from './rate-limit-counters.ts'

type Done = (count: Count) => void

/** What one caller has in this process. */
interface Account {
  /** Requests that the last lease still allows. */
  unused: number
  current: number
  endsAtMs: number
  /** A caller who is over the limit is not asked about again before this. */
  refusedUntilMs: number
  /** Requests that wait for a lease; while there are any, one is on its way. */
  waiting: Done[]
  /** Whether a request came since the last sweep. */
  touched: boolean
}

/** What nobody asked for goes back after this time, and a refusal is looked at again. */
const sweepMs = 250

/**
 * Counts for all processes of the service: the primary gives leave for some requests at a time, so
 * that most are counted here, at once. The limit is never exceeded; near it every request is asked for.
 */
export class LeasedCounters implements Counters {
  readonly #peers: Peers
  readonly #max: number
  readonly #accounts = new Map<string, Account>()
  readonly #timer: NodeJS.Timeout

  constructor (peers: Peers, max: number) {
    this.#peers = peers
    this.#max = max
    this.#timer = setInterval(() => { this.#sweep() }, sweepMs).unref()
  }

  count (caller: string, windowMs: number, done: Done): void {
    const nowMs = performance.now()
    const account = this.#account(caller)
    account.touched = true
    if (account.unused > 0 && account.endsAtMs > nowMs) {
      account.unused--
      account.current++
      done({ current: account.current, ttl: account.endsAtMs - nowMs })
    } else if (account.refusedUntilMs > nowMs) {
      done(this.#refusal(account, nowMs))
    } else {
      account.waiting.push(done)
      if (account.waiting.length === 1) this.#ask(caller, account, windowMs)
    }
  }

  close (): void {
    clearInterval(this.#timer)
  }

  #account (caller: string): Account {
    let account = this.#accounts.get(caller)
    if (account === undefined) {
      account = { unused: 0, current: 0, endsAtMs: 0, refusedUntilMs: 0, waiting: [], touched: true }
      this.#accounts.set(caller, account)
    }
    return account
  }

  #ask (caller: string, account: Account, windowMs: number): void {
    const wanted = account.waiting.length
    this.#peers.lease(caller, windowMs, wanted).then(lease => { this.#take(caller, account, windowMs, lease) }, () => {})
  }

  #take (caller: string, account: Account, windowMs: number, { granted, current, ttlMs }: Lease): void {
    const nowMs = performance.now()
    account.unused = granted
    account.current = current - granted
    account.endsAtMs = nowMs + ttlMs
    account.refusedUntilMs = granted === 0 ? Math.min(account.endsAtMs, nowMs + sweepMs) : 0
    // More may have come while the question was on its way: they ask again, together, unless there is nothing left.
    const answered = account.waiting.splice(0, granted === 0 ? Infinity : granted)
    for (const done of answered) {
      if (account.unused > 0) {
        account.unused--
        account.current++
        done({ current: account.current, ttl: ttlMs })
      } else {
        done(this.#refusal(account, nowMs))
      }
    }
    if (account.waiting.length > 0) this.#ask(caller, account, windowMs)
  }

  #refusal ({ endsAtMs }: Account, nowMs: number): Count {
    return { current: this.#max + 1, ttl: Math.max(1, endsAtMs - nowMs) }
  }

  #sweep (): void {
    const nowMs = performance.now()
    for (const [caller, account] of this.#accounts) {
      if (account.waiting.length > 0) continue
      if (!account.touched && account.unused > 0) this.#peers.giveBack(caller, account.unused)
      if (!account.touched || account.endsAtMs <= nowMs) this.#accounts.delete(caller)
      account.touched = false
    }
  }
}
