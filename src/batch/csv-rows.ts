import type { Feature } from '../artifact/manifest.ts'
import type { Fault } from '../errors.ts'
import type { Row, Value } from '../row.ts'
import { type CheckValue, compileCheck } from '../schemas/check-value.ts'
import { readCell } from '../schemas/csv.ts'
import type { RowReader } from '../schemas/row-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { CsvColumns } from './csv-columns.ts'
import { readRecord, skipEmptyLines } from './csv-records.ts'
import { CsvRow } from './csv-row.ts'
import type { ChunkRows, InputRow } from './input-row.ts'
import { Offsets } from './offsets.ts'
import type { OutputLines } from './output-lines.ts'

const [quote, comma, cr, lf, minus, point, zero, nine] = [0x22, 0x2c, 0x0d, 0x0a, 0x2d, 0x2e, 0x30, 0x39]

/** A whole number below 10¹⁵ and a power of ten up to 10²² are exact as doubles, so that their quotient is the double nearest to the decimal. */
const maxDigits = 15
const powersOfTen = Array.from({ length: maxDigits + 1 }, (_, i) => 10 ** i)

/** A column on the short way: which feature it fills, if any, and whether it goes on to the output. */
interface Column {
  readonly place: number
  readonly feature: Feature | undefined
  readonly isNumber: boolean
  readonly check: CheckValue
}

/** What a file's columns come to, worked out once for all of its chunks. */
export interface CsvPlan {
  readonly columns: CsvColumns
  readonly reader: RowReader
  readonly lines: OutputLines
  readonly byColumn: readonly Column[]
  /** Kept cells go on as they are. */
  readonly copiesKept: boolean
}

export function planCsv (columns: CsvColumns, reader: RowReader, lines: OutputLines): CsvPlan {
  const byColumn = columns.header.map((_, at): Column => {
    const feature = columns.features.find(feature => feature.at === at)?.feature
    return feature === undefined
      ? { place: -1, feature, isNumber: false, check: () => undefined }
      : { place: reader.features.indexOf(feature), feature, isNumber: feature.type === 'number' || feature.type === 'integer', check: compileCheck(feature) }
  })
  return { columns, reader, lines, byColumn, copiesKept: columns.kept.every(({ feature }) => feature === undefined) }
}

/**
 * Rows of CSV. A row whose cells have no quotes and whose values are sound is read in one pass over its text; any other
 * goes the long way, through a record and the model's own reader, which has the words for its faults. A test holds both
 * against what `POST /predict` answers.
 */
export class CsvRows implements ChunkRows {
  end = 0
  values: Row | undefined
  readonly #text: string
  readonly #line: number
  readonly #plan: CsvPlan
  readonly #starts = new Offsets()
  /** Of the row on the short way: one slot for each feature, and where each cell begins; behind the last, where the next would. */
  readonly #slots: Value[]
  readonly #cells: Uint32Array
  #number = 0
  /** The row on the long way. */
  #slow: InputRow | undefined
  /** A place whose line is known, for whoever asks for rows in order. */
  #known = { at: 0, line: 0 }

  /** @param text  whole records; the first begins on `line` */
  constructor (text: string, line: number, plan: CsvPlan) {
    this.#text = text
    this.#line = line
    this.#plan = plan
    this.#slots = new Array<Value>(plan.reader.features.length).fill(null)
    this.#cells = new Uint32Array(plan.byColumn.length + 1)
  }

