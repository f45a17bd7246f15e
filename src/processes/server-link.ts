import { ApiError } from '../errors.ts'
import type { Snapshot } from '../monitor/snapshot.ts'
import type { Lease, Peers, Refusal, RepositoryChange } from '../peers.ts'
import { type PreparedChange, ChangeDesk } from './change-desk.ts'
import type { RepositoryState, ToPrimary, ToServer } from './messages.ts'

export interface ServerLink {
  readonly peers: Peers
  /** What the other processes serve; undefined where this one starts together with them. */
  readonly resume: Promise<RepositoryState | undefined>
  readonly tell: (message: ToPrimary) => void
}

interface LinkOptions {
  /** What this process has counted; undefined before it counts. */
  readonly snapshot: () => Promise<Snapshot | undefined>
  /** What it has counted since the last time; undefined where nobody is to be told. */
  readonly taken: () => Promise<Snapshot | undefined>
  readonly write: (taken: readonly Snapshot[]) => void
  /** @throws ApiError when there is nothing that could be changed */
  readonly prepare: (change: RepositoryChange) => Promise<PreparedChange>
  readonly onDrain: () => void
  /** This process looks for changes in the repository, for all. */
  readonly onWatch: () => void
}

/** A server process's end of the channel to the primary. */
export function linkToPrimary ({ snapshot, taken, write, prepare, onDrain, onWatch }: LinkOptions): ServerLink {
  let lastId = 0
  let serviceReady = false
  const leases = new Map<number, (lease: Lease) => void>()
  const gatherings = new Map<number, (snapshots: Snapshot[]) => void>()
  const changes = new Map<number, (refusal: Refusal | undefined) => void>()
  const desk = new ChangeDesk(prepare, tell)
  let resumed: (state: RepositoryState | undefined) => void = () => {}
  const resume = new Promise<RepositoryState | undefined>(resolve => { resumed = resolve })

  process.on('message', (message: ToServer) => {
    switch (message.kind) {
      case 'resume': resumed(message.state); break
      case 'service-ready': serviceReady = true; break
      case 'drain': onDrain(); break
      case 'watch': onWatch(); break
      case 'leased': settle(leases, message.id, message.lease); break
      case 'give-snapshot': giveSnapshot(message.id); break
      case 'take': give(message.id); break
      case 'write': write(message.taken); break
      case 'snapshots': settle(gatherings, message.id, [...message.snapshots]); break
      case 'prepare': desk.prepare(message.id, message.change); break
      case 'commit': desk.commit(message.id, message.refused); break
      case 'abort': desk.abort(message.id); break
      case 'changed': settle(changes, message.id, message.refusal); break
      default: message satisfies never
    }
  })
  const giveSnapshot = (id: number): void => {
    snapshot().then(own => { tell({ kind: 'snapshot', id, snapshot: own }) }, () => {})
  }
  const give = (id: number): void => {
    taken().then(own => { tell({ kind: 'taken', id, snapshot: own }) }, () => {})
  }
  tell({ kind: 'joined' })
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
    resume,
    peers: {
      ready: () => serviceReady,
      lease: (caller, windowMs, wanted) => ask(leases, id => ({ kind: 'lease', id, caller, windowMs, wanted })),
      giveBack: (caller, unused) => { tell({ kind: 'give-back', caller, unused }) },
      snapshots: () => ask(gatherings, id => ({ kind: 'snapshots', id })),
      change: async change => {
        const refusal = await ask(changes, id => ({ kind: 'change', id, change }))
        if (refusal !== undefined) throw new ApiError(refusal.code, refusal.message, { headers: refusal.headers ?? {} })
      },
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
