import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import Type from 'typebox'
import Value from 'typebox/value'
import { folderStore, versionFiles } from './folder-store.ts'
import { isName } from './names.ts'
import { type S3StoreOptions, s3Store } from './s3-store.ts'
import { isS3Uri } from './s3-uri.ts'
import type { ModelStore } from './store.ts'

/** What a version is called whose files do not say it. */
const unnamed = { name: 'model', version: '1' }

const NamesSchema = Type.Object({ name: Type.String(), version: Type.String() })

/**
 * Where a setting or a flag says that the models are.
 *
 * @param root a folder, or s3://bucket/prefix
 * @throws FatalError when it is a place in S3 that cannot be
 */
export function modelStore (root: string, options: S3StoreOptions = {}): ModelStore {
  return isS3Uri(root) ? s3Store(root, options) : folderOrVersion(root)
}

/** As `modelStore`, for those who change the repository: the files of one version alone are none. */
export function repositoryStore (root: string): ModelStore {
  return isS3Uri(root) ? s3Store(root) : folderStore(root)
}

/**
 * Models in a folder: a repository, or the files of one version alone, as SageMaker unpacks them from
 * a model.tar.gz. Which of the two it is, is looked up with each listing.
 */
function folderOrVersion (root: string): ModelStore {
  const repository = folderStore(root)
  let single: typeof unnamed | undefined
  const look = async (): Promise<typeof unnamed | undefined> => (single = await singleVersion(root))
  return {
    list: async () => {
      const found = await look()
      return found === undefined ? await repository.list() : { models: [{ name: found.name, versions: [found.version] }], ignored: [], defaultModel: undefined }
    },
    model: async name => {
      const found = await look()
      if (found === undefined) return await repository.model(name)
      return found.name === name ? { name, versions: [found.version] } : undefined
    },
    version: (name, version) => single === undefined ? repository.version(name, version) : versionFiles({ name, version, root, folder: root }),
    aliases: async name => single === undefined ? await repository.aliases(name) : undefined,
    ...(repository.stamps === undefined ? {} : { stamps: repository.stamps }),
  }
}

/** How the version is called whose files stand in the folder itself; undefined where none do. */
async function singleVersion (root: string): Promise<typeof unnamed | undefined> {
  const files: string[] = await readdir(root).catch(() => [])
  if (!files.includes('manifest.json')) return files.includes('model.onnx') ? unnamed : undefined
  const names = await readFile(join(root, 'manifest.json'), 'utf8').then(text => JSON.parse(text) as unknown).catch(() => undefined)
  // What else is wrong with a manifest is told by whoever reads the version.
  return Value.Check(NamesSchema, names) && isName(names.name) && isName(names.version) ? { name: names.name, version: names.version } : unnamed
}
