import type { Chunk } from './chunk.ts'

/** Long enough that a message to a thread and a run of the model are worth their cost, short enough that no thread waits long for another at the end. */
const goalMs = 50
const bytesLimits = { least: 2 ** 10, first: 2 ** 16, most: 2 ** 19 }
const rowsLimits = { least: 2 ** 6, first: 2 ** 11, most: 2 ** 14 }

/** How long chunks should be, by how long the last ones took. What is written does not depend on it. */
export class ChunkSize {
  /** Of text. */
  bytes = bytesLimits.first
  /** Of columns. */
  rows = rowsLimits.first

  took (chunk: Chunk, ms: number): void {
    if (chunk.kind === 'text') this.bytes = next(this.bytes, chunk.bytes.length, ms, bytesLimits)
    else this.rows = next(this.rows, chunk.rows, ms, rowsLimits)
  }
}

/** The first ones take longer than later ones will, so it grows slowly. */
function next (now: number, length: number, ms: number, { least, most }: typeof bytesLimits): number {
  return Math.floor(Math.min(2 * now, most, Math.max(least, length * goalMs / Math.max(1, ms))))
}
