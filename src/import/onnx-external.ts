import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { isName } from '../artifact/names.ts'
import { FatalError } from '../errors.ts'
import { externalConstants, renameExternal } from '../onnx/read-external.ts'
import type { OnnxModel } from '../onnx/read.ts'

/** Files of a version that have a meaning of their own. */
const taken = ['manifest.json', 'model.onnx', 'preprocessor.json', 'preprocessor.onnx', 'golden.json', 'baseline.json']

/**
 * Reads the files in which a model keeps its weights, and gives those that need it a name that stands
 * beside a model. May change the names in `model`.
 *
 * @param file the model's path
 * @returns contents by name
 * @throws FatalError that names the file which is missing, too short or outside of the model's folder
 */
export async function takeExternal (model: OnnxModel, file: string): Promise<{ files: Record<string, Uint8Array>, renamed: boolean }> {
  const ends = new Map<string, number>()
  for (const { name, location, end } of externalConstants(model)) {
    if (location === '') throw new FatalError(`the weights "${name}" are in another file, and the model does not say in which: export it again`)
    ends.set(location, Math.max(ends.get(location) ?? 0, end))
  }
  const names = plainNames([...ends.keys()])
  const paths = new Map<string, string>()
  for (const [location, end] of ends) paths.set(location, await checkedPath(dirname(file), location, end))
  const files: Record<string, Uint8Array> = {}
  for (const [location, path] of paths) files[names.get(location)!] = await readWhole(path, location)
  renameExternal(model, names)
  return { files, renamed: [...names].some(([from, to]) => from !== to) }
}

function plainNames (locations: readonly string[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const location of locations) {
    const own = basename(location.replaceAll('\\', '/'))
    const isFree = (name: string) => isName(name) && !taken.includes(name) && ![...names.values()].includes(name)
    const candidates = [location, own, ...Array.from(locations, (_, i) => `weights-${i + 1}.bin`)]
    names.set(location, candidates.find(isFree)!)
  }
  return names
}

/** All files are looked at before one is read: they may be large. */
async function checkedPath (folder: string, location: string, end: number): Promise<string> {
  const path = join(folder, location)
  const [root, real] = await Promise.all([realpath(folder), realpath(path)]).catch(() => {
    throw new FatalError(`its weights are in the file ${location}, which is not there: put it beside the model, or export the model into one file`)
  })
  if (!real.startsWith(root + sep)) throw new FatalError(`it looks for its weights in ${location}, outside of its own folder: put both into one folder and export it again`)
  const info = await stat(real)
  if (!info.isFile()) throw new FatalError(`it looks for its weights in ${location}, and that is no file: export it again`)
  const { size } = info
  if (!Number.isSafeInteger(end) || size < end) throw new FatalError(`${location} has ${size} bytes, and the model's weights reach to ${end}: it was cut off, or belongs to another model`)
  return real
}

async function readWhole (path: string, location: string): Promise<Uint8Array> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new FatalError(`its weights in ${location} cannot be read: ${error.code}${error.code === 'ERR_FS_FILE_TOO_LARGE' ? ' (more than 2 GiB in one file)' : ''}`)
  })
}
