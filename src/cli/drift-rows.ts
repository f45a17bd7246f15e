import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Readable, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { readCell } from '../schemas/csv.ts'

/** A row as a caller of `/predict` would send it, its features and nothing else; or why it could not be read. */
export interface DataRow {
  /** On which it begins, from 1. */
  readonly line: number
  readonly row?: Readonly<Record<string, unknown>>
  readonly fault?: string
}

/**
 * The rows of a data file, as they come. Columns that are no feature, such as an id or the right answer, are left out.
 *
 * @param notice is told of optional features that the file does not have
 * @throws FatalError for a file that cannot be read or is not what it is called, and for a required feature that is no column
 */
export async function * dataRows (file: string, features: readonly Feature[], notice: (text: string) => void): AsyncGenerator<DataRow> {
  const [, kind = '', gz] = /\.(csv|ndjson|jsonl)(\.gz)?$/i.exec(file) ?? []
  if (kind === '') throw new FatalError(`${file}: its name does not tell what is in it; it must end in .csv, .ndjson or .jsonl, and then in .gz where it is compressed`)
  const bytes = createReadStream(file)
  // An error of either stream ends the iteration of the last.
  const source: Readable = gz === undefined ? bytes : pipeline(bytes, createGunzip(), () => {})
  try {
    yield * kind.toLowerCase() === 'csv' ? csvRows(source, file, features, notice) : ndjsonRows(source, features)
  } catch (error) {
    throw error instanceof FatalError ? error : new FatalError(`${file} ${whatIsWrong(error as NodeJS.ErrnoException)}`, { cause: error })
  } finally {
    bytes.destroy()
  }
}

interface CsvRecord { readonly record: string[], readonly info: { readonly lines: number } }

/** By the rules of `POST /predict`. */
async function * csvRows (source: Readable, file: string, features: readonly Feature[], notice: (text: string) => void): AsyncGenerator<DataRow> {
  const records = pipeline(source, parse({ bom: true, info: true, record_delimiter: ['\r\n', '\n'], relax_column_count: true, skip_empty_lines: true }), () => {})
  let columns: Columns | undefined
  for await (const { record, info } of records as AsyncIterable<CsvRecord>) {
    if (columns === undefined) {
      columns = readHeader(record.map(name => name.trim()), file, features, notice)
      continue
    }
    const { width, found } = columns
    yield record.length === width
      ? { line: info.lines, row: Object.fromEntries(found.map(({ feature, at }) => [feature.name, readCell(record[at]!, feature)])) }
      : { line: info.lines, fault: `has ${record.length} cells, the header has ${width}` }
  }
  if (columns === undefined) throw new FatalError(`${file} is empty: it must begin with a header that names the columns`)
}

interface Columns { readonly width: number, readonly found: readonly { readonly feature: Feature, readonly at: number }[] }

function readHeader (header: readonly string[], file: string, features: readonly Feature[], notice: (text: string) => void): Columns {
  const absent = features.filter(({ name }) => !header.includes(name))
  const missing = absent.filter(({ required }) => required !== false)
  if (missing.length > 0) throw new FatalError(`${file} has no column ${missing.map(({ name }) => `"${name}"`).join(', ')}, which the model needs; it has ${header.join(', ')}`)
  for (const { name } of absent) notice(`${file} has no column "${name}": it counts as missing in every row`)
  const twice = features.find(({ name }) => header.indexOf(name) !== header.lastIndexOf(name))
  if (twice !== undefined) throw new FatalError(`${file}: the column "${twice.name}" stands twice in the header`)
  return { width: header.length, found: features.flatMap(feature => header.includes(feature.name) ? [{ feature, at: header.indexOf(feature.name) }] : []) }
}

async function * ndjsonRows (source: Readable, features: readonly Feature[]): AsyncGenerator<DataRow> {
  let failure: Error | undefined
  source.once('error', error => { failure = error })
  const names = new Set(features.map(({ name }) => name))
  let line = 0
  for await (const text of createInterface({ input: source, crlfDelay: Infinity })) {
    line++
    if (text.trim() !== '') yield { line, ...readJson(text, names) }
  }
  // An interface ends quietly where its input breaks off.
  if (failure !== undefined) throw failure
}

function readJson (text: string, names: ReadonlySet<string>): Omit<DataRow, 'line'> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { fault: 'is not an object' }
    return { row: Object.fromEntries(Object.entries(value).filter(([name]) => names.has(name))) }
  } catch {
    return { fault: 'is not valid JSON' }
  }
}

function whatIsWrong ({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'Z_BUF_ERROR') return 'ends in the middle of what gzip packed: it is cut off'
  if (code.startsWith('Z_')) return `is damaged, or not packed by gzip (${message})`
  return code.startsWith('CSV_') ? `is not valid CSV: ${message}` : `cannot be read (${code || message})`
}
