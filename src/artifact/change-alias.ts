import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FatalError } from '../errors.ts'
import { type Aliases, aliasTarget, parseAliases } from './aliases.ts'
import { type Change, ChangeSchema, appendChange, endsWith } from './history.ts'
import { parseJson } from './json.ts'
import { withModelLock } from './repository-lock.ts'
import { tidyJson } from './tidy-json.ts'

/** The alias names something else than what the decision was based on. */
export interface Overtaken { readonly overtakenBy: string | undefined }

/** The aliases of a repository's models, and the history of their changes, for those who change them. */
export interface AliasBook {
  /** Finishes what an interrupted process has begun; reading makes sense after that. */
  readonly mend: (name: string) => Promise<void>
  /** @throws FatalError */
  readonly aliases: (name: string) => Promise<Aliases>
  /** In the order in which they took effect. @throws FatalError */
  readonly history: (name: string) => Promise<Change[]>
  /**
   * Lets an alias name another version, and writes that down.
   *
   * @param change `from` is what the decision was based on
   * @returns the change, or what the alias names when that is no longer `from`; then nothing is changed
   * @throws FatalError
   */
  readonly change: (name: string, change: Omit<Change, 'at'>) => Promise<Change | Overtaken>
}

/**
 * Lets an alias name another version, and writes that down in history.jsonl: both or neither, also when the process
 * dies in between, since the next change finishes what this one has begun.
 *
 * @param folder the model's folder
 * @param change `from` is what the decision was based on
 * @returns the change, or what the alias names when that is no longer `from`; then nothing is changed
 * @throws FatalError when the version is gone, aliases.json cannot be read or the folder cannot be written
 */
export async function changeAlias (folder: string, change: Omit<Change, 'at'>): Promise<Change | Overtaken> {
  return await withModelLock(folder, async () => {
    try {
      await finishPending(folder)
      const aliases = await readAliases(folder)
      const current = aliasTarget(aliases, change.alias)
      if ((current ?? null) !== change.from) return { overtakenBy: current }
      const isThere = await stat(join(folder, change.to)).then(info => info.isDirectory(), () => false)
      if (!isThere) throw new FatalError(`version ${change.to} is no longer there`)
      const dated = { at: new Date().toISOString(), ...change }
      await replaceFile(pendingPath(folder), JSON.stringify(dated))
      await replaceFile(join(folder, 'aliases.json'), tidyJson(pointed(aliases, change.alias, change.to)))
      await finishPending(folder)
      return dated
    } catch (error) {
      throw explained(folder, error)
    }
  })
}

/**
 * Under the lock: a change that took effect and is not in the history is written there; one that did not is forgotten.
 */
async function finishPending (folder: string): Promise<void> {
  const pending = pendingPath(folder)
  const bytes = await readFile(pending).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes === undefined) return
  const change = parsePending(pending, bytes)
  const tookEffect = aliasTarget(await readAliases(folder), change.alias) === change.to
  if (tookEffect && !await endsWith(folder, change)) await appendChange(folder, change)
  await rm(pending)
}

function parsePending (path: string, bytes: Uint8Array): Change {
  try {
    return parseJson(ChangeSchema, bytes)
  } catch (error) {
    throw new FatalError(`${path}: ${(error as Error).message}: remove the file`, { cause: error })
  }
}

/** Finishes what an interrupted process has begun, if there is such; reading the history makes sense after that. */
export async function mendModel (folder: string): Promise<void> {
  if (await stat(pendingPath(folder)).then(() => true, () => false)) await withModelLock(folder, () => finishPending(folder))
}

/** @throws FatalError */
export async function readAliases (folder: string): Promise<Aliases> {
  const path = join(folder, 'aliases.json')
  try {
    return parseAliases(await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw new Error(`aliases.json cannot be read (${error.code})`, { cause: error })
    }))
  } catch (error) {
    throw new FatalError(`${folder}: ${(error as Error).message}: mend the file first`, { cause: error })
  }
}

/** The other aliases stay, and so does the weight of this one. */
export function pointed (aliases: Aliases, alias: string, version: string): Aliases {
  const before = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined
  return { ...aliases, [alias]: typeof before === 'object' ? { ...before, version } : version }
}

function pendingPath (folder: string): string {
  return join(folder, '.pending-change')
}

/**
 * Readers see the old file or the new one, both whole, and the new one is on the disk when this returns.
 * Under the lock, so that one name for the draft will do.
 */
async function replaceFile (path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.next-${basename(path)}`)
  const handle = await open(draft, 'w')
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, path)
  // Not every system lets a folder be opened for that.
  const folder = await open(dirname(path), 'r').catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

function explained (folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof FatalError || code === undefined) return error
  return new FatalError(`${folder} cannot be changed (${code})`, { cause: error })
}
