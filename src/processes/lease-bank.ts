import type { Lease } from '../peers.ts'

/** A question to the primary costs as much as a request: this makes it small change. */
const maxLease = 1024
const maxCallers = 20_000

interface Window { given: number, readonly endsAtMs: number }

/**
 * One rate limit for several processes: each takes leave for some requests at a time, less the closer
 * the limit is, so that all together never answer more than it allows. The memory is bounded: beyond
 * 20,000 callers the window that began first is dropped.
 */
export class LeaseBank {
  readonly #windows = new Map<string, Window>()
  readonly #max: number
  readonly #processes: number

  constructor ({ max, processes }: { max: number, processes: number }) {
    this.#max = max
    this.#processes = processes
  }

  lease (caller: string, windowMs: number, wanted: number, nowMs = performance.now()): Lease {
    const window = this.#window(caller, windowMs, nowMs)
    const left = this.#max - window.given
    const share = Math.min(maxLease, Math.floor(left / (8 * this.#processes)))
    const granted = Math.min(left, Math.max(wanted, share))
    window.given += granted
    return { granted, current: window.given, ttlMs: window.endsAtMs - nowMs }
  }

  giveBack (caller: string, unused: number, nowMs = performance.now()): void {
    const window = this.#windows.get(caller)
    if (window !== undefined && window.endsAtMs > nowMs) window.given = Math.max(0, window.given - unused)
  }

  #window (caller: string, windowMs: number, nowMs: number): Window {
    const known = this.#windows.get(caller)
    if (known !== undefined && known.endsAtMs > nowMs) return known
    // Deleted first, so that the map stays in the order in which windows began.
    this.#windows.delete(caller)
    if (this.#windows.size >= maxCallers) this.#windows.delete(this.#windows.keys().next().value ?? '')
    const window = { given: 0, endsAtMs: nowMs + windowMs }
    this.#windows.set(caller, window)
    return window
  }
}