  next (): boolean {
    const start = skipEmptyLines(this.#text, this.end)
    if (start === this.#text.length) return false
    this.#starts.push(start)
    const end = this.#readPlain(start)
    if (end === -1) this.#readAny(start)
    else {
      this.end = end
      this.values = this.#slots
      this.#slow = undefined
    }
    return true
  }

  writeKept (to: ByteWriter): void {
    const { columns: { kept }, copiesKept, lines, byColumn } = this.#plan
    if (this.#slow !== undefined) lines.kept(to, this.#slow.kept)
    else if (copiesKept && lines.keptCell !== undefined) {
      for (const { at } of kept) lines.keptCell(to, this.#text, this.#cells[at] as number, this.#cellEnd(at))
    } else if (kept.length > 0) {
      lines.kept(to, kept.map(({ at, feature }) => {
        if (feature === undefined) return this.#text.slice(this.#cells[at], this.#cellEnd(at))
        return this.#slots[(byColumn[at] as Column).place]
      }))
    }
  }

  input (row: number): InputRow {
    const start = this.#starts.at(row)
    return new CsvRow(this.#lineOf(start), readRecord(this.#text, start), this.#plan.columns)
  }

  #readAny (start: number): void {
    const record = readRecord(this.#text, start)
    const row = new CsvRow(this.#lineOf(start), record, this.#plan.columns)
    const faults: Fault[] = []
    const values = row.fault === undefined ? this.#plan.reader.read(row.row, faults) : undefined
    this.end = record.end
    this.#slow = row
    this.values = faults.length === 0 ? values : undefined
  }

  /** @returns behind the row's line end; -1 where it must go the long way */
  #readPlain (start: number): number {
    const [text, columns, slots, cells] = [this.#text, this.#plan.byColumn, this.#slots, this.#cells]
    let at = start
    for (let c = 0; c < columns.length; c++) {
      const column = columns[c] as Column
      cells[c] = at
      let end = column.isNumber ? this.#readNumber(at) : -1
      const isRead = end !== -1
      if (!isRead) end = cellEnd(text, at)
      const stop = text.charCodeAt(end)
      if (c === columns.length - 1 ? stop !== lf : stop !== comma) return -1
      if (column.feature !== undefined) {
        const value = isRead ? this.#number : readCell(text.slice(at, withoutCr(text, at, end)), column.feature)
        if (column.check(value) !== undefined) return -1
        slots[column.place] = value
      }
      at = end + 1
    }
    cells[columns.length] = at
    return at
  }

  /**
   * Reads what most cells of numbers are, a short decimal, into `#number`.
   *
   * @returns where the cell ends; -1 where it is anything else
   */
  #readNumber (start: number): number {
    const text = this.#text
    let at = start
    let code = text.charCodeAt(at)
    const isNegative = code === minus
    if (isNegative) code = text.charCodeAt(++at)
    const first = at
    let digits = 0
    let places = 0
    for (; code >= zero && code <= nine; code = text.charCodeAt(++at)) digits = 10 * digits + code - zero
    let count = at - first
    if (code === point) {
      const from = at + 1
      for (code = text.charCodeAt(++at); code >= zero && code <= nine; code = text.charCodeAt(++at)) digits = 10 * digits + code - zero
      places = at - from
      count += places
    }
    if (code === cr && text.charCodeAt(at + 1) === lf) code = text.charCodeAt(++at)
    if (count === 0 || count > maxDigits || (code !== comma && code !== lf)) return -1
    const size = places === 0 ? digits : digits / (powersOfTen[places] as number)
    this.#number = isNegative ? -size : size
    return at
  }

  #cellEnd (column: number): number {
    const next = (this.#cells[column + 1] as number) - 1
    return column === this.#cells.length - 2 ? withoutCr(this.#text, this.#cells[column] as number, next) : next
  }

  #lineOf (start: number): number {
    if (start < this.#known.at) this.#known = { at: 0, line: 0 }
    let { at, line } = this.#known
    for (let found = this.#text.indexOf('\n', at); found !== -1 && found < start; found = this.#text.indexOf('\n', at)) {
      line++
      at = found + 1
    }
    this.#known = { at, line }
    return this.#line + line
  }
}

/** Where a comma, a line end or a quote stands. */
function cellEnd (text: string, start: number): number {
  let at = start
  for (let code = text.charCodeAt(at); code !== comma && code !== lf && code !== quote && at < text.length; code = text.charCodeAt(++at));
  return at
}

/** A line feed ends a row, and takes the carriage return before it along. */
function withoutCr (text: string, start: number, end: number): number {
  return end > start && text.charCodeAt(end) === lf && text.charCodeAt(end - 1) === cr ? end - 1 : end
}
