import { open, stat } from 'node:fs/promises'
import { FatalError } from '../errors.ts'
import { type Header, readHeader } from './csv-header.ts'
import type { Database } from './database.ts'
import type { Pipeline } from './pipeline.ts'
import { literal } from './sql.ts'

export type InputFile = { readonly path: string } & (
  | ({ readonly format: 'csv', readonly gzip: boolean } & Header)
  | { readonly format: 'parquet', readonly columns: readonly string[] }
)

/**
 * The files that are meant, in the order of the patterns and by name within each, with their columns.
 *
 * @param patterns  paths, or globs as DuckDB has them: `*`, `**`, `?`, `[a-z]`
 * @throws FatalError naming what is not there or cannot be read
 */
export async function findInputs (database: Database, patterns: readonly string[], options: Pipeline['input']): Promise<InputFile[]> {
  const paths: string[] = []
  for (const pattern of patterns) paths.push(...await expand(database, pattern))
  const files: InputFile[] = []
  for (const path of new Set(paths)) files.push(await describe(database, path, options))
  return files
}

async function expand (database: Database, pattern: string): Promise<string[]> {
  const found = await stat(pattern).catch(() => undefined)
  if (found?.isDirectory() === true) throw new FatalError(`${pattern} is a folder: name its files, such as '${pattern}/*.csv'`)
  if (found !== undefined) return [pattern]
  const rows = await database.rows({ name: 'find', sql: `SELECT file FROM glob(${literal(pattern)}) ORDER BY file` })
  if (rows.length === 0) throw new FatalError(`there is no file ${pattern}`)
  return rows.map(({ file }) => String(file))
}

async function describe (database: Database, path: string, options: Pipeline['input']): Promise<InputFile> {
  const magic = await readMagic(path)
  if (magic.length === 0) throw new FatalError(`${path} is empty`)
  if (magic.toString('latin1') !== 'PAR1') {
    const gzip = magic[0] === 0x1f && magic[1] === 0x8b
    return { path, format: 'csv', gzip, ...await readHeader(path, gzip, options) }
  }
  const rows = await database.rows({ name: `read ${path}`, sql: `DESCRIBE SELECT * FROM read_parquet(${literal(exactly(path))})` })
  return { path, format: 'parquet', columns: rows.map(({ column_name: name }) => String(name)) }
}

async function readMagic (path: string): Promise<Buffer> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new FatalError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** A path as a pattern that means nothing else. */
export function exactly (path: string): string {
  return path.replace(/[*?[]/g, '[$&]')
}
