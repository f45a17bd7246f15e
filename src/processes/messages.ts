import type { Snapshot } from '../monitor/snapshot.ts'
import type { Lease } from '../peers.ts'

/** From a server process to the primary. */
export type ToPrimary =
  /** It is known of every model which version answers; `welcome` is for whoever looks on. */
  | { readonly kind: 'settled', readonly welcome: string }
  /** It cannot start, and another could not either. */
  | { readonly kind: 'fatal', readonly message: string }
  | { readonly kind: 'lease', readonly id: number, readonly caller: string, readonly windowMs: number, readonly wanted: number }
  | { readonly kind: 'give-back', readonly caller: string, readonly unused: number }
  /** Asks for what all have counted. */
  | { readonly kind: 'snapshots', readonly id: number }
  | { readonly kind: 'snapshot', readonly id: number, readonly snapshot: Snapshot | undefined }

/** From the primary to a server process. */
export type ToServer =
  | { readonly kind: 'service-ready' }
  | { readonly kind: 'drain' }
  | { readonly kind: 'leased', readonly id: number, readonly lease: Lease }
  | { readonly kind: 'give-snapshot', readonly id: number }
  | { readonly kind: 'snapshots', readonly id: number, readonly snapshots: readonly Snapshot[] }
