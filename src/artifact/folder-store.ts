import Type from 'typebox'
import { readFile, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { FatalError } from '../errors.ts'
import { ArtifactError } from './artifact-error.ts'
import { parseJson } from './json.ts'
import { isName, sortVersions } from './names.ts'
import type { ModelEntry, ModelStore, Repository, VersionFiles } from './store.ts'

const RepositorySchema = Type.Object({ default: Type.Optional(Type.String()) }, { additionalProperties: false })

/** The model repository in a folder, laid out as `<name>/<version>/model.onnx`. */
export function folderStore (root: string): ModelStore {
  return {
    list: () => listRepository(root),
    model: async name => {
      const folders = isName(name) ? await subfolders(join(root, name)).catch(() => undefined) : undefined
      return folders && modelEntry(name, folders)
    },
    version: (name, version) => versionFiles({ name, version, root, folder: join(root, name, version) }),
    aliases: async name => {
      try {
        return await readOptional(root, join(root, name, 'aliases.json'))
      } catch (error) {
        throw new ArtifactError('BAD_ALIASES', `aliases.json ${(error as Error).message}`)
      }
    },
    stamps: () => stampsIn(root),
  }
}

/** By size and time, without a look into the files. */
async function stampsIn (root: string): Promise<Map<string, string>> {
  const { models } = await listRepository(root)
  return new Map(await Promise.all(models.map(async ({ name, versions }): Promise<[string, string]> => {
    const folder = join(root, name)
    const ofVersions = (await Promise.all(versions.map(async version => (await files(join(folder, version)).catch(() => [])).map(file => join(version, file))))).flat()
    const stamps = await Promise.all(['aliases.json', ...ofVersions].map(async file => {
      const { size, mtimeMs, ino } = await stat(join(folder, file)).catch(() => ({ size: -1, mtimeMs: 0, ino: 0 }))
      return `${file} ${size} ${mtimeMs} ${ino}`
    }))
    return [name, stamps.sort().join('\n')]
  })))
}

async function listRepository (root: string): Promise<Repository> {
  const ignored: string[] = []
  const models: ModelEntry[] = []
  for (const name of await modelFolders(root)) {
    const folders = isName(name) ? await subfolders(join(root, name)).catch(() => undefined) : undefined
    if (folders === undefined) {
      ignored.push(name)
      continue
    }
    ignored.push(...folders.filter(folder => !isName(folder)).map(folder => `${name}/${folder}`))
    models.push(modelEntry(name, folders))
  }
  return { models, ignored, defaultModel: await defaultModel(root) }
}

function modelEntry (name: string, folders: readonly string[]): ModelEntry {
  return { name, versions: sortVersions(folders.filter(isName)) }
}

async function modelFolders (root: string): Promise<string[]> {
  try {
    return await subfolders(root)
  } catch (error) {
    throw new FatalError(`MODELS_DIR: the folder ${root} cannot be read (${(error as NodeJS.ErrnoException).code}); set MODELS_DIR to a model repository`)
  }
}

/**
 * Folders and links to folders, sorted; what begins with a dot is nobody's model (a write under way, .git).
 * A link that leads nowhere is among them: somebody wanted a model there and should hear of it.
 */
async function subfolders (path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  const folders = await Promise.all(entries.map(async entry => {
    if (entry.name.startsWith('.')) return false
    return entry.isDirectory() || (entry.isSymbolicLink() && await leadsToFolder(join(path, entry.name)))
  }))
  return entries.filter((_, i) => folders[i]).map(entry => entry.name).sort()
}

async function leadsToFolder (link: string): Promise<boolean> {
  return await stat(link).then(target => target.isDirectory(), () => true)
}

async function defaultModel (root: string): Promise<string | undefined> {
  try {
    const bytes = await readOptional(root, join(root, 'repository.json'))
    return bytes && defaultModelIn(bytes, root)
  } catch (error) {
    if (error instanceof FatalError) throw error
    throw new FatalError(`repository.json in ${root}: ${(error as Error).message}`)
  }
}

/**
 * What a repository.json names.
 *
 * @param place where it stands, for the message
 * @throws FatalError
 */
export function defaultModelIn (bytes: Uint8Array, place: string): string | undefined {
  try {
    return parseJson(RepositorySchema, bytes).default
  } catch (error) {
    throw new FatalError(`repository.json in ${place}: ${(error as Error).message}`)
  }
}

/** A message about a file may quote it, so no link may lead out of the repository. */
async function readOptional (root: string, path: string): Promise<Uint8Array | undefined> {
  try {
    if (!(await realpath(path)).startsWith(await realpath(root) + sep)) throw new Error('is a link out of the repository')
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ENOENT') return undefined
    throw new Error(`cannot be read (${code})`, { cause: error })
  }
}

interface VersionFolder {
  readonly name: string
  readonly version: string
  readonly root: string
  /** Below the root, or the root itself. */
  readonly folder: string
}

/** The files in one folder, none of them reached through a link that leads out of it. */
export function versionFiles ({ name, version, root, folder }: VersionFolder): VersionFiles {
  return {
    name,
    version,
    list: async () => await files(folder),
    read: async file => {
      const path = await containedPath(root, folder, file)
      try {
        return await readFile(path)
      } catch (error) {
        throw new ArtifactError('UNREADABLE', `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
      }
    },
  }
}

async function files (folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(file => !file.startsWith('.'))
  } catch (error) {
    throw new ArtifactError('UNREADABLE', `the folder cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** A link may lead elsewhere within the version's folder, as a Kubernetes volume's do, never out of it. */
async function containedPath (root: string, folder: string, file: string): Promise<string> {
  try {
    const [rootPath, folderPath, path] = await Promise.all([realpath(root), realpath(folder), realpath(join(folder, file))])
    if (folder !== root && !folderPath.startsWith(rootPath + sep)) throw new ArtifactError('OUTSIDE_FOLDER', 'the version\'s folder is a link out of the repository')
    if (!path.startsWith(folderPath + sep)) throw new ArtifactError('OUTSIDE_FOLDER', `${file} is a link out of the version's folder`)
    return path
  } catch (error) {
    if (error instanceof ArtifactError) throw error
    throw new ArtifactError('MISSING_FILE', `${file} is missing`)
  }
}
