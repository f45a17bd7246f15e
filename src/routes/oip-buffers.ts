/** Smaller ones cost little to allocate. */
const leastReused = 256 * 1024

/** So long an unused buffer is kept. */
const idleMs = 10_000

/**
 * Keeps one large buffer from request to request: memory outside the heap, allocated and dropped by the
 * megabyte, makes V8 collect garbage at every other request, which takes longer than all else together.
 */
export class SpareBuffer {
  #spare: Buffer | undefined
  #timer: NodeJS.Timeout | undefined

  /** @returns `length` bytes with whatever was in them before */
  take (length: number): Buffer {
    const spare = this.#spare
    if (spare === undefined || spare.length < length || length < leastReused) return Buffer.allocUnsafeSlow(length)
    this.#spare = undefined
    return spare.subarray(0, length)
  }

  /** @param bytes  what was taken, or a part of it; nobody may use it any more */
  giveBack ({ buffer }: Buffer): void {
    if (buffer.byteLength < leastReused || buffer.byteLength < (this.#spare?.length ?? 0)) return
    this.#spare = Buffer.from(buffer)
    this.#timer ??= setTimeout(() => { this.#spare = undefined }, idleMs).unref()
    this.#timer.refresh()
  }
}
