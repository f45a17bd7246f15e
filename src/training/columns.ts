import type { Value } from '../row.ts'
import { FatalError } from '../errors.ts'
import type { Cell, Table } from './table.ts'
import type { ColumnHint } from './training-file.ts'

/** A column of the data whose cells have become values of one type. */
export interface Column {
  readonly source: string
  readonly kind: 'number' | 'integer' | 'boolean' | 'category'
  /** One per row; categories are texts, or numbers where every one of them is. */
  readonly values: readonly Value[]
  /** Those that occur, missing ones left out; sorted. */
  readonly distinct: readonly Exclude<Value, null>[]
}

/** What people write for a missing value. */
const missingTexts = new Set(['', 'na', 'n/a', 'nan', 'null', 'none'])
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** @throws FatalError naming row and value where a hint does not fit the data */
export function readColumn (table: Table, source: string, hint: ColumnHint = {}): Column {
  const at = table.columns.indexOf(source)
  const missing = new Set<Cell>(hint.missing ?? [])
  const cells = table.rows.map(row => {
    const cell = row[at] ?? null
    return isMissing(cell) || missing.has(cell) ? null : cell
  })
  const parsed = hint.parse === undefined ? cells : cells.map((cell, row) => parseYear(cell, `${source}, row ${row + 1}`))
  const kind = hint.type ?? inferKind(parsed)
  const convert = kind === 'category' ? categoryOf(parsed) : conversions[kind]
  const values = parsed.map((cell, row) => {
    const value = cell === null ? null : convert(cell)
    if (value === undefined) throw new FatalError(`${source}, row ${row + 1}: ${JSON.stringify(cell)} is no ${kind}`)
    return value
  })
  return { source, kind, values, distinct: sortValues(new Set(values)) }
}

function isMissing (cell: Cell): boolean {
  return cell === null || Number.isNaN(cell) || (typeof cell === 'string' && missingTexts.has(cell.trim().toLowerCase()))
}

function parseYear (cell: Cell, place: string): number | null {
  if (cell === null) return null
  const year = /^\d{4}(?=-|$)/.exec(String(cell))?.[0]
  if (year === undefined) throw new FatalError(`${place}: ${JSON.stringify(cell)} does not begin with a year`)
  return Number(year)
}

function inferKind (cells: readonly Cell[]): Column['kind'] {
  const present = cells.filter(cell => cell !== null)
  if (present.every(cell => asBoolean(cell) !== undefined)) return 'boolean'
  if (present.every(cell => asNumber(cell) !== undefined)) return 'number'
  return 'category'
}

const conversions = { number: asNumber, integer: asInteger, boolean: asBoolean } as const

function asNumber (cell: Cell): number | undefined {
  const number = typeof cell === 'string' && numberPattern.test(cell.trim()) ? Number(cell) : cell
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function asInteger (cell: Cell): number | undefined {
  const number = asNumber(cell)
  return Number.isSafeInteger(number) ? number : undefined
}

function asBoolean (cell: Cell): boolean | undefined {
  if (typeof cell === 'boolean') return cell
  const text = typeof cell === 'string' ? cell.trim().toLowerCase() : ''
  return text === 'true' ? true : text === 'false' ? false : undefined
}

function categoryOf (cells: readonly Cell[]): (cell: Cell) => Value | undefined {
  const numeric = cells.every(cell => cell === null || asNumber(cell) !== undefined)
  return numeric ? asNumber : String
}

/** Numbers by size, texts by code unit: the same on every machine, whatever its locale. */
function sortValues (values: Iterable<Value>): Exclude<Value, null>[] {
  return [...values].filter(value => value !== null).sort((a, b) => a < b ? -1 : a > b ? 1 : 0)
}
