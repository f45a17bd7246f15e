/** Requests of one caller in the present window, this one included; `ttl` is what is left of it in milliseconds. */
export interface Count { current: number, ttl: number }

/** Counts one more request. Never fails; calls back at once or within `replyWithinMs`. */
export interface Counters {
  count: (caller: string, windowMs: number, done: (count: Count) => void) => void
}

const maxCallers = 20_000

/** Counts in this process. The memory is bounded: beyond 20,000 callers, the window that began first is dropped. */
export class MemoryCounters implements Counters {
  readonly #windows = new Map<string, Count & { endsAtMs: number }>()

  count (caller: string, windowMs: number, done: (count: Count) => void): void {
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
    done(window)
  }
}
