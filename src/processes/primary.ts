import cluster, { type Worker } from 'node:cluster'
import type { Config } from '../config.ts'
import type { Snapshot } from '../monitor/snapshot.ts'
import { Changes } from './changes.ts'
import { LeaseBank } from './lease-bank.ts'
import { MetricsRound } from './metrics-round.ts'
import type { Refusal, RepositoryChange } from '../peers.ts'
import type { RepositoryState, ToPrimary, ToServer } from './messages.ts'
import { replacementFlag } from './server-link.ts'

export interface PrimaryOptions {
  readonly config: Pick<Config, 'rateLimitMax' | 'shutdownGraceMs' | 'metricsEmf' | 'metricsEmfSeconds'>
  readonly processes: number
  /** Settings that all server processes get beside the environment. */
  readonly env: Readonly<Record<string, string>>
  readonly log: { info: (data: object, message: string) => void, error: (data: object, message: string) => void }
  readonly welcome: (text: string) => void
}

/** This many deaths within a minute are no accident. */
const crashLimit = 5
const crashWindowMs = 60_000
/** A process that is busy for longer is left out of a scrape. */
const snapshotWaitMs = 1000
/** The server processes end by themselves within the grace; this is for one that cannot. */
const killAfterGraceMs = 1000

interface Gathering { readonly snapshots: Snapshot[], waiting: number, readonly done: () => void }

/**
 * Runs the service in several processes on one port, and answers no request itself. A server process
 * that dies is replaced; one that cannot start, or too many deaths, end the service.
 *
 * @returns the exit code, and why it is not 0
 */
export async function superviseProcesses (options: PrimaryOptions): Promise<{ code: number, reason?: string }> {
  return await new Promise(resolve => { new Primary(options, resolve).start() })
}

class Primary {
  readonly #options: PrimaryOptions
  readonly #end: (result: { code: number, reason?: string }) => void
  readonly #bank: LeaseBank
  readonly #changes: Changes
  readonly #metrics: MetricsRound
  readonly #joined = new Set<number>()
  readonly #settled = new Set<number>()
  readonly #loaded = new Set<number>()
  readonly #gatherings = new Map<number, Gathering>()
  #crashesMs: number[] = []
  #lastGathering = 0
  #watcher: number | undefined
  #serviceReady = false
  #draining = false
  #failure: string | undefined

