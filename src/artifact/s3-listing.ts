import { createHash } from 'node:crypto'
import type { S3Object } from './bucket.ts'
import { isName, sortVersions } from './names.ts'
import type { ModelEntry } from './store.ts'

/** Stands in a version that is being published until its manifest is there: nobody reads the version meanwhile. */
export const publishingMarker = '.publishing'

/** An object as it was when it was listed. */
export interface Stamp { readonly etag: string, readonly bytes: number }

/** The objects of one version, by file name. */
export type ListedFiles = ReadonlyMap<string, Stamp>

export interface ListedModel {
  readonly name: string
  readonly versions: ReadonlyMap<string, ListedFiles>
  readonly aliases: Stamp | undefined
}

export interface Listing {
  readonly models: ReadonlyMap<string, ListedModel>
  readonly repository: Stamp | undefined
  /** What looks like a model or a version, and cannot be one by its name. */
  readonly ignored: readonly string[]
}

type Growing = { readonly name: string, readonly versions: Map<string, Map<string, Stamp>>, aliases: Stamp | undefined }

/** The repository that keys such as `iris/1.0.0/model.onnx` make up. What begins with a dot is nobody's. */
export async function readListing (objects: AsyncIterable<S3Object>): Promise<Listing> {
  const models = new Map<string, Growing>()
  const ignored = new Set<string>()
  let repository: Stamp | undefined
  for await (const { key, etag, bytes } of objects) {
    const [name = '', ...path] = key.split('/')
    if (path.length === 0) {
      if (name === 'repository.json') repository = { etag, bytes }
    } else if (isName(name)) {
      const model = models.get(name) ?? { name, versions: new Map(), aliases: undefined }
      models.set(name, model)
      if (!place(model, path, { etag, bytes })) ignored.add(`${name}/${path[0]}`)
    } else if (!name.startsWith('.')) {
      ignored.add(name)
    }
  }
  for (const { versions } of models.values()) {
    for (const [version, files] of versions) {
      if (isUnfinished(files)) versions.delete(version)
      for (const file of files.keys()) if (file.startsWith('.')) files.delete(file)
    }
  }
  return { models, repository, ignored: [...ignored] }
}

/** @returns false where the path cannot be a version's */
function place (model: Growing, [version = '', file, deeper]: readonly string[], stamp: Stamp): boolean {
  if (file === undefined) {
    if (version === 'aliases.json') model.aliases = stamp
    return true
  }
  if (version.startsWith('.')) return true
  if (!isName(version)) return false
  const files = model.versions.get(version) ?? new Map<string, Stamp>()
  model.versions.set(version, files)
  // An empty name is the "folder" that a console has made.
  if (file !== '' && deeper === undefined) files.set(file, stamp)
  return true
}

function isUnfinished (files: ListedFiles): boolean {
  return files.size === 0 || (files.has(publishingMarker) && !files.has('manifest.json'))
}

export function entryOf ({ name, versions }: ListedModel): ModelEntry {
  return { name, versions: sortVersions([...versions.keys()]) }
}

/** The same for the same objects, and for no others. */
export function contentKey (files: ListedFiles): string {
  return digest([...files].map(([file, { etag, bytes }]) => [file, etag, bytes]))
}

/** Another one as soon as a version or an alias of the model is another one. */
export function modelStamp ({ versions, aliases }: ListedModel): string {
  return digest([...[...versions].map(([version, files]) => [version, contentKey(files)]), ['', aliases?.etag ?? '']])
}

function digest (rows: readonly (readonly unknown[])[]): string {
  const sorted = rows.map(row => JSON.stringify(row)).sort()
  return createHash('sha256').update(sorted.join('\n')).digest('hex').slice(0, 32)
}
