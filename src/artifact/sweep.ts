import { randomBytes } from 'node:crypto'
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from '../errors.ts'
import { aliasTarget } from './aliases.ts'
import { mendModel, readAliases } from './change-alias.ts'
import { versionFiles } from './folder-store.ts'
import { readHistory, trailOf } from './history.ts'
import { isName, sortVersions } from './names.ts'
import { examineArtifact } from './read.ts'
import { isRunning, withModelLock } from './repository-lock.ts'

/** What nobody needs any more in a model's folder. */
export interface Sweep {
  /** Oldest first. */
  readonly versions: readonly string[]
  /** What interrupted writes have left: names in the model's folder. */
  readonly leftovers: readonly string[]
  /** Leftovers that hold the only copy of a version: to be moved back or removed by a person. */
  readonly stranded: readonly { readonly folder: string, readonly version: string }[]
}

/** A writer that takes longer is not one: its number belongs to another process now. */
const abandonedAfterMs = 3_600_000

/** Names that `writeVersion`, a change of an alias and this module give to what is under way, with the writer's number. */
const underWay = /^\.(?:draft|old|gone|lock)-(\d+)-[0-9a-f]+(?:-copy)?$/

/**
 * Versions that nothing names, that are not among the newest, and that no rollback leads to; and what interrupted
 * writes have left.
 *
 * @param keep how many of the newest versions stay, at least one
 * @throws FatalError when the aliases or the history cannot be read
 */
export async function planSweep (root: string, name: string, keep: number): Promise<Sweep> {
  const folder = join(root, name)
  const entries = await readdir(folder, { withFileTypes: true })
  const versions = sortVersions(entries.filter(entry => isName(entry.name) && (entry.isDirectory() || entry.isSymbolicLink())).map(entry => entry.name))
  const needed = new Set([...versions.slice(-Math.max(keep, 1)), ...await namedVersions(folder), ...await newestWhole(root, name, versions)])
  const left: string[] = []
  const stranded: { folder: string, version: string }[] = []
  for (const { name: entry } of entries) {
    if (!await isLeftover(folder, entry)) continue
    const version = entry.startsWith('.old-') ? await strandedVersion(join(folder, entry), versions) : undefined
    if (version === undefined) left.push(entry)
    else stranded.push({ folder: join(folder, entry), version })
  }
  return { versions: versions.filter(version => !needed.has(version)), leftovers: left.sort(), stranded }
}

/** Does what `planSweep` says at that moment. A version disappears as a whole, in one rename. */
export async function sweep (root: string, name: string, keep: number): Promise<Sweep> {
  const folder = join(root, name)
  await mendModel(folder)
  const { plan, gone } = await withModelLock(folder, async () => {
    const plan = await planSweep(root, name, keep)
    const gone: string[] = []
    for (const version of plan.versions) {
      const aside = join(folder, `.gone-${process.pid}-${randomBytes(6).toString('hex')}`)
      await rename(join(folder, version), aside).catch((error: NodeJS.ErrnoException) => { throw cannotRemove(join(folder, version), error) })
      gone.push(aside)
    }
    return { plan, gone }
  })
  for (const path of [...gone, ...plan.leftovers.map(entry => join(folder, entry))]) {
    await rm(path, { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => { throw cannotRemove(path, error) })
  }
  return plan
}

/** What an alias names, and what it would name after a rollback. */
async function namedVersions (folder: string): Promise<string[]> {
  const [aliases, history] = [await readAliases(folder), await readHistory(folder)]
  const names = new Set([...Object.keys(aliases), ...history.map(({ alias }) => alias)])
  return [...names].flatMap(alias => {
    const current = aliasTarget(aliases, alias)
    return [...trailOf(history, alias, current).slice(-2), ...(current === undefined ? [] : [current])]
  })
}

/** Where the newest versions are broken, the one that answers in their place. */
async function newestWhole (root: string, name: string, versions: readonly string[]): Promise<string[]> {
  for (const version of versions.toReversed()) {
    const { faults } = await examineArtifact(versionFiles({ name, version, root, folder: join(root, name, version) }))
    if (faults.length === 0) return [version]
  }
  return []
}

async function isLeftover (folder: string, entry: string): Promise<boolean> {
  const [, pid] = underWay.exec(entry) ?? []
  const info = pid !== undefined || /^\.lock-after-[0-9a-f]+$/.test(entry) ? await stat(join(folder, entry)).catch(() => undefined) : undefined
  if (info === undefined) return false
  return Date.now() - info.mtimeMs > abandonedAfterMs || (pid !== undefined && Number(pid) !== process.pid && !isRunning(Number(pid)))
}

/** A writer that died while it replaced a version may have moved the old one aside and nothing into its place. */
async function strandedVersion (folder: string, versions: readonly string[]): Promise<string | undefined> {
  try {
    const { version } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { version?: unknown }
    return typeof version === 'string' && isName(version) && !versions.includes(version) ? version : undefined
  } catch {
    return undefined
  }
}

function cannotRemove (path: string, error: NodeJS.ErrnoException): FatalError {
  return new FatalError(`${path} cannot be removed (${error.code})`, { cause: error })
}
