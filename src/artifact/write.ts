import { randomBytes } from 'node:crypto'
import { access, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FatalError } from '../errors.ts'
import { isName, nameRule } from './names.ts'
import { isS3Uri } from './s3-uri.ts'

/** Each one lost to another writer that replaced the same version meanwhile. */
const maxAttempts = 100

/**
 * Writes `<modelsDir>/<name>/<version>` as a whole or not at all: readers, a second writer and a
 * crash see the complete folder or none. What is unfinished stands beside it under a name that
 * begins with a dot, which no reader takes for a version.
 *
 * @param files contents by file name
 * @param options.force puts the new folder in the place of one that is there; for an instant there is none
 * @returns the folder's path
 * @throws FatalError when the version exists, or a name cannot be one
 */
export async function writeVersion (
  modelsDir: string, name: string, version: string,
  files: Readonly<Record<string, Uint8Array | string>>, options: { force?: boolean } = {}
): Promise<string> {
  await checkVersionName(modelsDir, name, version, options)
  for (const file of Object.keys(files)) checkName('file', file)
  const target = join(modelsDir, name, version)
  const made = await mkdir(dirname(target), { recursive: true })
  const draft = besides(target, 'draft')
  try {
    await writeFolder(draft, files)
    const moved = await moveIn(draft, target, options.force === true)
    if (!moved) throw alreadyThere(name, version, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (made !== undefined) await removeEmpty(dirname(target), dirname(made))
    throw error
  }
  await sync(dirname(target))
  return target
}

/**
 * What `writeVersion` checks first, for those who want to know before a long training.
 *
 * @throws FatalError when the version exists, or a name cannot be one
 */
export async function checkVersionName (modelsDir: string, name: string, version: string, options: { force?: boolean } = {}): Promise<void> {
  checkName('model', name)
  checkName('version', version)
  if (isS3Uri(modelsDir)) throw new FatalError(`versions are written into a folder, and ${modelsDir} is none: give a folder with --out, and then modelport publish ${name}@${version} --to ${modelsDir}`)
  const target = join(modelsDir, name, version)
  if (options.force !== true && await exists(target)) throw alreadyThere(name, version, target)
}

function checkName (what: string, name: string): void {
  if (!isName(name)) throw new FatalError(`"${name}" cannot be the name of a ${what}: it must be ${nameRule}`)
}

function alreadyThere (name: string, version: string, target: string): FatalError {
  return new FatalError(`${name} ${version} already exists in ${target}: choose another version, or replace it with --force`)
}

/** A path in the same folder, so that moving it is a rename, which is atomic. */
function besides (target: string, purpose: string): string {
  return join(dirname(target), `.${purpose}-${process.pid}-${randomBytes(6).toString('hex')}`)
}

/** Everything is on the disk when this returns, not only in its cache. */
async function writeFolder (folder: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  await mkdir(folder)
  for (const [file, content] of Object.entries(files)) {
    const handle = await open(join(folder, file), 'wx')
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  await sync(folder)
}

/**
 * Of several writers at once, renaming lets the first one through; with `replace`, the last one stays.
 *
 * @returns false when the target is there and may not be replaced
 */
async function moveIn (draft: string, target: string, replace: boolean): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(draft, target)
      return true
    } catch (error) {
      // A folder with files in it is not replaced by a rename, whatever each system calls that.
      const occupied = isOccupied(error) || await exists(target)
      if (!occupied || attempt === maxAttempts) throw error
      if (!replace) return false
    }
    const old = besides(target, 'old')
    await rename(target, old).catch(ignoreMissing)
    await rm(old, { recursive: true, force: true })
  }
}

async function exists (path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}

function isOccupied (error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function ignoreMissing (error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** Removes the folders that were made on the way, from `folder` up to but without `end`, unless somebody uses them. */
async function removeEmpty (folder: string, end: string): Promise<void> {
  for (let path = folder; path !== end; path = dirname(path)) {
    if ((await readdir(path).catch(() => ['unreadable'])).length > 0) return
    await rmdir(path).catch(() => {})
  }
}

/** Makes the entries of a folder last; not every system lets a folder be opened for that. */
async function sync (folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  try {
    await handle?.sync().catch(() => {})
  } finally {
    await handle?.close()
  }
}
