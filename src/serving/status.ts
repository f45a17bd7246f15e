import type { Aliases } from '../artifact/aliases.ts'
import type { Model } from './model.ts'

/** Why files are not served: an ArtifactError's reason or INTERNAL, and the same in words. */
export interface Failure { readonly reason: string, readonly message: string }

/** A version that answers. */
export interface ReadyVersion {
  readonly state: 'ready'
  readonly model: Model
  /** Runs of the graph before the first caller's: its golden rows. */
  readonly proofRuns: number
  /** What is wrong with the files that stand in its place now; it answers from those that it was loaded from. */
  readonly refused?: Failure | undefined
}

/** A version's way: it waits, it loads, and then it serves or it does not; an operator may take it out again. */
export type VersionState =
  | { readonly state: 'pending' | 'loading' | 'unloading' | 'unloaded' }
  | ReadyVersion
  | ({ readonly state: 'failed' } & Failure)

export interface ModelStatus {
  readonly name: string
  /** `/predict` means this one. */
  readonly isDefault: boolean
  readonly aliases: Aliases
  /** The version that answers for the name, once that is known. */
  readonly serving: string | undefined
  /** What is wrong with the model as a whole: an alias that leads nowhere. What answered before goes on answering. */
  readonly fault: Failure | undefined
  /** An operator unloaded it, and nobody has loaded it since. */
  readonly unloaded: boolean
  /** Oldest first. */
  readonly versions: ReadonlyMap<string, VersionState>
}

/** What a caller asked for: a model by name or the default one; a version, what an alias names, or the one that answers. */
export interface ModelRef {
  readonly name?: string | undefined
  readonly version?: string | undefined
  /** An entry of aliases.json; `version` goes before it. */
  readonly alias?: string | undefined
}

/** What the registry tells of as it happens; it does not know who listens. */
export interface RegistryEvents {
  /** A version answers from here on, from new files. */
  readonly loaded: (model: Model, status: ModelStatus) => void
  /** A version answers as before, perhaps under other aliases. */
  readonly kept?: (model: Model, status: ModelStatus) => void
  /** A version is out of service: it was unloaded, or is no longer in the repository. */
  readonly unloaded?: (status: ModelStatus, version: string) => void
  /** @param version undefined when the model as a whole is at fault */
  readonly failed: (status: ModelStatus, version: string | undefined, error: Error) => void
  /** @param paths folders of the repository that are no model and no version */
  readonly ignored: (paths: readonly string[]) => void
  /** The repository as a whole cannot be read now. */
  readonly unreadable?: (error: Error) => void
}
