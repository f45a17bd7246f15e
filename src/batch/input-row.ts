import type { Feature } from '../artifact/manifest.ts'

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
  /** Is told what a person may not have meant, once for each column. */
  readonly notice: (text: string) => void
}
