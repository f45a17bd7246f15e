import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import type { Database } from '../etl/database.ts'
import { exactly } from '../etl/input-files.ts'
import { identifier, literal } from '../etl/sql.ts'
import type { ColumnsChunk } from './chunk.ts'
import type { KeptColumn } from './column-rows.ts'
import { checkHeader } from './csv-columns.ts'
import type { InputFile } from './input-files.ts'
import type { Wanted } from './input-row.ts'

/** A Parquet file whose columns were looked at. */
export interface ParquetInput {
  readonly rows: number
  readonly kept: readonly KeptColumn[]
  /** What the kept columns are called in SQL, type by type. */
  readonly keptTypes: readonly string[]
  /** The statement's columns: those of the features that are there, `kept` texts, and what is not exact, where that can be. */
  readonly select: { readonly features: readonly (string | undefined)[], readonly kept: readonly string[], readonly inexact: string | undefined }
}

const plainNumber = /^(U?(TINY|SMALL)INT|U?INTEGER|FLOAT|DOUBLE)$/
const wideInteger = /^U?(BIG|HUGE)INT$/
const decimal = /^DECIMAL\(/
const text = /^(VARCHAR|ENUM\(.*\)|UUID|DATE|TIME|TIMESTAMP.*)$/
const boolean = /^BOOLEAN$/
/** What reads back from its text as what it was. */
const textual = new RegExp([plainNumber, wideInteger, /^DECIMAL\(.*$/, boolean, /^(VARCHAR|UUID|DATE|TIME|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/].map(({ source }) => source).join('|'))

/** As which types a feature may stand in a file, in words and by name. */
const fitting: Readonly<Record<Feature['type'], readonly [words: string, types: readonly RegExp[]]>> = {
  number: ['an integer, FLOAT, DOUBLE or DECIMAL', [plainNumber, wideInteger, decimal]],
  integer: ['an integer, FLOAT, DOUBLE or DECIMAL', [plainNumber, wideInteger, decimal]],
  string: ['VARCHAR, a date or a time', [text]],
  boolean: ['BOOLEAN', [boolean]],
}

/**
 * Holds a file's columns against what is wanted of them.
 *
 * @param notice  is told what a person may not have meant
 * @throws FatalError when it is no Parquet, lacks a column, or has it as a type that no value fits
 */
export async function openParquet (database: Database, { path }: InputFile, wanted: Wanted, notice: (text: string) => void): Promise<ParquetInput> {
  const described = await database.rows({ name: `read ${path}`, sql: `DESCRIBE SELECT * FROM ${source(path)}` })
  const types = new Map(described.map(({ column_name: name, column_type: type }) => [String(name), String(type)]))
  checkHeader([...types.keys()], path, wanted, notice)
  for (const feature of wanted.features) checkType(path, feature, types.get(feature.name))
  const [counted] = await database.rows({ name: `read ${path}`, sql: `SELECT num_rows FROM parquet_file_metadata(${literal(exactly(path))})` })
  const keptTypes = wanted.keep.map(name => types.get(name) as string)
  return {
    rows: Number(counted?.['num_rows']),
    kept: wanted.keep.map((name, i) => ({ name, isJson: [plainNumber, wideInteger, decimal, boolean].some(pattern => pattern.test(keptTypes[i] as string)) })),
    keptTypes: keptTypes.map(type => textual.test(type) ? type : 'VARCHAR'),
    select: {
      features: wanted.features.map(feature => types.has(feature.name) ? expressionOf(feature, types.get(feature.name) as string) : undefined),
      kept: wanted.keep.map(name => `CAST(${identifier(name)} AS VARCHAR)`),
      inexact: inexactOf(wanted.features.filter(({ name }) => wideInteger.test(types.get(name) ?? ''))),
    },
  }
}

/**
 * The rows of a file, from a row on, in their order.
 *
 * @param wantedRows  is asked before each chunk how many rows it should have at most
 */
export async function * columnChunks (database: Database, path: string, { rows: allRows, select }: ParquetInput, input: number, from: number, wantedRows: () => number): AsyncGenerator<ColumnsChunk> {
  const present = select.features.filter(expression => expression !== undefined)
  const expressions = [...present, ...select.kept, ...(select.inexact === undefined ? [] : [select.inexact])]
  // A model may have optional features only, and the file none of them.
  const sql = `SELECT ${[...expressions, '0'].join(', ')} FROM ${source(path)} OFFSET ${from}`
  let at = from
  for await (const { rows, values } of database.columns({ name: `read ${path}`, sql })) {
    for (let first = 0; first < rows;) {
      const last = Math.min(rows, first + wantedRows())
      const cut = values.map(column => column.slice(first, last))
      let next = 0
      yield {
        kind: 'columns',
        input,
        at,
        line: at + 1,
        rows: last - first,
        features: select.features.map(expression => expression === undefined ? undefined : cut[next++] as ColumnsChunk['features'][number]),
        kept: select.kept.map(() => cut[next++] as (string | null)[]),
        inexact: select.inexact === undefined ? undefined : cut[next++] as (string | null)[],
      }
      at += last - first
      first = last
    }
  }
  if (at !== allRows) throw new FatalError(`${path} ends after row ${at} of ${allRows}: get it again, then begin again with --restart`)
}

function source (path: string): string {
  return `read_parquet(${literal(exactly(path))})`
}

function checkType (path: string, { name, type, required }: Feature, found: string | undefined): void {
  if (found === undefined && required === false) return
  const [words, types] = fitting[type]
  if (found !== undefined && types.some(pattern => pattern.test(found))) return
  throw new FatalError(`${path}: the column ${JSON.stringify(name)} is ${found}, and the feature is a ${type}: the column must be ${words}`)
}

/** The number nearest to the value, as for its text in JSON. */
function expressionOf ({ name, type }: Feature, found: string): string {
  const column = identifier(name)
  if (type === 'string') return `CAST(${column} AS VARCHAR)`
  const exact = decimal.test(found) ? `CAST(${column} AS VARCHAR)` : type === 'boolean' ? `CAST(${column} AS INTEGER)` : column
  return `coalesce(CAST(${exact} AS DOUBLE), 'NaN'::DOUBLE)`
}

function inexactOf (features: readonly Feature[]): string | undefined {
  if (features.length === 0) return undefined
  const faults = features.map(({ name }) => `CASE WHEN ${identifier(name)} NOT BETWEEN -9007199254740992 AND 9007199254740992 THEN ${literal(`${JSON.stringify(name)} is `)} || ${identifier(name)} END`)
  return `nullif(concat_ws(', ', ${faults.join(', ')}), '')`
}
