import { createHash } from 'node:crypto'
import { type FileHandle, appendFile, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from '../errors.ts'

export interface WrittenFile { readonly file: string, readonly bytes: number, readonly sha256: string }

/** A draft has the same name each time, so that the next try takes the place of one that was cut off. */
export function draftOf (file: string): string {
  return `.${file}.draft`
}

/**
 * Writes a file as a whole or not at all, and onto the disk.
 *
 * @throws FatalError when that cannot be done
 */
export async function writeWhole (folder: string, file: string, content: Uint8Array): Promise<WrittenFile> {
  await published(folder, file, async () => {
    const handle = await open(join(folder, draftOf(file)), 'w')
    await handle.writeFile(content).catch(async (error: unknown) => {
      await handle.close()
      throw error
    })
    return handle
  })
  return { file, bytes: content.byteLength, sha256: createHash('sha256').update(content).digest('hex') }
}

/** The same for whoever writes the draft without this. @param write  gives the draft, opened */
export async function publish (folder: string, file: string, write: () => Promise<FileHandle>): Promise<WrittenFile> {
  const hash = createHash('sha256')
  let bytes = 0
  await published(folder, file, async () => {
    const handle = await write()
    for await (const block of handle.createReadStream({ autoClose: false, start: 0 }) as AsyncIterable<Buffer>) {
      hash.update(block)
      bytes += block.length
    }
    return handle
  })
  return { file, bytes, sha256: hash.digest('hex') }
}

export async function appendLine (folder: string, file: string, line: string): Promise<void> {
  await explained(folder, file, () => appendFile(join(folder, file), `${line}\n`, { flush: true }))
}

async function published (folder: string, file: string, write: () => Promise<FileHandle>): Promise<void> {
  await explained(folder, file, async () => {
    const handle = await write()
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(join(folder, draftOf(file)), join(folder, file))
  })
}

async function explained (folder: string, file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new FatalError(`${join(folder, file)} cannot be written (${code ?? message}); what is finished stays, and the same command goes on after it`, { cause: error })
  }
}
