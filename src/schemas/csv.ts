import { parse } from 'csv-parse/sync'
import type { Feature } from '../artifact/manifest.ts'
import { ApiError, type Fault } from '../errors.ts'
import type { Lines } from './decode.ts'

interface CsvRecord { record: string[], info: { lines: number } }

/**
 * Rows of a CSV text with a header. A cell becomes what its feature's type says; an empty cell, and NaN
 * in a numeric one, is missing.
 *
 * @throws ApiError BAD_REQUEST when it is not CSV, INVALID_INPUT when the header does not fit the features
 */
export function decodeCsv (text: string, features: readonly Feature[]): Lines {
  const [header, ...records] = parseCsv(text)
  if (header === undefined) throw new ApiError('BAD_REQUEST', 'The CSV is empty; it must begin with a header that names the features.')
  const names = header.record.map(name => name.trim())
  const columns = matchHeader(names, features)
  const unreadable = new Map<number, Fault>()
  const rows = records.map(({ record }, row) => {
    if (record.length !== names.length) {
      unreadable.set(row, { path: '', message: `has ${record.length} cells, the header has ${names.length}` })
      return undefined
    }
    return Object.fromEntries(columns.map((feature, i) => [feature.name, parseCell(record[i] ?? '', feature)]))
  })
  return { rows, lineNumbers: records.map(({ info }) => info.lines), unreadable }
}

function parseCsv (text: string): CsvRecord[] {
  try {
    return parse(text, { bom: true, info: true, record_delimiter: ['\r\n', '\n'], relax_column_count: true, skip_empty_lines: true }) as unknown as CsvRecord[]
  } catch (error) {
    throw new ApiError('BAD_REQUEST', `The body is not valid CSV: ${(error as Error).message}`)
  }
}

function matchHeader (names: readonly string[], features: readonly Feature[]): Feature[] {
  const known = new Map(features.map(feature => [feature.name, feature]))
  const errors: Fault[] = []
  const columns: Feature[] = []
  names.forEach((name, i) => {
    const feature = known.get(name)
    if (feature === undefined) errors.push({ path: `/header/${i}`, message: `"${name}" is not a feature; the features are ${[...known.keys()].join(', ')}` })
    else if (names.indexOf(name) !== i) errors.push({ path: `/header/${i}`, message: `"${name}" stands twice in the header` })
    else columns.push(feature)
  })
  for (const feature of features) {
    if (feature.required !== false && !names.includes(feature.name)) errors.push({ path: '/header', message: `"${feature.name}" is required and not in the header` })
  }
  if (errors.length > 0) throw new ApiError('INVALID_INPUT', 'The header of the CSV does not fit the features of the model.', { errors })
  return columns
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const truths: Readonly<Record<string, boolean>> = { true: true, false: false }

/** A text that is no such value stays text, so that the row's check names it. */
function parseCell (cell: string, { type }: Feature): string | number | boolean | null {
  if (type === 'string') return cell === '' ? null : cell
  const text = cell.trim()
  if (text === '') return null
  if (type === 'boolean') return truths[text.toLowerCase()] ?? cell
  if (text.toLowerCase() === 'nan') return null
  return decimal.test(text) ? Number(text) : cell
}
