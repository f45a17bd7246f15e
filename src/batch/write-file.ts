import { createHash } from 'node:crypto'
import { appendFile, open, rename } from 'node:fs/promises'
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
  const draft = join(folder, draftOf(file))
  await explained(folder, file, async () => {
    const handle = await open(draft, 'w')
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, join(folder, file))
  })
  return { file, bytes: content.byteLength, sha256: createHash('sha256').update(content).digest('hex') }
}

export async function appendLine (folder: string, file: string, line: string): Promise<void> {
  await explained(folder, file, () => appendFile(join(folder, file), `${line}\n`, { flush: true }))
}

async function explained (folder: string, file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw new FatalError(`${join(folder, file)} cannot be written (${(error as NodeJS.ErrnoException).code}); what is finished stays, and the same command goes on after it`, { cause: error })
  }
}
