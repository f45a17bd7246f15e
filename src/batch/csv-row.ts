import { readCell } from '../schemas/csv.ts'
import type { CsvColumns } from './csv-columns.ts'
import type { CsvRecord } from './csv-records.ts'
import type { InputRow } from './input-row.ts'

/** A record held against its header. */
export class CsvRow implements InputRow {
  readonly line: number
  readonly row: unknown
  readonly fault: string | undefined
  readonly #cells: readonly string[]
  readonly #columns: CsvColumns

  constructor (line: number, { cells, fault }: CsvRecord, columns: CsvColumns) {
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
