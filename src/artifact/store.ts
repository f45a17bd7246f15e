/** Where models come from. A folder today; whoever adds another place implements these two interfaces. */
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
