import type { Series } from './series.ts'

export type Cell = string | number | boolean | null

/** Raw rows: from CSV a cell is text, or a number in columns where that is all that matters; from JSON it is what it was. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: number
  /** Per column, a cell per row. */
  readonly cells: readonly Series<Cell>[]
  /** Where they come from, as one would tell a person. */
  readonly source: string
  /** Of the file's bytes; of rows that a function returned, of their JSON without spaces. */
  readonly sha256: string
}

/** What people write for a missing value. */
const missingTexts = new Set(['', 'na', 'n/a', 'nan', 'null', 'none'])
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

export function isMissing (cell: Cell): boolean {
  return cell === null || Number.isNaN(cell) || (typeof cell === 'string' && missingTexts.has(cell.trim().toLowerCase()))
}

/** @returns undefined where it is none, or not a finite one */
export function numberOf (cell: Cell): number | undefined {
  const number = typeof cell === 'string' && numberPattern.test(cell.trim()) ? Number(cell) : cell
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
