import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFile, lockFolder } from '../src/batch/lock.ts'
import { FatalError } from '../src/errors.ts'

/** Tells a folder that the demo may empty from one that somebody keeps something in. */
const marker = '.modelport-demo'

/**
 * Makes the folder of a demo, without what an earlier demo has left in it, and keeps other demos out.
 *
 * @returns gives it free
 * @throws FatalError where another demo runs in it, or where it holds something else
 */
export async function takeFolder (folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true })
  const there = await readdir(folder)
  if (there.length > 0 && !there.includes(marker)) throw new FatalError(`${folder} has files that are not the demo's: choose another --output`)
  await writeFile(join(folder, marker), 'npm run demo empties this folder each time.\n')
  const release = await lockFolder(folder)
  try {
    for (const name of await readdir(folder)) {
      if (name !== marker && !name.startsWith(lockFile)) await rm(join(folder, name), { recursive: true })
    }
    return release
  } catch (error) {
    await release()
    throw error
  }
}
