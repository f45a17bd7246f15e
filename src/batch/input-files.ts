import { stat } from 'node:fs/promises'
import { FatalError } from '../errors.ts'
import { expandGlob } from './glob.ts'

export interface InputFile {
  /** As the command line names it. */
  readonly path: string
  readonly kind: 'csv' | 'ndjson' | 'parquet'
  readonly gzip: boolean
  readonly bytes: number
  /** When it was last changed, in milliseconds since 1970. */
  readonly modifiedMs: number
}

/**
 * Files that the patterns name, in the order of the patterns, each once.
 *
 * @throws FatalError for a pattern that matches nothing, and a file of which no kind is known
 */
export async function findInputs (patterns: readonly string[]): Promise<InputFile[]> {
  const paths = new Set<string>()
  for (const pattern of patterns) {
    const found = await expandGlob(pattern)
    if (found.length === 0) throw new FatalError(`--input: no file is called ${JSON.stringify(pattern)}${await isFolder(pattern) ? `; for the files in that folder say ${JSON.stringify(`${pattern.replace(/\/$/, '')}/*.csv`)}` : ''}`)
    for (const path of found) paths.add(path)
  }
  return await Promise.all(Array.from(paths, async path => ({ path, ...kindOf(path), ...await stateOf(path) })))
}

/** What a file on disk was when a job read it: another size or time means that it may hold other rows. */
export async function stateOf (path: string): Promise<Pick<InputFile, 'bytes' | 'modifiedMs'>> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { bytes: size, modifiedMs: Math.floor(mtimeMs) }
  } catch (error) {
    throw new FatalError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function kindOf (path: string): Pick<InputFile, 'kind' | 'gzip'> {
  const [, extension = '', gz] = /\.([^./]+?)(\.gz)?$/i.exec(path) ?? []
  const gzip = gz !== undefined
  switch (extension.toLowerCase()) {
    case 'csv': return { kind: 'csv', gzip }
    case 'ndjson':
    case 'jsonl': return { kind: 'ndjson', gzip }
    case 'parquet':
      if (gzip) throw new FatalError(`${path}: Parquet packs its columns itself and cannot be read out of a .gz; unpack it`)
      return { kind: 'parquet', gzip }
    default: throw new FatalError(`${path}: its name does not tell what is in it; it must end in .csv, .ndjson, .jsonl or .parquet, the first three also in .gz behind that`)
  }
}

async function isFolder (path: string): Promise<boolean> {
  return await stat(path).then(found => found.isDirectory(), () => false)
}
