import { open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import type { Database } from '../etl/database.ts'
import { identifier, literal } from '../etl/sql.ts'
import { answerColumns } from './output-lines.ts'
import { type WrittenFile, draftOf, publish } from './write-file.ts'

/** A column of the output and its type in SQL. */
export interface OutputColumn { readonly name: string, readonly type: string }

/** @throws FatalError where two names differ in nothing but case, which Parquet's readers do not tell apart */
export function parquetColumns (manifest: Manifest, kept: readonly OutputColumn[]): OutputColumn[] {
  const answers = answerColumns('parquet', manifest).map(name => ({ name, type: typeOf(name, manifest) }))
  const columns = [...kept, ...answers]
  const seen = new Map<string, string>()
  for (const { name } of columns) {
    const other = seen.get(name.toLowerCase())
    if (other !== undefined) throw new FatalError(`--format parquet: the output would have the columns ${JSON.stringify(other)} and ${JSON.stringify(name)}, which differ in nothing but case; leave one out of --keep, or write CSV or NDJSON`)
    seen.set(name.toLowerCase(), name)
  }
  return columns
}

function typeOf (name: string, { task }: Manifest): string {
  if (name === 'class_name') return 'VARCHAR'
  return name === 'prediction' && task === 'classification' ? 'INTEGER' : 'DOUBLE'
}

/** A line is a row of the input at most, its quotes doubled, and what is answered. */
const maxLineBytes = 20_000_000

/**
 * Writes lines as a Parquet file, as a whole or not at all. The same lines give the same bytes: one thread writes
 * them, in their order, in row groups of one length.
 *
 * @param lines  of `compileLines('parquet', …)`
 */
export async function writeParquet (database: Database, folder: string, file: string, lines: Uint8Array, columns: readonly OutputColumn[]): Promise<WrittenFile> {
  const [draft, text] = [join(folder, draftOf(file)), join(folder, draftOf(`${file}.csv`))]
  return await publish(folder, file, async () => {
    try {
      await writeFile(text, lines)
      await database.run({ name: `write ${file}`, sql: copyStatement(text, draft, columns) })
    } finally {
      await rm(text, { force: true })
    }
    return await open(draft, 'r+')
  })
}

function copyStatement (from: string, to: string, columns: readonly OutputColumn[]): string {
  const selected = columns.map(({ name, type }, i) => `CAST(c${i} AS ${type}) AS ${identifier(name)}`)
  const options = [
    "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false",
    `strict_mode = true, parallel = false, max_line_size = ${maxLineBytes}, buffer_size = ${2 * maxLineBytes}`,
    `columns = {${columns.map((_, i) => `'c${i}': 'VARCHAR'`).join(', ')}}`,
  ]
  return `COPY (SELECT ${selected.join(', ')} FROM read_csv(${literal(from)}, ${options.join(', ')})) TO ${literal(to)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`
}
