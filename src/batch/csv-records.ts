import { FatalError } from '../errors.ts'

/** A record of a CSV file: what one row says, on one line or, within quotes, on several. */
export interface CsvRecord {
  /** On which it begins, from 1. */
  readonly line: number
  readonly cells: readonly string[]
  /** Why it is no record; `cells` is then its text. */
  readonly fault: string | undefined
}

/** One that is longer comes from a quote that nobody closed; it would else take up the memory. */
const maxRecordLength = 8 * 2 ** 20

interface Parsed { readonly cells: readonly string[], readonly fault?: string, readonly end: number }

/**
 * Cuts CSV into records as it comes, by the rules of `POST /predict`: commas, quotes that are doubled within
 * quotes, lines that end in LF or CRLF; empty lines are none. A record with a stray quote is a fault of its own.
 */
export class CsvRecords {
  readonly #file: string
  #rest = ''
  #line = 1

  constructor (file: string) {
    this.#file = file
  }

  /** @throws FatalError for a quote that is not closed */
  push (text: string): CsvRecord[] {
    return this.#cut(this.#rest + text, false)
  }

  /** What was left when the file ended. @throws FatalError for a quote that is not closed */
  end (): CsvRecord[] {
    return this.#cut(this.#rest, true)
  }

  #cut (text: string, isLast: boolean): CsvRecord[] {
    const records: CsvRecord[] = []
    let at = 0
    let quote = text.indexOf('"')
    while (at < text.length) {
      const newline = text.indexOf('\n', at)
      if (newline === -1 && !isLast) break
      if (quote !== -1 && quote < at) quote = text.indexOf('"', at)
      const end = newline === -1 ? text.length : newline
      if (quote === -1 || quote >= end) {
        const line = text.slice(at, newline > at && text[newline - 1] === '\r' ? newline - 1 : end)
        if (line !== '') records.push({ line: this.#line, cells: line.split(','), fault: undefined })
        this.#line++
        at = end + 1
        continue
      }
      const parsed = parseQuoted(text, at, isLast)
      if (parsed === undefined) break
      records.push({ line: this.#line, cells: parsed.cells, fault: parsed.fault })
      this.#line += countLines(text, at, parsed.end)
      at = parsed.end
    }
    this.#rest = text.slice(at)
    if (isLast ? this.#rest !== '' : this.#rest.length > maxRecordLength) throw this.#unclosed()
    return records
  }

  #unclosed (): FatalError {
    return new FatalError(`${this.#file}: what begins on line ${this.#line} does not end: a quote is not closed, or the file is cut off. Mend it, then begin again with --restart`)
  }
}

/** A record with quotes in it; undefined where its end has not come yet. */
function parseQuoted (text: string, start: number, isLast: boolean): Parsed | undefined {
  const cells: string[] = []
  for (let at = start; ;) {
    const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at)
    if (cell === undefined || (cell.end >= text.length - 1 && !isLast)) return undefined
    if (cell.fault !== undefined) return faulty(text, start, cell.end, cell.fault, isLast)
    cells.push(cell.text)
    if (text[cell.end] !== ',') return { cells, end: afterLine(text, cell.end) }
    at = cell.end + 1
  }
}

/** `end` is where the cell's comma or line end stands, or where its fault was met. */
interface Cell { readonly text: string, readonly end: number, readonly fault?: string }

function quotedCell (text: string, start: number): Cell | undefined {
  let cell = ''
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from)
    if (quote === -1) return undefined
    cell += text.slice(from, quote)
    from = quote + 2
    if (text[quote + 1] === '"') {
      cell += '"'
      continue
    }
    const end = quote + 1
    const isClosed = end === text.length || text[end] === ',' || text[end] === '\n' || text.startsWith('\r\n', end)
    return isClosed ? { text: cell, end } : { text: cell, end, fault: 'is not valid CSV: something follows a closing quote' }
  }
}

function plainCell (text: string, start: number): Cell {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '"') end++
  if (text[end] === '"') return { text: '', end, fault: 'is not valid CSV: a quote stands within a cell that does not begin with one' }
  const isCrLf = text[end] === '\n' && end > start && text[end - 1] === '\r'
  return { text: text.slice(start, isCrLf ? end - 1 : end), end }
}

/** A record that is none ends with the line on which that shows. */
function faulty (text: string, start: number, met: number, fault: string, isLast: boolean): Parsed | undefined {
  const newline = text.indexOf('\n', met)
  if (newline === -1 && !isLast) return undefined
  const end = newline === -1 ? text.length : newline
  return { cells: [text.slice(start, end).replace(/\r$/, '')], fault, end: Math.min(text.length, end + 1) }
}

function afterLine (text: string, end: number): number {
  if (text[end] === '\r') return end + 2
  return Math.min(text.length, end + 1)
}

function countLines (text: string, start: number, end: number): number {
  let lines = 0
  for (let at = text.indexOf('\n', start); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) lines++
  return lines
}
