import type { Feature } from '../artifact/manifest.ts'
import type { Row } from '../row.ts'
import type { ByteWriter } from './byte-writer.ts'

/** One row of a file. */
export interface InputRow {
  /** The line on which it begins, from 1. */
  readonly line: number
  /** As a caller of `/predict` would send it: its features and nothing else. */
  readonly row: unknown
  /** Why it could not even be read; then `row` is undefined. */
  readonly fault: string | undefined
  /** One value for each column that is kept; CSV has texts. Made when it is asked for. */
  readonly kept: readonly unknown[]
  /** All of it, for whoever looks at what was rejected; made when it is asked for. */
  readonly given: unknown
}

/** What a job wants of its files. */
export interface Wanted {
  readonly features: readonly Feature[]
  /** Names of columns that go on to the output. */
  readonly keep: readonly string[]
  /** Kept cells of features become the numbers and truths that they stand for. */
  readonly typed: boolean
}

/** The rows of a chunk, one after the other. */
export interface ChunkRows {
  /** Goes to the next row; false where there is none. */
  readonly next: () => boolean
  /** The row's values in the order of the features; undefined where they are not sound. Valid until the next row. */
  readonly values: Row | undefined
  /** Where the row ends in the chunk's text. */
  readonly end: number
  /** Writes the columns of the row that are kept. Only for a row with values. */
  readonly writeKept: (to: ByteWriter) => void
  /** Any row that it has been at, by its place in the chunk. */
  readonly input: (row: number) => InputRow
}
