import { mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { FatalError } from '../errors.ts'
import { removeLeftovers, temporaryName } from './leftovers.ts'
import { literal } from './sql.ts'

const formats: readonly (readonly [ending: string, options: string])[] = [
  ['.parquet', 'FORMAT parquet, COMPRESSION zstd'],
  ['.csv', 'FORMAT csv, HEADER'],
  ['.csv.gz', 'FORMAT csv, HEADER, COMPRESSION gzip'],
]

/** Whether a path is meant as a file of rows; others are folders. */
export function isTableFile (path: string): boolean {
  return formats.some(([ending]) => path.endsWith(ending))
}

/** @throws FatalError where the name does not tell the format */
export function checkTableFile (path: string, flag: string): void {
  if (!isTableFile(path)) throw new FatalError(`${flag} ${path} must end in ${formats.map(([ending]) => ending).join(', ')}: that tells the format`)
}

export function copySql (query: string, path: string): string {
  const [, options = ''] = formats.find(([ending]) => path.endsWith(ending)) ?? []
  return `COPY (\n${query}\n) TO ${literal(path)} (${options})`
}

/** Files that come to be all at the end, or not at all. */
export interface Outputs {
  /** Where to write what is to be at `path`: in the same folder, under a name that begins with a dot. */
  draft: (path: string) => Promise<string>
  writeText: (path: string, text: string) => Promise<void>
  /** Puts every file in its place, replacing what is there. */
  commit: () => Promise<void>
  /** Removes what has not been put in its place, and folders that were made for it. */
  discard: () => Promise<void>
}

export function openOutputs (): Outputs {
  const drafts = new Map<string, string>()
  const madeFolders: string[] = []
  const draft: Outputs['draft'] = async path => {
    const made = await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw new FatalError(`${path} cannot be written: ${error.code}`)
    })
    if (made !== undefined) madeFolders.push(made)
    else await removeLeftovers(dirname(path))
    // The ending stays, since it tells the format.
    const temporary = join(dirname(path), temporaryName(basename(path)))
    drafts.set(path, temporary)
    return temporary
  }
  return {
    draft,
    writeText: async (path, text) => {
      const temporary = await draft(path)
      await writeFile(temporary, text).catch((error: NodeJS.ErrnoException) => {
        throw new FatalError(`${path} cannot be written: ${error.code}`)
      })
    },
    commit: async () => {
      // The first draft is the one that matters most: where it is in its place, so are the others.
      for (const [path, temporary] of [...drafts].reverse()) {
        await rename(temporary, path).catch((error: NodeJS.ErrnoException) => {
          throw new FatalError(`${path} cannot be written: ${error.code}`)
        })
        drafts.delete(path)
      }
      madeFolders.length = 0
    },
    discard: async () => {
      for (const temporary of drafts.values()) await rm(temporary, { force: true })
      for (const folder of madeFolders) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** @throws FatalError where one would replace another, an input or a folder */
export async function checkOutputs (outputs: Readonly<Record<string, string | undefined>>, inputs: readonly string[]): Promise<void> {
  const taken = new Map<string, string>()
  for (const input of inputs) taken.set(await realpath(input), `the input ${input}`)
  for (const [flag, path] of Object.entries(outputs)) {
    if (path === undefined) continue
    const place = await realpath(path).catch(() => resolve(path))
    const other = taken.get(place)
    if (other !== undefined) throw new FatalError(`${flag} ${path} would replace ${other}`)
    if ((await stat(path).catch(() => undefined))?.isDirectory() === true) throw new FatalError(`${flag} ${path} is a folder`)
    taken.set(place, flag)
  }
}
