import type { ErrorCode } from './errors.ts'
import type { Snapshot } from './monitor/snapshot.ts'

/** Leave to answer some requests of one caller, out of the limit that all processes share. */
export interface Lease {
  /** How many; 0 when the limit is used up. */
  readonly granted: number
  /** Requests of the caller in this window that have been given away, these included. */
  readonly current: number
  /** What is left of the window, in milliseconds. */
  readonly ttlMs: number
}

/** A model to be read again, or taken out of service, in every process. */
export interface RepositoryChange { readonly kind: 'load' | 'unload', readonly model: string }

/** An ApiError on its way to another process. */
export interface Refusal { readonly code: ErrorCode, readonly message: string, readonly headers?: Readonly<Record<string, string>> }

/** The other processes of the service, as one of them sees them. A process that is alone has none. */
export interface Peers {
  /** True once every process has been ready; a later replacement does not change it. */
  readonly ready: () => boolean
  /** @param wanted requests that wait for an answer now; the lease may be for more or for fewer */
  readonly lease: (caller: string, windowMs: number, wanted: number) => Promise<Lease>
  /** Gives back what a lease allowed and nobody asked for. */
  readonly giveBack: (caller: string, unused: number) => void
  /** What every process has counted, this one among them; one that does not answer in time is left out. */
  readonly snapshots: () => Promise<Snapshot[]>
  /**
   * Makes the change in every process, this one among them, or in none.
   *
   * @throws ApiError that says what of it could not be done
   */
  readonly change: (change: RepositoryChange) => Promise<void>
}
