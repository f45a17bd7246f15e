/** Whole rows of one input, on their way to whoever scores them. */
export type Chunk = TextChunk | ColumnsChunk

/** Where it begins. */
interface Begin {
  /** Index of the input. */
  readonly input: number
  /** What of the input is before it: bytes of text, as they are unpacked, or rows. */
  readonly at: number
  /** The line on which it begins, or the number of its first row, from 1. */
  readonly line: number
}

export interface TextChunk extends Begin {
  readonly kind: 'text'
  /** UTF-8. */
  readonly bytes: Uint8Array
}

/** Rows by their columns. */
export interface ColumnsChunk extends Begin {
  readonly kind: 'columns'
  readonly rows: number
  /**
   * In the order of the model's features; undefined where the file does not have it. Numbers, and truths as 0 and 1, with
   * NaN for what is missing; texts with null.
   */
  readonly features: readonly (Float64Array<ArrayBuffer> | readonly (string | null)[] | undefined)[]
  /** As texts, in the order of the columns that are kept. */
  readonly kept: readonly (readonly (string | null)[])[]
  /** Which of a row's whole numbers are not exact as doubles; null for none. */
  readonly inexact: readonly (string | null)[] | undefined
}

/** A chunk's rows and what was made of them. The three lists have an end for each row, in order. */
export interface ScoredChunk {
  readonly rows: number
  /** Where each row ends in the chunk's text, counted as JavaScript counts; of columns, its number in the chunk, from 1. */
  readonly rowEnds: Uint32Array<ArrayBuffer>
  /** The lines of the answers. */
  readonly answers: Uint8Array<ArrayBuffer>
  readonly answerEnds: Uint32Array<ArrayBuffer>
  /** A line of JSON for each row that was rejected. */
  readonly rejects: Uint8Array<ArrayBuffer>
  readonly rejectEnds: Uint32Array<ArrayBuffer>
  /** What a person may not have meant. */
  readonly notices: readonly string[]
  /** How long it took, in milliseconds. */
  readonly tookMs: number
}
