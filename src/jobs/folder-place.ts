import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FatalError } from '../errors.ts'
import { type Place, type PlacedFile, addressOf } from './place.ts'

/** A folder as a place: the same jobs on one machine. */
export function folderPlace (folder: string): Place {
  const address = folder.replace(/(.)\/+$/, '$1')
  const pathOf = (key: string) => join(address, ...key.split('/'))
  const put = async (key: string, fill: (draft: string) => Promise<void>): Promise<void> => {
    const path = pathOf(key)
    const draft = join(dirname(path), `.draft-${process.pid}-${randomBytes(6).toString('hex')}`)
    try {
      await mkdir(dirname(path), { recursive: true })
      await fill(draft)
      await rename(draft, path)
    } catch (error) {
      await rm(draft, { force: true })
      throw failed(path, 'written', error)
    }
  }
  return {
    address,
    list: async () => {
      const names = await readdir(address, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw failed(address, 'read', error)
      })
      const keys = names.filter(entry => entry.isFile() && !entry.name.startsWith('.'))
        .map(entry => join(entry.parentPath, entry.name).slice(join(address, '/').length).replaceAll('\\', '/'))
      return await Promise.all(keys.sort().map(async key => await describe(pathOf(key), key)))
    },
    read: async key => await readFile(pathOf(key)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw failed(pathOf(key), 'read', error)
    }),
    fetch: async ({ key, etag }, path) => {
      const present = await describe(pathOf(key), key)
      if (present.etag !== etag) throw new FatalError(`${addressOf({ address }, key)} has changed since it was planned: plan anew`)
      await copyFile(pathOf(key), path, constants.COPYFILE_FICLONE)
    },
    store: async (key, path) => { await put(key, async draft => { await copyFile(path, draft, constants.COPYFILE_FICLONE) }) },
    write: async (key, text) => { await put(key, async draft => { await writeFile(draft, text, { flush: true }) }) },
  }
}

async function describe (path: string, key: string): Promise<PlacedFile> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { key, bytes: size, etag: `${size}-${Math.floor(mtimeMs)}` }
  } catch (error) {
    throw failed(path, 'read', error)
  }
}

function failed (path: string, what: string, error: unknown): FatalError {
  return new FatalError(`${path} cannot be ${what} (${(error as NodeJS.ErrnoException).code ?? String(error)})`, { cause: error })
}
