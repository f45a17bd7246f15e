import { FatalError } from '../errors.ts'
import type { Database } from './database.ts'
import { type InputFile, exactly } from './input-files.ts'
import { identifier, list, literal, literals } from './sql.ts'

/** One column to read: its name in the table, and the source's names for it, the most wanted first. */
export interface Wanted {
  readonly name: string
  readonly from: readonly string[]
  readonly required: boolean
}

/** What the columns of the inputs are, and how to get at them. */
export interface Source {
  /** The columns that at least one file has. */
  readonly columns: readonly { readonly name: string, readonly from: string }[]
  /** Columns of the files that nobody asked for. */
  readonly unused: readonly string[]
  /** A query whose columns are `_file`, the number of the file from 0, and the wanted ones. */
  readonly sql: string
}

// Of the pipeline's own names: no column of a source can be in the way.
const fileColumn = '_path'

/**
 * Files with the same columns are read as one, the others are added below.
 *
 * @param asText  every column becomes text, whatever type a Parquet file gives it
 * @param encoding of CSV
 * @throws FatalError that names the missing columns of every file and those that are there
 */
export function makeSource (files: readonly InputFile[], wanted: readonly Wanted[], { asText, encoding }: { asText: boolean, encoding: string }): Source {
  const found = files.map(file => matchColumns(file, wanted))
  const faults = found.flatMap(({ fault }) => fault ?? [])
  if (faults.length > 0) throw new FatalError(faults.slice(0, 5).join('; '))
  const present = wanted.filter(({ name }) => found.some(({ indexes }) => indexes.has(name)))
  const groups = groupByShape(files)
  const used = new Set(files.flatMap((file, i) => [...found[i]!.indexes.values()].map(index => file.columns[index]!)))
  const paths = literals(files.map(({ path }) => path))
  return {
    columns: present.map(({ name }) => ({ name, from: firstName(files, found, name) })),
    unused: [...new Set(files.flatMap(({ columns }) => columns))].filter(name => !used.has(name)),
    sql: [...groups.values()].map(group => {
      const { indexes } = found[group[0]!]!
      const file = files[group[0]!]!
      const columns = present.map(({ name }) => {
        const index = indexes.get(name)
        const value = index === undefined ? 'NULL' : file.format === 'csv' ? `c${index}` : identifier(file.columns[index]!)
        return `${asText ? `CAST(${value} AS VARCHAR)` : value} AS ${identifier(name)}`
      })
      const number = files.length === 1 ? '0::UINTEGER' : `CAST(list_position(${paths}, ${fileColumn}) - 1 AS UINTEGER)`
      return `SELECT\n  ${list([`${number} AS _file`, ...columns])}\nFROM ${tableFunction(group.map(index => files[index]!), encoding)}`
    }).join('\nUNION ALL\n'),
  }
}

interface Match { readonly indexes: ReadonlyMap<string, number>, readonly fault?: string }

function matchColumns ({ path, columns }: InputFile, wanted: readonly Wanted[]): Match {
  const indexes = new Map<string, number>()
  const faults: string[] = []
  for (const { name, from, required } of wanted) {
    const source = from.find(name => columns.includes(name))
    if (source === undefined) {
      if (required) faults.push(`no column ${from.slice(0, -1).map(name => `"${name}"`).join(' or ') || `"${name}"`} (for ${name})`)
    } else if (columns.indexOf(source) !== columns.lastIndexOf(source)) {
      faults.push(`two columns "${source}"`)
    } else {
      indexes.set(name, columns.indexOf(source))
    }
  }
  return faults.length === 0 ? { indexes } : { indexes, fault: `${path} has ${faults.join(', ')}; it has ${columns.join(', ')}` }
}

function firstName (files: readonly InputFile[], found: readonly Match[], name: string): string {
  const file = found.findIndex(({ indexes }) => indexes.has(name))
  return files[file]!.columns[found[file]!.indexes.get(name)!]!
}

function groupByShape (files: readonly InputFile[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [i, file] of files.entries()) groups.set(shapeOf(file), [...groups.get(shapeOf(file)) ?? [], i])
  return groups
}

/** Equal for files that one call can read. */
function shapeOf (file: InputFile): string {
  return JSON.stringify(file.format === 'csv' ? [file.columns, file.delimiter, file.newline, file.gzip] : [file.columns])
}

// DuckDB has its own way of writing them.
const newlines = { '\n': '\\n', '\r\n': '\\r\\n', '\r': '\\r' }

function tableFunction (files: readonly InputFile[], encoding: string): string {
  const [file] = files
  const paths = literals(files.map(({ path }) => exactly(path)))
  if (file?.format !== 'csv') return `read_parquet(${paths}, filename = ${literal(fileColumn)}, binary_as_string = true, hive_partitioning = false)`
  const { columns, delimiter, newline, gzip } = file
  return `read_csv(${paths}, auto_detect = false, header = true, delim = ${literal(delimiter)}, quote = '"', escape = '"',` +
    ` new_line = '${newlines[newline]}', encoding = ${literal(encoding)}, compression = ${literal(gzip ? 'gzip' : 'none')},` +
    ` columns = {${columns.map((_name, i) => `'c${i}': 'VARCHAR'`).join(', ')}}, filename = ${literal(fileColumn)},` +
    ' hive_partitioning = false, store_rejects = true)'
}

// A line that cannot be split is told once for each of its faults. Of the fields that were read before
// the fault nothing is kept but the line itself.
export const malformedSql = `SELECT any_value(s.file_path) AS path, e.line AS line, first(e.error_message) AS reason, trim(first(e.csv_line), E'\\r\\n') AS text
FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id)
GROUP BY e.scan_id, e.file_id, e.line`

/**
 * Where some lines end in LF and others in CR LF, DuckDB can miss rows and say nothing; its lenient
 * mode finds them, but would also cut off what a line has too much.
 *
 * @param read   rows that have come of all files
 * @throws FatalError where some are missing
 */
export async function checkWhole (database: Database, { sql }: Source, read: number): Promise<void> {
  if (await countMalformed(database) > 0) return
  const lenient = sql.replaceAll('store_rejects = true)', 'ignore_errors = true, strict_mode = false)')
  const [row] = await database.rows({ name: 'count', sql: `SELECT CAST(count(*) AS DOUBLE) AS n FROM (${lenient})` })
  const there = Number(row?.['n'])
  if (read < there) throw new FatalError(`only ${read} of ${there} rows could be read: lines must all end in LF or all in CR LF`)
}

/** How many lines the CSV files have that cannot be split into their columns, once all have been read. */
export async function countMalformed (database: Database): Promise<number> {
  const [row] = await database.rows({ name: 'count', sql: `SELECT CAST(count(*) AS DOUBLE) AS n FROM (${malformedSql})` })
  return Number(row?.['n'] ?? 0)
}
