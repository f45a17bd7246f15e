import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { extname } from 'node:path'
import { pipeline } from 'node:stream'
import { parse } from 'csv-parse'
import { FatalError } from '../errors.ts'
import { type Cell, isMissing, numberOf, type Table } from './cell.ts'
import { CodedSeries, NumberSeries, type Series } from './series.ts'

/** A column that begins with so many numbers is taken for one of numbers; where that is wrong, the file is read once more. */
const trialRows = 1000

/**
 * Reads a file piece by piece: what stays of it is 8 bytes per number, and a number per text.
 *
 * @param mayBeNumbers  of which columns only the numbers matter, not how they are written
 */
export async function readCsv (path: string, source: string, mayBeNumbers: (column: string) => boolean): Promise<Table> {
  const texts = new Set<string>()
  for (;;) {
    const { table, mixed } = await readOnce(path, source, column => mayBeNumbers(column) && !texts.has(column))
    if (mixed.length === 0) return table
    for (const column of mixed) texts.add(column)
  }
}

async function readOnce (path: string, source: string, mayBeNumbers: (column: string) => boolean): Promise<{ table: Table, mixed: string[] }> {
  const hash = createHash('sha256')
  const delimiter = extname(path).toLowerCase() === '.tsv' ? '\t' : ','
  const file = createReadStream(path).on('data', chunk => hash.update(chunk))
  const records: AsyncIterable<string[]> = pipeline(file, parse({ bom: true, trim: true, skip_empty_lines: true, delimiter }), () => {})
  let columns: readonly string[] = []
  let readers: CsvColumn[] | undefined
  let rows = 0
  try {
    for await (const record of records) {
      if (readers === undefined) {
        columns = record
        readers = record.map(column => new CsvColumn(mayBeNumbers(column)))
        continue
      }
      for (let i = 0; i < readers.length; i++) readers[i]!.push(record[i]!)
      rows++
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new FatalError(code?.startsWith('CSV_') === true ? `${source} is not CSV: ${message}` : `${source} cannot be read: ${code ?? message}`)
  }
  const twice = columns.find((column, i) => columns.indexOf(column) !== i)
  if (twice !== undefined) throw new FatalError(`${source}: the column "${twice}" occurs twice`)
  return {
    table: { columns, rows, cells: readers?.map(reader => reader.end()) ?? [], source, sha256: hash.digest('hex') },
    mixed: columns.filter((_, i) => readers?.[i]?.isMixed),
  }
}

/** A column as it comes. */
class CsvColumn {
  /** Not only numbers after all, but their texts are gone. */
  isMixed = false
  #numbers: NumberSeries | undefined
  #texts: CodedSeries<Cell> | undefined
  #trial: string[] = []

  constructor (mayBeNumbers: boolean) {
    if (mayBeNumbers) this.#numbers = new NumberSeries()
    else this.#texts = new CodedSeries()
  }

  push (text: string): void {
    if (this.#numbers === undefined) {
      this.#texts?.push(text)
      return
    }
    const number = isMissing(text) ? NaN : numberOf(text)
    if (number !== undefined) {
      this.#numbers.push(number)
      if (this.#trial.length < trialRows) this.#trial.push(text)
      return
    }
    this.isMixed = this.#numbers.length > this.#trial.length
    this.#numbers = undefined
    if (!this.isMixed) this.#texts = new CodedSeries<Cell>([...this.#trial, text])
    this.#trial = []
  }

  end (): Series<Cell> {
    return this.#numbers ?? this.#texts ?? new CodedSeries<Cell>()
  }
}
