/** Where models come from: a folder, or S3. Whoever adds another place implements these two interfaces. */
export interface ModelStore {
  /** @throws FatalError when the place itself cannot be read */
  list: () => Promise<Repository>
  /** One model as it stands there now; undefined where there is none that can be read. */
  model: (name: string) => Promise<ModelEntry | undefined>
  version: (name: string, version: string) => VersionFiles
  /**
   * The text of a model's aliases.json, undefined where there is none.
   * @throws ArtifactError BAD_ALIASES when it cannot be read
   */
  aliases: (name: string) => Promise<Uint8Array | undefined>
  /**
   * What stands there now, for those who look for changes: by model, another text as soon as one of its versions or aliases is another one.
   * Absent where nobody should look again and again.
   * @throws FatalError when the place cannot be read
   */
  readonly stamps?: () => Promise<ReadonlyMap<string, string>>
  /**
   * All that could be loaded is loaded: the store may remember it for a start without the place, and forget all else.
   * @param isServed whether a version answers from the files that stand there now
   */
  readonly loaded?: (isServed: (name: string, version: string) => boolean) => Promise<void>
  /** Whether what the store gives is what stands in the place; absent where it always is. */
  readonly health?: () => StoreHealth
}

/** A store whose place cannot be read gives what it has kept. */
export type StoreHealth =
  | { readonly status: 'ok' }
  | {
    readonly status: 'stale'
    /** Why, as a stable word. */
    readonly reason: string
    /** Since when, in ISO 8601. */
    readonly since: string
  }

export interface Repository {
  readonly models: readonly ModelEntry[]
  /** What repository.json names. */
  readonly defaultModel: string | undefined
  /** Folders that cannot be read, or whose name cannot be a model's or a version's, as paths below the repository. */
  readonly ignored: readonly string[]
}

export interface ModelEntry {
  readonly name: string
  /** Oldest first. */
  readonly versions: readonly string[]
}

/** The files of one version, nothing of them trusted yet. */
export interface VersionFiles {
  readonly name: string
  readonly version: string
  /** File names, without those that begin with a dot. */
  list: () => Promise<readonly string[]>
  /** @throws ArtifactError MISSING_FILE, UNREADABLE or OUTSIDE_FOLDER */
  read: (file: string) => Promise<Uint8Array>
}
