import type { Fault } from '../errors.ts'
import type { Row } from '../row.ts'
import type { RowReader } from '../schemas/row-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { ChunkRows, InputRow, Wanted } from './input-row.ts'
import { Offsets } from './offsets.ts'
import type { OutputLines } from './output-lines.ts'

export interface NdjsonPlan {
  readonly read: ReadRow
  readonly reader: RowReader
  readonly lines: OutputLines
}

type ReadRow = (line: number, value: unknown) => InputRow

/** @param notice  is told of what is left out, as often as it is */
export function planNdjson (wanted: Wanted, reader: RowReader, lines: OutputLines, notice: (text: string) => void): NdjsonPlan {
  return { read: compileRow(wanted, notice), reader, lines }
}

/** Rows of JSON, one on each line; lines of white space are none. */
export class NdjsonRows implements ChunkRows {
  end = 0
  values: Row | undefined
  readonly #text: string
  readonly #plan: NdjsonPlan
  readonly #starts = new Offsets()
  readonly #lines = new Offsets()
  #line: number
  #row: InputRow | undefined

  /** @param text  whole lines; the first is `line` */
  constructor (text: string, line: number, plan: NdjsonPlan) {
    this.#text = text
    this.#line = line - 1
    this.#plan = plan
  }

  next (): boolean {
    while (this.end < this.#text.length) {
      const start = this.end
      const newline = this.#text.indexOf('\n', start)
      this.end = newline === -1 ? this.#text.length : newline + 1
      this.#line++
      const line = this.#text.slice(start, newline === -1 ? undefined : newline)
      if (line.charCodeAt(0) !== openingBrace && line.trim() === '') continue
      this.#starts.push(start)
      this.#lines.push(this.#line)
      this.#read(line)
      return true
    }
    return false
  }

  writeKept (to: ByteWriter): void {
    this.#plan.lines.kept(to, this.#row?.kept ?? [])
  }

  input (row: number): InputRow {
    const start = this.#starts.at(row)
    const newline = this.#text.indexOf('\n', start)
    return readLine(this.#text.slice(start, newline === -1 ? undefined : newline), this.#lines.at(row), this.#plan.read)
  }

  #read (text: string): void {
    const row = this.#row = readLine(text, this.#line, this.#plan.read)
    const faults: Fault[] = []
    const values = row.fault === undefined ? this.#plan.reader.read(row.row, faults) : undefined
    this.values = faults.length === 0 ? values : undefined
  }
}

const openingBrace = 0x7b

function readLine (text: string, line: number, read: ReadRow): InputRow {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { line, row: undefined, fault: 'is not valid JSON', kept: [], given: text.replace(/\r$/, '') }
  }
  return read(line, value)
}

/** What is neither a feature nor kept is left out, as a column of CSV is. */
function compileRow ({ features, keep }: Wanted, notice: (text: string) => void): ReadRow {
  const known = new Set([...features.map(({ name }) => name), 'features'])
  const takesOver = new Set(keep)
  return (line, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { line, row: value, fault: undefined, kept: keep.map(() => null), given: value }
    let row: object = value
    let surplus = false
    for (const key in value) surplus ||= !known.has(key)
    if (surplus) {
      row = Object.fromEntries(Object.entries(value).filter(([key]) => {
        if (!known.has(key) && !takesOver.has(key)) notice(`${JSON.stringify(key)} is no feature of the model and is left out; --keep takes it over`)
        return known.has(key)
      }))
    }
    return { line, row, fault: undefined, kept: keep.map(name => member(value, name)), given: value }
  }
}

/** Of the row itself, or of the features in it. */
function member (value: object, name: string): unknown {
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name]
  const { features } = value as { features?: unknown }
  const isNamed = typeof features === 'object' && features !== null && Object.hasOwn(features, name)
  return isNamed ? (features as Record<string, unknown>)[name] : null
}
