import { FatalError } from '../errors.ts'
import { ArtifactError } from './artifact-error.ts'
import type { Bucket } from './bucket.ts'
import { defaultModelIn, versionFiles } from './folder-store.ts'
import { fetchVersion } from './s3-fetch.ts'
import { S3Error } from './s3-error.ts'
import { type ListedFiles, type ListedModel, type Stamp, contentKey, entryOf, modelStamp, readListing } from './s3-listing.ts'
import { openBucket } from './s3.ts'
import { parseS3Uri } from './s3-uri.ts'
import { HealthBook, type OnHealth } from './store-health.ts'
import type { ModelEntry, ModelStore, Repository, VersionFiles } from './store.ts'
import { type Kept, VersionCache } from './version-cache.ts'

export interface S3StoreOptions {
  /** Where copies are kept; unset: below the system's folder for temporary files. */
  readonly cacheFolder?: string | undefined
  /** Told when S3 cannot be read and a copy is served in its place, and when it can be read again. */
  readonly onHealth?: OnHealth
  /** At the start, serves what was served last where S3 cannot be read. A command must not take that for what is there. */
  readonly servesCopies?: boolean
}

interface KnownModel {
  readonly entry: ModelEntry
  /** undefined: S3 could not be read, and the copies are all there is. */
  readonly files: ReadonlyMap<string, ListedFiles> | undefined
  readonly aliases: { readonly etag: string, readonly text: string } | undefined
}

interface OpenedVersion { readonly files: readonly string[], readonly folder: string }

/** Others change a model while it is read: again, from the start. */
const maxReadings = 4

/** The model repository below a place in S3, laid out as in a folder. What is served is read from copies on the local disk. */
export function s3Store (uri: string, options: S3StoreOptions = {}): ModelStore & { readonly close: () => void } {
  const store = new S3Store(uri, options)
  return {
    list: () => store.list(),
    model: name => store.model(name),
    version: (name, version) => store.version(name, version),
    aliases: async name => store.aliases(name),
    stamps: () => store.stamps(),
    loaded: isServed => store.loaded(isServed),
    health: () => store.health.state(),
    close: () => { store.close() },
  }
}

class S3Store {
  readonly health: HealthBook
  readonly #uri: string
  readonly #options: S3StoreOptions
  readonly #cache: VersionCache
  readonly #models = new Map<string, KnownModel>()
  #bucket: Promise<Bucket> | undefined
  #repository: string | undefined
  /** At the start a copy is better than nothing; later what is loaded goes on answering by itself. */
  #isStarting = true

  constructor (uri: string, options: S3StoreOptions) {
    parseS3Uri(uri)
    this.#uri = uri
    this.#options = options
    this.health = new HealthBook(options.onHealth)
    this.#cache = new VersionCache(options.cacheFolder, uri)
  }

  close (): void {
    this.#bucket?.then(bucket => { bucket.close() }, () => {})
  }

  async list (): Promise<Repository> {
    await this.#cache.open()
    try {
      const { models, ignored } = await this.#again(() => this.#readAll())
      this.#models.clear()
      for (const model of models) this.#models.set(model.entry.name, model)
      this.health.readable()
      return { models: models.map(({ entry }) => entry), ignored, defaultModel: this.#defaultModel() }
    } catch (error) {
      return await this.#keptRepository(error)
    }
  }

  async model (name: string): Promise<ModelEntry | undefined> {
    const known = await this.#told(() => this.#again(async () => {
      const { models } = await readListing((await this.#open()).list(`${name}/`))
      const listed = models.get(name)
      return listed && await this.#know(listed)
    }))
    this.health.fresh(name)
    if (known === undefined) this.#models.delete(name)
    else this.#models.set(name, known)
    return known?.entry
  }

  aliases (name: string): Uint8Array | undefined {
    const text = this.#models.get(name)?.aliases?.text
    return text === undefined ? undefined : Buffer.from(text)
  }

