import type { Snapshot } from '../monitor/snapshot.ts'
import type { Lease, Refusal, RepositoryChange } from '../peers.ts'

/** Why a process cannot serve a version's files. */
export interface Failure { readonly reason: string, readonly message: string }

/** What a process found in the repository and could switch to: by version the digest of the files, or why not. */
export interface Proposal { readonly aliases: string, readonly versions: ReadonlyMap<string, string | Failure> }

type Aliases = Readonly<Record<string, string | { version: string, weight?: number }>>

/** What a process serves of one model. The primary only compares it and hands it on. */
export type ModelState = 'unloaded' | { readonly aliases: Aliases, readonly versions: Readonly<Record<string, string | null>> }

export interface RepositoryState { readonly defaultModel: string | undefined, readonly models: ReadonlyMap<string, ModelState> }

/** What came of one change in one process. */
export interface Committed {
  readonly refusal: Refusal | undefined
  readonly state: ModelState
  readonly defaultModel: string | undefined
}

/** From a server process to the primary. */
export type ToPrimary =
  /** It listens to messages from here on, and asks for what the others serve. Earlier ones are lost. */
  | { readonly kind: 'joined' }
  /** It is known of every model which version answers; `welcome` is for whoever looks on. */
  | { readonly kind: 'settled', readonly welcome: string }
  /** Everything has been loaded or refused. */
  | { readonly kind: 'loaded', readonly state: RepositoryState }
  /** It cannot start, and another could not either. */
  | { readonly kind: 'fatal', readonly message: string }
  | { readonly kind: 'lease', readonly id: number, readonly caller: string, readonly windowMs: number, readonly wanted: number }
  | { readonly kind: 'give-back', readonly caller: string, readonly unused: number }
  /** Asks for what all have counted. */
  | { readonly kind: 'snapshots', readonly id: number }
  | { readonly kind: 'snapshot', readonly id: number, readonly snapshot: Snapshot | undefined }
  /** What it has counted since the last time it was asked. */
  | { readonly kind: 'taken', readonly id: number, readonly snapshot: Snapshot | undefined }
  /** Asks for a change in all. */
  | { readonly kind: 'change', readonly id: number, readonly change: RepositoryChange }
  | { readonly kind: 'prepared', readonly id: number, readonly proposal: Proposal | Refusal }
  | { readonly kind: 'committed', readonly id: number, readonly committed: Committed }

/** From the primary to a server process. */
export type ToServer =
  /** The answer to `joined`: what the others serve, if there are any. */
  | { readonly kind: 'resume', readonly state: RepositoryState | undefined }
  | { readonly kind: 'service-ready' }
  | { readonly kind: 'drain' }
  /** It looks for changes in the repository, for all: one is enough. */
  | { readonly kind: 'watch' }
  | { readonly kind: 'leased', readonly id: number, readonly lease: Lease }
  | { readonly kind: 'give-snapshot', readonly id: number }
  | { readonly kind: 'snapshots', readonly id: number, readonly snapshots: readonly Snapshot[] }
  | { readonly kind: 'take', readonly id: number }
  /** Tells the outside what all have counted; one of the processes is asked to. */
  | { readonly kind: 'write', readonly taken: readonly Snapshot[] }
  /** Reads the repository, and waits for one of the two that follow. */
  | { readonly kind: 'prepare', readonly id: number, readonly change: RepositoryChange }
  | { readonly kind: 'commit', readonly id: number, readonly refused: ReadonlyMap<string, Failure> }
  | { readonly kind: 'abort', readonly id: number }
  | { readonly kind: 'changed', readonly id: number, readonly refusal: Refusal | undefined }
