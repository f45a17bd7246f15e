import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FatalError } from '../errors.ts'
import { type CleanReport, clean } from '../etl/clean.ts'
import type { DatabaseOptions } from '../etl/database.ts'
import type { Pipeline } from '../etl/pipeline.ts'
import { type Place, type PlacedFile, addressOf } from './place.ts'
import { writeJson } from './run-files.ts'

export interface CleanRawRequest {
  readonly raw: Place
  readonly clean: Place
  readonly pipeline: Pipeline
  readonly database: DatabaseOptions
  /** An empty folder of this machine. */
  readonly work: string
  readonly notice: (text: string) => void
}

export interface RawAccount {
  /** Clean before this run. */
  readonly known: number
  readonly cleaned: readonly { readonly key: string, readonly rows: number, readonly rejected: number }[]
  /** Files that are no transactions: left out, and tried again by every run until they are mended or gone. */
  readonly unreadable: readonly { readonly key: string, readonly error: string }[]
}

/**
 * Cleans each raw file that is not clean yet, one by one: what was cleaned once need not be read again, when it may have
 * gone to an archive. `<key>.parquet` is the rows; what was dropped and the account stand in `rejected/` and `reports/`.
 *
 * @throws FatalError where a place cannot be read or written
 */
export async function cleanRaw ({ raw, clean: target, pipeline, database, work, notice }: CleanRawRequest): Promise<RawAccount> {
  const files = (await raw.list()).filter(({ key }) => /\.(csv(\.gz)?|parquet)$/i.test(key) && !key.split('/').some(segment => /^[_.]/.test(segment)))
  const there = new Set((await target.list()).map(({ key }) => key))
  const wanted = files.filter(file => !there.has(cleanKey(file)))
  const cleaned: RawAccount['cleaned'][number][] = []
  const unreadable: RawAccount['unreadable'][number][] = []
  for (const file of wanted) {
    const folder = join(work, 'raw')
    try {
      const { output, rejected } = await cleanFile(file, { raw, target, pipeline, database, folder })
      cleaned.push({ key: file.key, rows: output.rows, rejected: rejected.rows })
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
      notice(`${addressOf(raw, file.key)} is left out: ${error.message}`)
      unreadable.push({ key: file.key, error: error.message })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return { known: files.length - wanted.length, cleaned, unreadable }
}

/** The file's own fault: the others are of use without it. */
class UnreadableFile extends FatalError {}

/** Where the rows of a raw file stand; a file that is replaced is another one. */
function cleanKey ({ key, etag }: PlacedFile): string {
  return `rows/${key}.${etag.replaceAll(/[^A-Za-z0-9-]/g, '')}.parquet`
}

interface Cleaning extends Pick<CleanRawRequest, 'raw' | 'pipeline' | 'database'> { readonly target: Place, readonly folder: string }

async function cleanFile (file: PlacedFile, { raw, target, pipeline, database, folder }: Cleaning): Promise<CleanReport> {
  const path = join(folder, basename(file.key))
  const [output, rejected] = [join(folder, 'out', 'rows.parquet'), join(folder, 'out', 'rejected.csv')]
  await mkdir(join(folder, 'out'), { recursive: true })
  await raw.fetch(file, path)
  const report = await clean({ inputs: [path], output, rejected, pipeline, database }).catch((error: unknown) => {
    throw error instanceof FatalError ? new UnreadableFile(error.message.replaceAll(path, addressOf(raw, file.key)), { cause: error }) : error
  })
  const name = cleanKey(file).slice('rows/'.length, -'.parquet'.length)
  await target.store(`rejected/${name}.csv`, rejected)
  const told = { ...report, input: { ...report.input, files: [addressOf(raw, file.key)] }, rejected: { ...report.rejected, file: addressOf(target, `rejected/${name}.csv`) }, output: { ...report.output, file: addressOf(target, cleanKey(file)) } }
  await writeJson(target, `reports/${name}.json`, told)
  // Last: where it stands, the rest does too.
  await target.store(cleanKey(file), output)
  return report
}

/**
 * Fetches the clean rows of the files that are raw now: not those of a file that was replaced or taken away since.
 *
 * @returns local paths, in the order of the files
 */
export async function fetchClean ({ raw, clean: target, work }: Pick<CleanRawRequest, 'raw' | 'clean' | 'work'>): Promise<string[]> {
  const there = new Map((await target.list()).map(file => [file.key, file]))
  const folder = join(work, 'clean')
  await mkdir(folder, { recursive: true })
  const paths: string[] = []
  for (const file of await raw.list()) {
    const rows = there.get(cleanKey(file))
    if (rows === undefined) continue
    const path = join(folder, `${String(paths.length).padStart(5, '0')}.parquet`)
    await target.fetch(rows, path)
    paths.push(path)
  }
  return paths
}
