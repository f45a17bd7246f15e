import type { Snapshot } from '../monitor/snapshot.ts'
import type { Lease, Peers } from '../peers.ts'
import type { ToPrimary, ToServer } from './messages.ts'

export interface ServerLink {
  readonly peers: Peers
  readonly tell: (message: ToPrimary) => void
}

interface LinkOptions {
  /** What this process has counted; undefined before it counts. */
  readonly snapshot: () => Promise<Snapshot | undefined>
  readonly onDrain: () => void
}

/** A server process's end of the channel to the primary. */
export function linkToPrimary ({ snapshot, onDrain }: LinkOptions): ServerLink {
  let lastId = 0
  let serviceReady = false
  const leases = new Map<number, (lease: Lease) => void>()
  const gatherings = new Map<number, (snapshots: Snapshot[]) => void>()

  process.on('message', (message: ToServer) => {
    switch (message.kind) {
      case 'service-ready': serviceReady = true; break
      case 'drain': onDrain(); break
      case 'leased': settle(leases, message.id, message.lease); break
      case 'give-snapshot': giveSnapshot(message.id); break
      case 'snapshots': settle(gatherings, message.id, [...message.snapshots]); break
      default: message satisfies never
    }
  })
  const giveSnapshot = (id: number): void => {
    snapshot().then(own => { tell({ kind: 'snapshot', id, snapshot: own }) }, () => {})
  }
  // Without its primary nobody would ever stop this process.
  process.on('disconnect', onDrain)

  const ask = async <T>(waiting: Map<number, (answer: T) => void>, message: (id: number) => ToPrimary): Promise<T> => {
    const id = ++lastId
    return await new Promise(resolve => {
      waiting.set(id, resolve)
      tell(message(id))
    })
  }
  return {
    tell,
    peers: {
      ready: () => serviceReady,
      lease: (caller, windowMs, wanted) => ask(leases, id => ({ kind: 'lease', id, caller, windowMs, wanted })),
      giveBack: (caller, unused) => { tell({ kind: 'give-back', caller, unused }) },
      snapshots: () => ask(gatherings, id => ({ kind: 'snapshots', id })),
    },
  }
}

function settle<T> (waiting: Map<number, (answer: T) => void>, id: number, answer: T): void {
  waiting.get(id)?.(answer)
  waiting.delete(id)
}

/** Sends a last message, and waits until it is on its way. */
export async function tellPrimary (message: ToPrimary): Promise<void> {
  await new Promise<void>(resolve => {
    if (process.connected) process.send?.(message, undefined, undefined, () => { resolve() })
    else resolve()
  })
}

/** Set in the environment of a process that takes a dead one's place. */
export const replacementFlag = 'MODELPORT_REPLACEMENT'

function tell (message: ToPrimary): void {
  // The channel may close at any moment; `disconnect` says so.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}
