/** A column: one entry per row, in as little memory as it needs. */
export interface Series<T> {
  readonly length: number
  readonly at: (row: number) => T
  /** Gives back the memory of the rows before that one, as far as it can; they cannot be asked for any more. */
  readonly release?: (before: number) => void
}

const chunkBits = 16
const chunkLength = 2 ** chunkBits

/** What the compiler's library does not know yet of Node 20's buffers. */
interface ShrinkingBuffer extends ArrayBuffer { readonly resize: (bytes: number) => void }
type ShrinkingBufferType = new (bytes: number, options: { readonly maxByteLength: number }) => ShrinkingBuffer

/**
 * Memory that is given back when its owner says so. Waiting for the garbage collector would be no use: it looks at the
 * JavaScript heap, which is small, and the cells of a large file would stay until the end of the training.
 */
function shrinkingBuffer (bytes: number): ShrinkingBuffer {
  return new (ArrayBuffer as unknown as ShrinkingBufferType)(bytes, { maxByteLength: bytes })
}

type Chunk = Float64Array | Int32Array

/** @param before  the first row that stays; Infinity: none does */
function releaseChunks (chunks: (Chunk | undefined)[], before: number): void {
  for (let i = Math.min(Math.floor(before / chunkLength), chunks.length) - 1; i >= 0 && chunks[i] !== undefined; i--) {
    (chunks[i]!.buffer as ShrinkingBuffer).resize(0)
    // Who asks for a row of it is not answered with what is no number.
    chunks[i] = undefined
  }
}

/** Numbers in the order in which they come; a missing one (NaN) is told as null. */
export class NumberSeries implements Series<number | null> {
  length = 0
  #chunks: (Float64Array | undefined)[] = []
  #rows: Int32Array | undefined

  push (value: number): void {
    const place = this.length++
    if (place >>> chunkBits === this.#chunks.length) this.#chunks.push(new Float64Array(shrinkingBuffer(8 * chunkLength), 0, chunkLength))
    this.#chunks[place >>> chunkBits]![place & (chunkLength - 1)] = value
  }

  at (row: number): number | null {
    const value = this.numberAt(row)
    return Number.isNaN(value) ? null : value
  }

  numberAt (asked: number): number {
    const row = this.#rows === undefined ? asked : this.#rows[asked]!
    return this.#chunks[row >>> chunkBits]![row & (chunkLength - 1)]!
  }

  /** Of rows picked out of others, those in between are given back too. */
  release (before: number): void {
    releaseChunks(this.#chunks, before < this.length ? this.#rows?.[before] ?? before : Infinity)
  }

  /** Some of the rows, ascending, out of the same memory. Nothing more can be pushed. */
  pick (rows: Int32Array): NumberSeries {
    const picked = new NumberSeries()
    const outer = this.#rows
    picked.#chunks = this.#chunks
    picked.#rows = outer === undefined ? rows : rows.map(row => outer[row]!)
    picked.length = rows.length
    return picked
  }
}

/** What occurs often stands once, and each row has its number. */
export class CodedSeries<T> implements Series<T> {
  readonly #chunks: (Int32Array | undefined)[]
  readonly #codes: Map<T, number>
  /** In the order in which they come. */
  readonly distinct: T[]
  length: number

  constructor (values: Iterable<T> = []) {
    this.#chunks = []
    this.#codes = new Map()
    this.distinct = []
    this.length = 0
    for (const value of values) this.push(value)
  }

  push (value: T): void {
    let code = this.#codes.get(value)
    if (code === undefined) {
      code = this.distinct.push(value) - 1
      this.#codes.set(value, code)
    }
    const place = this.length++
    if (place >>> chunkBits === this.#chunks.length) this.#chunks.push(new Int32Array(shrinkingBuffer(4 * chunkLength), 0, chunkLength))
    this.#chunks[place >>> chunkBits]![place & (chunkLength - 1)] = code
  }

  codeAt (row: number): number {
    return this.#chunks[row >>> chunkBits]![row & (chunkLength - 1)]!
  }

  at (row: number): T {
    return this.distinct[this.codeAt(row)]!
  }

  release (before: number): void {
    releaseChunks(this.#chunks, before < this.length ? before : Infinity)
  }
}

/** The same rows, each with something else. @param change  is asked once for each that occurs, in their order */
export function changed<T, U> (series: CodedSeries<T>, change: (value: T, code: number) => U): Series<U> {
  const distinct = series.distinct.map(change)
  return { length: series.length, at: row => distinct[series.codeAt(row)]!, release: before => series.release(before) }
}

/** Some of the rows; of what occurs, what is left in them. */
export function pick<T> (series: Series<T>, rows: Int32Array): Series<T> {
  if (series instanceof NumberSeries) return series.pick(rows) as Series<unknown> as Series<T>
  const picked = new CodedSeries<T>()
  for (const row of rows) picked.push(series.at(row))
  return picked
}

export function listOf<T> (series: Series<T>): T[] {
  return Array.from({ length: series.length }, (_, row) => series.at(row))
}

/** The first row of which that is so; -1: none. */
export function findRow<T> (series: Series<T>, test: (value: T) => boolean): number {
  for (let row = 0; row < series.length; row++) if (test(series.at(row))) return row
  return -1
}
