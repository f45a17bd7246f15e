import type { Value } from '../row.ts'
import { FatalError } from '../errors.ts'
import { isMissing, numberOf } from './cell.ts'
import { changed, CodedSeries, NumberSeries, type Series } from './series.ts'
import type { Cell, Table } from './table.ts'
import type { ColumnHint } from './training-file.ts'

/** A column of the data whose cells have become values of one type. */
export interface Column {
  readonly source: string
  readonly kind: 'number' | 'integer' | 'boolean' | 'category'
  /** Categories are texts, or numbers where every one of them is. */
  readonly values: Series<Value>
  readonly hasMissing: boolean
  /** Those that occur, missing ones left out; sorted. Not kept, as there may be as many as rows. */
  readonly distinct: () => readonly Exclude<Value, null>[]
}

/** Whether only the numbers of a column matter, should it hold nothing else. */
export function mayBeNumbers ({ type, parse, missing }: ColumnHint = {}): boolean {
  return type === undefined && parse === undefined && missing === undefined
}

/** @throws FatalError naming row and value where a hint does not fit the data */
export function readColumn (table: Table, source: string, hint: ColumnHint = {}): Column {
  const cells = table.cells[table.columns.indexOf(source)]!
  if (cells instanceof NumberSeries && mayBeNumbers(hint)) return numberColumn(source, cells)
  const coded = cells instanceof CodedSeries ? cells as CodedSeries<Cell> : recoded(cells)
  const missing = new Set<Cell>(hint.missing ?? [])
  /** The row in which a cell first occurs, for an error about it. */
  const place = (code: number): string => {
    let row = 0
    while (coded.codeAt(row) !== code) row++
    return `${source}, row ${row + 1}`
  }
  const parsed = coded.distinct.map((cell, code) => {
    const present = isMissing(cell) || missing.has(cell) ? null : cell
    return hint.parse === undefined ? present : parseYear(present, () => place(code))
  })
  const kind = hint.type ?? inferKind(parsed)
  const convert = kind === 'category' ? categoryOf(parsed) : conversions[kind]
  const converted = parsed.map((cell, code) => {
    const value = cell === null ? null : convert(cell)
    if (value === undefined) throw new FatalError(`${place(code)}: ${JSON.stringify(cell)} is no ${kind}`)
    return value
  })
  const values = changed(coded, (_, code) => converted[code]!)
  return { source, kind, values, hasMissing: converted.includes(null), distinct: () => sortValues(new Set(converted)) }
}

function numberColumn (source: string, values: NumberSeries): Column {
  let known = 0
  for (let row = 0; row < values.length; row++) if (!Number.isNaN(values.numberAt(row))) known++
  return {
    source,
    // Of a column without any value nothing is known: it could be anything.
    kind: known === 0 ? 'boolean' : 'number',
    values,
    hasMissing: known < values.length,
    distinct: () => distinctNumbers(values),
  }
}

function distinctNumbers (values: NumberSeries): number[] {
  const sorted = Float64Array.from({ length: values.length }, (_, row) => values.numberAt(row)).sort()
  const distinct: number[] = []
  // NaN stands last, and 0 behind -0, which is the same number.
  for (const value of sorted) if (!Number.isNaN(value) && (distinct.length === 0 || value > distinct.at(-1)!)) distinct.push(value)
  return distinct
}

function recoded (cells: Series<Cell>): CodedSeries<Cell> {
  const coded = new CodedSeries<Cell>()
  for (let row = 0; row < cells.length; row++) coded.push(cells.at(row))
  return coded
}

function parseYear (cell: Cell, place: () => string): number | null {
  if (cell === null) return null
  const year = /^\d{4}(?=-|$)/.exec(String(cell))?.[0]
  if (year === undefined) throw new FatalError(`${place()}: ${JSON.stringify(cell)} does not begin with a year`)
  return Number(year)
}

function inferKind (cells: readonly Cell[]): Column['kind'] {
  const present = cells.filter(cell => cell !== null)
  if (present.every(cell => asBoolean(cell) !== undefined)) return 'boolean'
  if (present.every(cell => numberOf(cell) !== undefined)) return 'number'
  return 'category'
}

const conversions = { number: numberOf, integer: asInteger, boolean: asBoolean } as const

function asInteger (cell: Cell): number | undefined {
  const number = numberOf(cell)
  return Number.isSafeInteger(number) ? number : undefined
}

function asBoolean (cell: Cell): boolean | undefined {
  if (typeof cell === 'boolean') return cell
  const text = typeof cell === 'string' ? cell.trim().toLowerCase() : ''
  return text === 'true' ? true : text === 'false' ? false : undefined
}

function categoryOf (cells: readonly Cell[]): (cell: Cell) => Value | undefined {
  const numeric = cells.every(cell => cell === null || numberOf(cell) !== undefined)
  return numeric ? numberOf : String
}

/** Numbers by size, texts by code unit: the same on every machine, whatever its locale. */
function sortValues (values: Iterable<Value>): Exclude<Value, null>[] {
  return [...values].filter(value => value !== null).sort((a, b) => a < b ? -1 : a > b ? 1 : 0)
}
