import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { readCell } from '../schemas/csv.ts'
import { type CsvRecord, CsvRecords } from './csv-records.ts'
import type { InputRow, Wanted } from './input-row.ts'

/** @throws FatalError when the header is not there, or lacks what is wanted of it */
export async function * csvRows (chunks: AsyncIterable<string>, file: string, wanted: Wanted): AsyncGenerator<readonly InputRow[]> {
  const records = new CsvRecords(file)
  let columns: Columns | undefined
  for await (const chunk of chunks) {
    const found = records.push(chunk)
    columns ??= readHeader(found, file, wanted)
    if (columns !== undefined) yield toRows(found, columns)
  }
  const last = records.end()
  columns ??= readHeader(last, file, wanted)
  if (columns === undefined) throw new FatalError(`${file} is empty: it must begin with a header that names the columns`)
  yield toRows(last, columns)
}

/** Where in a record stands what. */
interface Columns {
  readonly header: readonly string[]
  readonly features: readonly { readonly feature: Feature, readonly at: number }[]
  readonly kept: readonly { readonly at: number, readonly feature: Feature | undefined }[]
}

/** Takes the header from the records. */
function readHeader (records: CsvRecord[], file: string, { features, keep, typed, notice }: Wanted): Columns | undefined {
  const first = records.shift()
  if (first === undefined) return undefined
  if (first.fault !== undefined) throw new FatalError(`${file}: the header ${first.fault}`)
  const header = first.cells.map(cell => cell.trim())
  const missing = [...features.filter(({ required }) => required !== false).map(({ name }) => name), ...keep].filter(name => !header.includes(name))
  if (missing.length > 0) throw new FatalError(`${file}: the header has no column ${listed(missing)}; its columns are ${listed(header)}`)
  const known = new Map(features.map(feature => [feature.name, feature]))
  const twice = header.find((name, i) => (known.has(name) || keep.includes(name)) && header.indexOf(name) !== i)
  if (twice !== undefined) throw new FatalError(`${file}: the column ${JSON.stringify(twice)} stands twice in the header`)
  for (const name of header) if (!known.has(name) && !keep.includes(name)) notice(`the column ${JSON.stringify(name)} is no feature of the model and is left out; --keep takes it over`)
  for (const { name } of features) if (!header.includes(name)) notice(`${file} has no column ${JSON.stringify(name)}: the feature is optional, and missing in every row`)
  return {
    header,
    features: features.flatMap(feature => header.includes(feature.name) ? [{ feature, at: header.indexOf(feature.name) }] : []),
    kept: keep.map(name => ({ at: header.indexOf(name), feature: typed ? known.get(name) : undefined })),
  }
}

function toRows (records: readonly CsvRecord[], columns: Columns): InputRow[] {
  return records.map(record => new CsvRow(record, columns))
}

class CsvRow implements InputRow {
  readonly line: number
  readonly row: unknown
  readonly fault: string | undefined
  readonly #cells: readonly string[]
  readonly #columns: Columns

  constructor ({ line, cells, fault }: CsvRecord, columns: Columns) {
    const { header, features } = columns
    this.line = line
    this.fault = fault ?? (cells.length === header.length ? undefined : `has ${cells.length} cells, the header has ${header.length}`)
    this.#cells = cells
    this.#columns = columns
    if (this.fault !== undefined) return
    const row: Record<string, unknown> = {}
    for (const { feature, at } of features) row[feature.name] = readCell(cells[at] as string, feature)
    this.row = row
  }

  get kept (): readonly unknown[] {
    return this.#columns.kept.map(({ at, feature }) => {
      const cell = this.#cells[at] as string
      return feature === undefined ? cell : readCell(cell, feature)
    })
  }

  get given (): unknown {
    const { header } = this.#columns
    if (this.#cells.length === header.length) return Object.fromEntries(header.map((name, i) => [name, this.#cells[i]]))
    return this.#cells.length === 1 ? this.#cells[0] : this.#cells
  }
}

/** More names than this help nobody. */
const maxListed = 20

function listed (names: readonly string[]): string {
  const shown = names.slice(0, maxListed).map(name => JSON.stringify(name)).join(', ')
  return names.length > maxListed ? `${shown} and ${names.length - maxListed} more` : shown
}
