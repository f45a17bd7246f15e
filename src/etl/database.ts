import type * as DuckDB from '@duckdb/node-api'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuCount } from '../engine/cpus.ts'
import { FatalError } from '../errors.ts'
import { removeLeftovers, temporaryPrefix } from './leftovers.ts'
import type { Statement } from './sql.ts'

export interface DatabaseOptions {
  /** What tables and operators may hold before they go to disk, as DuckDB writes sizes. */
  readonly memory: string
  /** Unset: one for each CPU. With one, rows come and go in their order. */
  readonly threads?: number
  /** Ends the statement that runs, and lets no further one begin. */
  readonly signal?: AbortSignal | undefined
  /** Told of each statement that has run. */
  readonly onStatement?: (name: string, tookMs: number) => void
  /** How the optional package is loaded. */
  readonly load?: () => Promise<typeof DuckDB>
}

export interface Database {
  /** @throws FatalError with the statement's name and the engine's reason */
  run: (statement: Statement) => Promise<void>
  /** The rows of an answer; numbers beyond 32 bits are texts unless the query casts them to DOUBLE. */
  rows: (statement: Statement) => Promise<Readonly<Record<string, unknown>>[]>
  /** An answer as it comes, some thousand rows at a time: a list of values for each column, DOUBLE as a Float64Array. */
  columns: (statement: Statement) => AsyncGenerator<Columns>
  /** Frees the memory and removes what was spilled. */
  close: () => Promise<void>
}

/** By column; nobody else's. */
export interface Columns { readonly rows: number, readonly values: readonly (Float64Array<ArrayBuffer> | readonly unknown[])[] }

const interruptEveryMs = 20

/**
 * A database of its own, in memory, that spills into a folder of its own and fetches no extension.
 *
 * @throws FatalError where the package is not installed
 */
export async function openDatabase ({ memory, threads = cpuCount(), signal, onStatement, load = () => import('@duckdb/node-api') }: DatabaseOptions): Promise<Database> {
  const { DuckDBInstance } = await loadPackage(load)
  await removeLeftovers(tmpdir())
  const spill = await mkdtemp(join(tmpdir(), temporaryPrefix()))
  try {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: memory,
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    const connection = await instance.connect()
    let interrupting: NodeJS.Timeout | undefined
    // Again and again: a statement that has been handed over and has not begun does not notice the first time.
    const interrupt = (): void => { interrupting ??= setInterval(() => { connection.interrupt() }, interruptEveryMs) }
    signal?.addEventListener('abort', interrupt)
    const rows: Database['rows'] = async ({ name, sql }) => {
      const started = performance.now()
      try {
        signal?.throwIfAborted()
        const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson()
        onStatement?.(name, performance.now() - started)
        return rows
      } catch (error) {
        throw new FatalError(`${name}: ${reasonOf(error)}`, { cause: error })
      }
    }
    return {
      rows,
      run: async statement => { await rows(statement) },
      columns: statement => columns(instance, statement),
      close: async () => {
        signal?.removeEventListener('abort', interrupt)
        clearInterval(interrupting)
        connection.closeSync()
        instance.closeSync()
        await rm(spill, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(spill, { recursive: true, force: true })
    throw new FatalError(`DuckDB does not start: ${reasonOf(error)}`, { cause: error })
  }
}

/** On a connection of its own: another statement on the same would end the answer, without a word. */
async function * columns (instance: DuckDB.DuckDBInstance, { name, sql }: Statement): AsyncGenerator<Columns> {
  const connection = await instance.connect()
  try {
    const result = await connection.stream(sql)
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const { rowCount: rows, columnCount } = chunk
      const values = Array.from({ length: columnCount }, (_, i) => {
        const { items } = chunk.getColumnVector(i) as { items?: unknown }
        return items instanceof Float64Array ? new Float64Array(items.subarray(0, rows)) : chunk.getColumnValues(i)
      })
      yield { rows, values }
    }
  } catch (error) {
    throw new FatalError(`${name}: ${reasonOf(error)}`, { cause: error })
  } finally {
    connection.closeSync()
  }
}

async function loadPackage (load: NonNullable<DatabaseOptions['load']>): Promise<typeof DuckDB> {
  try {
    return await load()
  } catch (error) {
    throw new FatalError('this needs DuckDB, which is an optional package and is not installed: run npm ci --include=optional, or' +
      ` npm install --no-save @duckdb/node-api @duckdb/node-bindings-${process.platform}-${process.arch} (${reasonOf(error)})`, { cause: error })
  }
}

const maxReason = 400

/** The engine's first paragraph; what follows are settings of its own that nobody can give here. */
function reasonOf (error: unknown): string {
  // All that the parser says of lines that end now in LF, now in CR LF.
  if (error instanceof Error && error.message.includes('state machine reached an invalid state')) return 'lines must all end in LF or all in CR LF, and quotes must be closed'
  const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(/\n\s*\n|\n(?:LINE \d+:|Possible |\s*\*)/)
  const line = reason.replace(/\s+/g, ' ').trim()
  return line.length > maxReason ? `${line.slice(0, maxReason)} …` : line
}
