import { parse } from 'csv-parse/sync'
import type { Feature } from '../artifact/manifest.ts'
import { ApiError, type Fault } from '../errors.ts'
import { listNames, maxListedFaults } from './faults.ts'

/** Rows with the line on which each stands, counted from 1. */
export interface Lines {
  readonly rows: readonly unknown[]
  readonly lineNumbers: readonly number[]
  readonly unreadable: ReadonlyMap<number, Fault>
}

interface CsvRecord { record: string[], info: { lines: number } }

/** Whether the first line of a CSV names the features; `detect`: where it consists of their names. */
export type CsvHeader = 'present' | 'absent' | 'detect'

/**
 * Rows of a CSV text; without a header its columns stand in the order of the features. A cell becomes what its feature's type says; an empty cell, and NaN
 * in a numeric one, is missing.
 *
 * @param maxRows nothing is read beyond the first row too many
 * @throws ApiError BAD_REQUEST when it is not CSV, INVALID_INPUT when the header does not fit the features
 */
export function decodeCsv (text: string, features: readonly Feature[], maxRows: number, header: CsvHeader = 'present'): Lines {
  const all = parseCsv(text, maxRows + 2)
  const [first] = all
  if (first === undefined) throw new ApiError('BAD_REQUEST', header === 'present' ? 'The CSV is empty; it must begin with a header that names the features.' : 'The CSV is empty.')
  const hasHeader = header === 'present' || (header === 'detect' && isCsvHeader(first.record, features))
  const columns = hasHeader ? matchHeader(first.record.map(name => name.trim()), features) : features
  const records = hasHeader ? all.slice(1) : all
  const unreadable = new Map<number, Fault>()
  const rows = records.map(({ record }, row) => {
    if (record.length !== columns.length) {
      unreadable.set(row, { path: '', message: `has ${record.length} cells, ${hasHeader ? 'the header has' : 'the model has features:'} ${columns.length}` })
      return undefined
    }
    return Object.fromEntries(columns.map((feature, i) => [feature.name, readCell(record[i] ?? '', feature)]))
  })
  return { rows, lineNumbers: records.map(({ info }) => info.lines), unreadable }
}

/** True for a line whose every cell is the name of a feature, each once. */
export function isCsvHeader (cells: readonly string[], features: readonly { readonly name: string }[]): boolean {
  const names = new Set(cells.map(cell => cell.trim()))
  return names.size === cells.length && [...names].every(name => features.some(feature => feature.name === name))
}

/**
 * The cells of a CSV text that no features describe.
 *
 * @throws ApiError BAD_REQUEST when it is not CSV
 */
export function csvCells (text: string, maxRecords: number): string[][] {
  return parseCsv(text, maxRecords).map(({ record }) => record)
}

function parseCsv (text: string, maxRecords: number): CsvRecord[] {
  try {
    return parse(text, { bom: true, info: true, to: maxRecords, record_delimiter: ['\r\n', '\n'], relax_column_count: true, skip_empty_lines: true }) as unknown as CsvRecord[]
  } catch (error) {
    throw new ApiError('BAD_REQUEST', `The body is not valid CSV: ${(error as Error).message}`)
  }
}

function matchHeader (names: readonly string[], features: readonly Feature[]): Feature[] {
  const known = new Map(features.map(feature => [feature.name, feature]))
  const errors: Fault[] = []
  const columns = new Set<Feature>()
  names.forEach((name, i) => {
    const feature = known.get(name)
    if (feature === undefined) errors.push({ path: `/header/${i}`, message: `"${name}" is not a feature; the features are ${listNames(features)}` })
    else if (columns.has(feature)) errors.push({ path: `/header/${i}`, message: `"${name}" stands twice in the header` })
    else columns.add(feature)
  })
  for (const feature of features) {
    if (feature.required !== false && !columns.has(feature)) errors.push({ path: '/header', message: `"${feature.name}" is required and not in the header` })
  }
  if (errors.length > 0) {
    throw new ApiError('INVALID_INPUT', 'The header of the CSV does not fit the features of the model.', { errors: errors.slice(0, maxListedFaults) })
  }
  return [...columns]
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const truths: ReadonlyMap<string, boolean> = new Map([['true', true], ['false', false]])

/** The value that a cell stands for. A text that is no such value stays text, so that the row's check names it. */
export function readCell (cell: string, { type }: Feature): string | number | boolean | null {
  if (type === 'string') return cell === '' ? null : cell
  const text = cell.trim()
  if (text === '') return null
  if (type === 'boolean') return truths.get(text.toLowerCase()) ?? cell
  if (text.toLowerCase() === 'nan') return null
  return decimal.test(text) ? Number(text) : cell
}
