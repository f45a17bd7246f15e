const [quote, comma, cr, lf, minus, point, zero] = [0x22, 0x2c, 0x0d, 0x0a, 0x2d, 0x2e, 0x30]

/** A double below this and its decimal of up to nine places have no more than 15 digits: no other such decimal is the same double. */
const maxPlain = 1e6
const places = 9
const scale = 10 ** places

/**
 * UTF-8 that grows. A part is a million short texts: put together as strings they keep the garbage collector busy, and
 * numbers are written faster than V8 turns them into strings, digit by digit the same.
 */
export class ByteWriter {
  /** Bytes so far. */
  length = 0
  #bytes: Buffer

  constructor (capacity = 2 ** 16) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  byte (value: number): void {
    this.#room(1)
    this.#bytes[this.length++] = value
  }

  /** Short ones, such as names that were encoded once. */
  copy (from: Uint8Array, start = 0, end = from.length): void {
    this.#room(end - start)
    const bytes = this.#bytes
    let at = this.length
    for (let i = start; i < end; i++) bytes[at++] = from[i] as number
    this.length = at
  }

  text (text: string): void {
    this.#room(3 * text.length)
    const bytes = this.#bytes
    let at = this.length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) {
        at += bytes.write(i === 0 ? text : text.slice(i), at, 'utf8')
        break
      }
      bytes[at++] = code
    }
    this.length = at
  }

  /** A cell of CSV, by RFC 4180: `text` from `start` to `end`. */
  cell (text: string, start: number, end: number): void {
    this.#room(end - start)
    const bytes = this.#bytes
    let at = this.length
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80 || code === quote || code === comma || code === lf || code === cr) {
        this.text(quoted(text.slice(start, end)))
        return
      }
      bytes[at++] = code
    }
    this.length = at
  }

  /** As `String(x)` has it; only for finite numbers. */
  number (x: number): void {
    const size = Math.abs(x)
    const scaled = size < maxPlain && (size >= 1e-6 || size === 0) ? Math.round(size * scale) : NaN
    if (scaled / scale !== size) {
      this.text(String(x))
      return
    }
    this.#room(20)
    if (x < 0) this.#bytes[this.length++] = minus
    const whole = Math.floor(scaled / scale)
    this.#digits(whole, whole < 10 ? 1 : String(whole).length)
    let fraction = scaled - whole * scale
    if (fraction === 0) return
    this.#bytes[this.length++] = point
    let count = places
    for (; fraction % 10 === 0; fraction /= 10) count--
    this.#digits(fraction, count)
  }

  /** What was written; the writer begins anew. */
  take (): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.subarray(0, this.length))
    this.length = 0
    return taken
  }

  #digits (value: number, count: number): void {
    const bytes = this.#bytes
    let rest = value | 0
    for (let at = this.length + count - 1; at >= this.length; at--) {
      const tens = (rest / 10) | 0
      bytes[at] = zero + rest - 10 * tens
      rest = tens
    }
    this.length += count
  }

  #room (more: number): void {
    if (this.length + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.length + more))
    this.#bytes.copy(grown, 0, 0, this.length)
    this.#bytes = grown
  }
}

/** RFC 4180. */
export function quoted (text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
