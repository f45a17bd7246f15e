import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeVersion } from '../artifact/write.ts'

/**
 * Puts a version of one repository folder into another. The same version once more changes nothing.
 *
 * @throws FatalError where another version of that name is there
 */
export async function copyVersion (from: string, to: string, name: string, version: string): Promise<void> {
  const folder = join(from, name, version)
  const files = Object.fromEntries(await Promise.all((await readdir(folder)).map(async file => [file, await readFile(join(folder, file))] as const)))
  // It has the hashes of all others.
  const present = await readFile(join(to, name, version, 'manifest.json')).catch(() => undefined)
  if (present?.equals(files['manifest.json']!) === true) return
  await writeVersion(to, name, version, files)
}
