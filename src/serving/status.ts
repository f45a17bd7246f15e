import type { Aliases } from '../artifact/aliases.ts'
import type { Reason } from '../artifact/artifact-error.ts'
import type { Model } from './model.ts'

/** A version's way: it waits, it loads, and then it serves or it does not. */
export type VersionState =
  | { readonly state: 'pending' | 'loading' }
  | { readonly state: 'ready', readonly model: Model }
  | { readonly state: 'failed', readonly reason: Reason | 'INTERNAL', readonly message: string }

export interface ModelStatus {
  readonly name: string
  /** `/predict` means this one. */
  readonly isDefault: boolean
  readonly aliases: Aliases
  /** The version that answers for the name, once that is known. */
  readonly serving: string | undefined
  /** What is wrong with the model as a whole: an alias that leads nowhere. */
  readonly fault: { readonly reason: Reason, readonly message: string } | undefined
  /** Oldest first. */
  readonly versions: ReadonlyMap<string, VersionState>
}

/** What a caller asked for: a model by name or the default one, a version or the one that answers. */
export interface ModelRef { readonly name?: string | undefined, readonly version?: string | undefined }

/** What the registry tells of as it happens; it does not know who listens. */
export interface RegistryEvents {
  readonly loaded: (model: Model, status: ModelStatus) => void
  /** @param version undefined when the model as a whole is at fault */
  readonly failed: (status: ModelStatus, version: string | undefined, error: Error) => void
  /** @param paths folders of the repository that are no model and no version */
  readonly ignored: (paths: readonly string[]) => void
}
