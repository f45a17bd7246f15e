import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { FatalError } from '../errors.ts'

export const lockFile = '.lock'

/** Folders that this process works in: a lock with its own number may be what an earlier process of that number left. */
const held = new Set<string>()

/** Each one lost to another process that took the lock meanwhile. */
const maxAttempts = 10

/**
 * Keeps every other process out of a folder. What a dead process left is taken over.
 *
 * @returns gives the folder free
 * @throws FatalError when another process works in it
 */
export async function lockFolder (folder: string): Promise<() => Promise<void>> {
  const key = resolve(folder)
  if (held.has(key)) throw inUse(folder, { pid: process.pid, host: hostname() })
  held.add(key)
  try {
    await take(folder)
  } catch (error) {
    held.delete(key)
    throw error
  }
  return async () => {
    await rm(join(folder, lockFile), { force: true })
    held.delete(key)
  }
}

interface Owner { readonly pid: number, readonly host: string }

async function take (folder: string): Promise<void> {
  const path = join(folder, lockFile)
  const mine = `${path}-${process.pid}`
  await writeFile(mine, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Owner))
  try {
    for (let attempt = 1; !await isLinked(mine, path); attempt++) {
      const text = await readFile(path, 'utf8').catch(() => '')
      const owner = parseOwner(text)
      if (attempt === maxAttempts || (owner !== undefined && isAlive(owner))) throw inUse(folder, owner)
      await removeStale(path, text)
    }
  } finally {
    await rm(mine, { force: true })
  }
}

/** A link to a whole file appears at once, and only where nothing is. */
async function isLinked (from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Between reading and moving it another process may have taken the lock over: then it gets it back. */
async function removeStale (path: string, text: string): Promise<void> {
  const aside = `${path}-stale-${process.pid}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  if (await readFile(aside, 'utf8') !== text) await isLinked(aside, path)
  await unlink(aside)
}

function parseOwner (text: string): Owner | undefined {
  try {
    const { pid, host } = JSON.parse(text) as Owner
    return { pid, host }
  } catch {
    return undefined
  }
}

function isAlive ({ pid, host }: Owner): boolean {
  if (host !== hostname()) return true
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function inUse (folder: string, owner: Owner | undefined): FatalError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid}${owner.host === hostname() ? '' : ` of ${owner.host}`}`
  return new FatalError(`${who} is writing into ${folder}: wait for it, or choose another --output. Should it be dead, remove ${join(folder, lockFile)}`)
}