  version (name: string, version: string): VersionFiles {
    let opened: Promise<OpenedVersion> | undefined
    const open = async () => await (opened ??= this.#openVersion(name, version))
    return {
      name,
      version,
      list: async () => (await open()).files,
      read: async file => await versionFiles({ name, version, root: this.#cache.root, folder: (await open()).folder }).read(file),
    }
  }

  async stamps (): Promise<ReadonlyMap<string, string>> {
    const { models } = await this.#told(async () => await readListing((await this.#open()).list('')))
    return new Map([...models].map(([name, model]) => [name, modelStamp(model)]))
  }

  async loaded (isServed: (name: string, version: string) => boolean): Promise<void> {
    const before = await this.#cache.kept()
    const models: Kept['models'] = {}
    const others = new Map<string, string>()
    for (const [name, { entry, files, aliases }] of this.#models) {
      const kept = before !== undefined && Object.hasOwn(before.models, name) ? before.models[name]?.versions ?? {} : {}
      const versions = entry.versions.flatMap((version): [string, string][] => {
        const listed = files?.get(version)
        const old = Object.hasOwn(kept, version) ? kept[version] : undefined
        const present = listed && contentKey(listed)
        if (present !== undefined) others.set(`${name}/${version}`, present)
        const key = present !== undefined && isServed(name, version) ? present : old
        return key === undefined ? [] : [[version, key]]
      })
      models[name] = { aliases: aliases?.text ?? null, versions: Object.fromEntries(versions) }
    }
    this.#isStarting = false
    if (this.health.state().status !== 'ok') return
    await this.#cache.keep({ savedAt: new Date().toISOString(), repository: this.#repository ?? null, models }, others).catch((error: unknown) => {
      this.#options.onHealth?.(this.health.state(), `what is served now cannot be kept for a start without S3: ${(error as Error).message}`)
    })
  }

  async #open (): Promise<Bucket> {
    return await (this.#bucket ??= openBucket(this.#uri))
  }

  async #readAll (): Promise<{ models: KnownModel[], ignored: readonly string[] }> {
    const bucket = await this.#open()
    const { models, repository, ignored } = await readListing(bucket.list(''))
    this.#repository = repository && (await bucket.getText('repository.json', { ifMatch: repository.etag }))?.text
    return { models: await Promise.all([...models.values()].map(listed => this.#know(listed))), ignored }
  }

  async #know (listed: ListedModel): Promise<KnownModel> {
    const { name, versions, aliases } = listed
    const before = this.#models.get(name)?.aliases
    if (aliases === undefined) return { entry: entryOf(listed), files: versions, aliases: undefined }
    if (before?.etag === aliases.etag) return { entry: entryOf(listed), files: versions, aliases: before }
    const read = await (await this.#open()).getText(`${name}/aliases.json`, { ifMatch: aliases.etag })
    return { entry: entryOf(listed), files: versions, aliases: read && { etag: read.etag, text: read.text } }
  }

  #defaultModel (): string | undefined {
    return this.#repository === undefined ? undefined : defaultModelIn(Buffer.from(this.#repository), this.#uri)
  }

  /** @throws ArtifactError */
  async #openVersion (name: string, version: string): Promise<OpenedVersion> {
    const isListed = this.#models.get(name)?.files?.has(version) === true
    try {
      if (!isListed) throw new ArtifactError('MISSING_FILE', 'S3 has no such version')
      return await this.#again(() => this.#copyOf(name, version))
    } catch (error) {
      const kept = await this.#keptVersion(name, version)
      if (kept === undefined) throw error instanceof FatalError ? new ArtifactError('UNREADABLE', error.message, { cause: error }) : error
      if (isListed) this.health.copy(name, error, `${name} ${version} cannot be read as it is in S3; a copy of its last good files is served`)
      return kept
    }
  }

  /** The copy of a version's files as they are listed; where they have changed since, they are listed again. */
  async #copyOf (name: string, version: string): Promise<OpenedVersion> {
    const model = this.#models.get(name) as KnownModel
    const listed = model.files?.get(version) ?? new Map<string, Stamp>()
    const key = contentKey(listed)
    const bucket = await this.#open()
    try {
      const found = await this.#cache.find(name, version, key) ?? await this.#cache.add(name, version, key, folder => fetchVersion(bucket, { name, version, files: listed, folder }))
      return { files: [...new Set([...listed.keys(), ...found])], folder: this.#cache.folderOf(name, version, key) }
    } catch (error) {
      if (error instanceof S3Error && error.code === 'CHANGED') {
        const { models } = await readListing(bucket.list(`${name}/${version}/`))
        const now = models.get(name)?.versions.get(version)
        if (now === undefined) throw new ArtifactError('MISSING_FILE', 'the version has gone from S3 while it was read', { cause: error })
        this.#models.set(name, { ...model, files: new Map(model.files).set(version, now) })
      }
      throw error
    }
  }

  async #keptVersion (name: string, version: string): Promise<OpenedVersion | undefined> {
    if (!this.#isStarting || this.#options.servesCopies !== true) return undefined
    const kept = await this.#cache.kept()
    const versions = kept !== undefined && Object.hasOwn(kept.models, name) ? kept.models[name]?.versions ?? {} : {}
    const key = Object.hasOwn(versions, version) ? versions[version] : undefined
    const files = key === undefined ? undefined : await this.#cache.find(name, version, key)
    return files && { files, folder: this.#cache.folderOf(name, version, key as string) }
  }

  /** @throws FatalError where nothing is kept */
  async #keptRepository (error: unknown): Promise<Repository> {
    const kept = this.#isStarting && this.#options.servesCopies === true && error instanceof S3Error ? await this.#cache.kept() : undefined
    if (kept === undefined) throw error
    this.#repository = kept.repository ?? undefined
    this.#models.clear()
    for (const [name, { versions, aliases }] of Object.entries(kept.models)) {
      const listed = { name, versions: new Map(Object.keys(versions).map(version => [version, new Map()])), aliases: undefined }
      this.#models.set(name, { entry: entryOf(listed), files: undefined, aliases: aliases === null ? undefined : { etag: '', text: aliases } })
    }
    this.health.unreadable(error, `S3 cannot be read; what was served last, on ${kept.savedAt}, is served from local copies`)
    for (const name of this.#models.keys()) this.health.copy(name, error)
    return { models: [...this.#models.values()].map(({ entry }) => entry), ignored: [], defaultModel: this.#defaultModel() }
  }

  async #again<T> (read: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await read()
      } catch (error) {
        if (!(error instanceof S3Error) || error.code !== 'CHANGED' || count === maxReadings) throw error
      }
    }
  }

  /** Reads S3 while the server runs. */
  async #told<T> (read: () => Promise<T>): Promise<T> {
    try {
      const result = await read()
      this.health.readable()
      return result
    } catch (error) {
      if (error instanceof S3Error) this.health.unreadable(error, 'S3 cannot be read; what is loaded goes on answering')
      throw error
    }
  }
}
