/** Whole rows of one input, on their way to whoever scores them. */
export interface Chunk {
  /** Index of the input. */
  readonly input: number
  /** Bytes of the input before it, as they are unpacked. */
  readonly at: number
  /** On which it begins, from 1. */
  readonly line: number
  /** UTF-8. */
  readonly bytes: Uint8Array
}

/** A chunk's rows and what was made of them. The three lists have an end for each row, in order. */
export interface ScoredChunk {
  readonly rows: number
  /** Where each row ends in the chunk's text, counted as JavaScript counts. */
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