  constructor (options: PrimaryOptions, end: (result: { code: number, reason?: string }) => void) {
    this.#options = options
    this.#end = end
    this.#bank = new LeaseBank({ max: options.config.rateLimitMax, processes: options.processes })
    const processes = (): number[] => [...this.#joined]
    const sendTo = (id: number, message: ToServer): void => {
      const worker = cluster.workers?.[id]
      if (worker !== undefined) send(worker, message)
    }
    this.#changes = new Changes({ processes, send: sendTo, log: options.log })
    this.#metrics = new MetricsRound({ processes, send: sendTo, waitMs: snapshotWaitMs })
  }

  start (): void {
    // Each process accepts for itself: nothing goes through this one, and a connection that a dying
    // process has not accepted waits for another. Since libuv 1.45 they share well: one accept a turn.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({ serialization: 'advanced' })
    cluster.on('message', (worker, message: ToPrimary) => { this.#heard(worker, message) })
    cluster.on('exit', (worker, code, signal) => { this.#exited(worker, code, signal) })
    process.on('SIGTERM', () => { this.#drain('SIGTERM') })
    process.on('SIGINT', () => { this.#drain('SIGINT') })
    for (let i = 0; i < this.#options.processes; i++) this.#fork()
    const { metricsEmf, metricsEmfSeconds } = this.#options.config
    if (metricsEmf !== undefined) this.#metrics.start(metricsEmfSeconds * 1000)
  }

  /** A replacement loads its models before it listens, since others answer meanwhile. */
  #fork (): void {
    cluster.fork({ ...this.#options.env, ...(this.#serviceReady ? { [replacementFlag]: '1' } : {}) })
  }

  #heard (worker: Worker, message: ToPrimary): void {
    switch (message.kind) {
      case 'joined': this.#hasJoined(worker); break
      case 'settled': this.#hasSettled(worker, message.welcome); break
      case 'fatal': this.#fail(message.message); break
      case 'lease': send(worker, { kind: 'leased', id: message.id, lease: this.#bank.lease(message.caller, message.windowMs, message.wanted) }); break
      case 'give-back': this.#bank.giveBack(message.caller, message.unused); break
      case 'snapshots': this.#gather(worker, message.id); break
      case 'loaded': this.#hasLoaded(worker, message.state); break
      case 'change': this.#change(worker, message.id, message.change); break
      case 'prepared': this.#changes.prepared(worker.id, message.id, message.proposal); break
      case 'committed': this.#changes.committed(worker.id, message.id, message.committed); break
      case 'snapshot': this.#gathered(message.id, message.snapshot); break
      case 'taken': this.#metrics.taken(worker.id, message.id, message.snapshot); break
      default: message satisfies never
    }
  }

  /** A change that began before does not wait for it: what it makes of the repository is compared when it has loaded. */
  #hasJoined (worker: Worker): void {
    this.#joined.add(worker.id)
    send(worker, { kind: 'resume', state: this.#changes.state() })
  }

  #hasSettled (worker: Worker, welcome: string): void {
    this.#settled.add(worker.id)
    if (this.#serviceReady) {
      send(worker, { kind: 'service-ready' })
    } else if (this.#settled.size === this.#options.processes) {
      this.#serviceReady = true
      for (const other of workers()) send(other, { kind: 'service-ready' })
      this.#options.log.info({ processes: this.#options.processes, start_ms: Math.round(performance.now()) }, 'service ready')
      this.#options.welcome(welcome)
    }
  }

  #hasLoaded (worker: Worker, state: RepositoryState): void {
    this.#changes.loaded(state)
    this.#loaded.add(worker.id)
    this.#chooseWatcher()
  }

  /** One process looks for changes in the repository. */
  #chooseWatcher (): void {
    if (this.#watcher !== undefined && this.#loaded.has(this.#watcher)) return
    const [next] = this.#loaded
    this.#watcher = next
    const worker = next === undefined ? undefined : cluster.workers?.[next]
    if (worker !== undefined) send(worker, { kind: 'watch' })
  }

  #change (asker: Worker, id: number, change: RepositoryChange): void {
    const answer = (refusal: Refusal | undefined): void => { send(asker, { kind: 'changed', id, refusal }) }
    this.#changes.change(change).then(answer, (error: unknown) => {
      this.#options.log.error({ err: error, ...change }, 'a change failed')
      answer({ code: 'INTERNAL', message: 'The server failed; its log has the reason.' })
    })
  }

  /** Asks everybody, and answers with whatever came in time. */
  #gather (asker: Worker, id: number): void {
    const key = ++this.#lastGathering
    const snapshots: Snapshot[] = []
    const timer = setTimeout(() => { finish() }, snapshotWaitMs)
    const finish = (): void => {
      clearTimeout(timer)
      this.#gatherings.delete(key)
      send(asker, { kind: 'snapshots', id, snapshots })
    }
    this.#gatherings.set(key, { snapshots, waiting: workers().length, done: finish })
    for (const worker of workers()) send(worker, { kind: 'give-snapshot', id: key })
  }

  #gathered (key: number, snapshot: Snapshot | undefined): void {
    const gathering = this.#gatherings.get(key)
    if (gathering === undefined) return
    if (snapshot !== undefined) gathering.snapshots.push(snapshot)
    if (--gathering.waiting === 0) gathering.done()
  }

  #exited (worker: Worker, code: number | null, signal: string | null): void {
    this.#settled.delete(worker.id)
    this.#joined.delete(worker.id)
    this.#loaded.delete(worker.id)
    this.#chooseWatcher()
    this.#changes.gone(worker.id)
    this.#metrics.gone(worker.id)
    if (this.#draining) {
      if (code !== 0) this.#failure ??= `a server process ended with ${signal ?? code}`
      if (workers().length === 0) this.#end(this.#failure === undefined ? { code: 0 } : { code: 1, reason: this.#failure })
      return
    }
    this.#options.log.error({ pid: worker.process.pid, code, signal }, 'a server process died; another one takes its place')
    const nowMs = performance.now()
    this.#crashesMs = [...this.#crashesMs.filter(ms => nowMs - ms < crashWindowMs), nowMs]
    if (this.#crashesMs.length > crashLimit) {
      this.#fail(`${this.#crashesMs.length} server processes died within ${crashWindowMs / 1000} seconds; the log says how each did`)
    } else {
      this.#fork()
    }
  }

  #fail (reason: string): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    this.#drain('failure')
  }

  /** The second signal does not wait. */
  #drain (signal: string): void {
    if (this.#draining && signal !== 'failure') process.exit(1)
    this.#draining = true
    this.#metrics.stop()
    this.#options.log.info({ signal }, 'draining')
    for (const worker of workers()) send(worker, { kind: 'drain' })
    setTimeout(() => {
      for (const worker of workers()) worker.process.kill('SIGKILL')
    }, this.#options.config.shutdownGraceMs + killAfterGraceMs).unref()
    if (workers().length === 0) this.#end({ code: 1, reason: this.#failure ?? 'no server process is left' })
  }
}

function workers (): Worker[] {
  return Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)
}

function send (worker: Worker, message: ToServer): void {
  if (worker.isConnected()) worker.send(message, () => {})
}
