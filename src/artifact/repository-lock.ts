import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Type, { type Static } from 'typebox'
import { FatalError } from '../errors.ts'
import { parseJson } from './json.ts'

const OwnerSchema = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]+$' }), pid: Type.Integer({ minimum: 1 }), host: Type.String(), at: Type.String() })

type Owner = Static<typeof OwnerSchema>

/** Work under the lock takes milliseconds: what is held for longer belongs to nobody, whatever process has that number now. */
const abandonedAfterMs = 10 * 60_000
const waitMs = 15_000
const retryMs = 15

/** The locks of this process, by id: one with its own number that is not among these was left by a dead namesake. */
const held = new Set<string>()

/**
 * Runs `work` while no other process changes this model. The lock of a dead process is taken over.
 *
 * @param folder the model's folder
 * @throws FatalError when another process keeps the lock, or the folder cannot be written
 */
export async function withModelLock<T> (folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, '.lock')
  const id = await take(path)
  try {
    return await work()
  } finally {
    await release(path, id)
  }
}

async function take (path: string): Promise<string> {
  const id = randomBytes(8).toString('hex')
  const mine = `${path}-${process.pid}-${id}`
  held.add(id)
  try {
    await writeWhole(mine, JSON.stringify({ id, pid: process.pid, host: hostname(), at: new Date().toISOString() } satisfies Owner))
    const deadline = performance.now() + waitMs
    while (!await isTaken(mine, path)) {
      if (performance.now() > deadline) throw inUse(path, await ownerOf(path))
      await delay(retryMs * (1 + Math.random()))
    }
    return id
  } catch (error) {
    held.delete(id)
    throw error instanceof FatalError ? error : cannotWrite(path, error)
  } finally {
    await rm(mine, { force: true }).catch(() => {})
  }
}

/** A link to a whole file appears at once, and only where nothing is: as O_EXCL, but never seen empty. */
async function isTaken (mine: string, path: string): Promise<boolean> {
  try {
    await link(mine, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const owner = await ownerOf(path)
  return owner !== undefined && isDead(owner) && await takeOver(mine, path, owner.id)
}

/**
 * Puts this process's lock in the place of a dead one's. Only who holds the dead lock's successor may, and looks
 * again once it does: a slower process that saw the same dead lock finds another one there and lets it be.
 */
async function takeOver (mine: string, path: string, deadId: string): Promise<boolean> {
  const successor = `${path.replace(/-after-[0-9a-f]+$/, '')}-after-${deadId}`
  if (!await isTaken(mine, successor)) return false
  try {
    if ((await ownerOf(path))?.id !== deadId) return false
    const copy = `${mine}-copy`
    await rm(copy, { force: true })
    await link(mine, copy)
    await rename(copy, path)
    return true
  } finally {
    await rm(successor, { force: true })
  }
}

async function release (path: string, id: string): Promise<void> {
  if ((await ownerOf(path))?.id === id) await rm(path, { force: true })
  held.delete(id)
}

async function ownerOf (path: string): Promise<Owner | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  if (bytes === undefined) return undefined
  try {
    return parseJson(OwnerSchema, bytes)
  } catch {
    throw new FatalError(`${path} is not a lock of ours: remove it when nobody changes this model`)
  }
}

function isDead ({ id, pid, host, at }: Owner): boolean {
  if (held.has(id)) return false
  if (!(Date.now() - Date.parse(at) < abandonedAfterMs)) return true
  if (host !== hostname()) return false
  return pid === process.pid || !isRunning(pid)
}

export function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function writeWhole (path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(text)
  } finally {
    await handle.close()
  }
}

function inUse (path: string, owner: Owner | undefined): FatalError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} of ${owner.host}, since ${owner.at},`
  return new FatalError(`${who} is changing this model: try again. Should it be dead, remove ${path}`)
}

function cannotWrite (path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? error : new FatalError(`${path} cannot be written (${code})`, { cause: error })
}
