import { ApiError } from '../errors.ts'
import { concat, followsRows, isAlike, isWhole, sliceRows, type Batch } from './batch.ts'
import { type Answer, RunError, type Tensors } from './graph.ts'

/** Whoever waits for a run. It is asked, never listened to: an AbortSignal is one, and so is what looks at a socket. */
export interface Caller {
  readonly aborted: boolean
  /** What the run is rejected with once the caller has left. */
  readonly reason: unknown
}

export interface RunOptions {
  /** Drops the batch while it still waits; a run already started finishes. */
  readonly signal?: Caller | undefined
  readonly timeoutMs?: number
}

export interface RunResult {
  readonly outputs: Tensors
  readonly queueMs: number
  readonly runMs: number
}

export type Run = (inputs: Tensors) => Promise<Answer>

/**
 * Where runs happen: calls `start` once, in a later turn of the event loop, as soon as there is room
 * for one more. The room is taken until the promise that `start` returns settles; `spare` runs more
 * could begin at once.
 */
export type Lane = (start: (run: Run, spare: number) => Promise<void>) => void

interface Entry {
  readonly batch: Batch
  /** The batch's share of `maxBatchWeight`. */
  readonly weight: number
  readonly signal: Caller | undefined
  readonly since: number
  readonly deadline: number
  settled: boolean
  readonly resolve: (result: RunResult) => void
  readonly reject: (error: unknown) => void
}

type Entries = [Entry, ...Entry[]]

/** The longest that a timer of the runtime can wait. */
const maxTimerMs = 2 ** 31 - 1

/** Lets batches that wait at the same time share one run, in the order in which they came. */
export class Batcher {
  readonly #lane: Lane
  readonly #maxBatchWeight: number
  #waiting: Entry[] = []
  #waitingRows = 0
  #scheduled = false
  #starts = 0
  #runs = 0
  /**
   * What shares each run under way. A list, for there are as few as threads: a Set of all entries keeps
   * the tables that it outgrew alive, and with them every request that was ever in it, until a major GC.
   */
  readonly #running: Entries[] = []
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  readonly #onIdle: (() => void)[] = []

  /** @param maxBatchWeight  most that batches in one run weigh together; 0: every batch runs alone */
  constructor (lane: Lane, maxBatchWeight: number) {
    this.#lane = lane
    this.#maxBatchWeight = maxBatchWeight
  }

  get waitingRows (): number {
    return this.#waitingRows
  }

  /** Runs begun so far. */
  get runs (): number {
    return this.#runs
  }

  /** @throws INFERENCE_TIMEOUT, the signal's reason, RunError, or what the lane throws */
  run (batch: Batch, weight: number, { signal, timeoutMs = Infinity }: RunOptions): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const since = performance.now()
      const entry = { batch, weight, signal, since, deadline: since + timeoutMs, settled: false, resolve, reject }
      this.#waiting.push(entry)
      this.#waitingRows += batch.rows
      if (entry.deadline < this.#timerAt) this.#watch(entry.deadline)
      this.#schedule()
    })
  }

  /** Drops what waits for callers that have left or have waited too long. */
  sweep (): void {
    const now = performance.now()
    this.#waiting = this.#waiting.filter(entry => {
      if (entry.signal?.aborted === true && this.#settle(entry)) entry.reject(entry.signal.reason)
      if (entry.deadline <= now) this.#expire(entry)
      if (entry.settled) this.#waitingRows -= entry.batch.rows
      return !entry.settled
    })
  }

  /** Resolves when nothing waits and nothing runs. */
  idle (): Promise<void> {
    return new Promise(resolve => {
      this.#onIdle.push(resolve)
      this.#announceIdle()
    })
  }

  #schedule (): void {
    if (this.#scheduled || this.#waiting.length === 0) return
    this.#scheduled = true
    this.#lane((run, spare) => this.#start(run, spare))
  }

  async #start (run: Run, spare: number): Promise<void> {
    this.#scheduled = false
    this.#starts++
    const entries = this.#take(1 + spare)
    this.#schedule()
    if (entries !== undefined) {
      this.#running.push(entries)
      await this.#runTogether(entries, run)
      this.#running.splice(this.#running.indexOf(entries), 1)
    }
    this.#starts--
    this.#announceIdle()
  }

  /** The first that still waits, and those right after it that may run with it: a fair part where several runs can begin. */
  #take (parts: number): Entries | undefined {
    this.sweep()
    const [first] = this.#waiting
    if (first === undefined) return undefined
    const maxWeight = Math.min(this.#maxBatchWeight, this.#waiting.reduce((sum, { weight }) => sum + weight, 0) / parts)
    let count = 1
    if (this.#maxBatchWeight > 0 && isWhole(first.batch)) {
      for (let { weight } = first; count < this.#waiting.length; count++) {
        const next = this.#waiting[count] as Entry
        weight += next.weight
        if (weight > maxWeight || !isAlike(first.batch, next.batch) || !isWhole(next.batch)) break
      }
    }
    const taken = this.#waiting.splice(0, count)
    for (const entry of taken) this.#waitingRows -= entry.batch.rows
    return taken as Entries
  }

  async #runTogether (entries: Entries, run: Run): Promise<void> {
    const started = performance.now()
    try {
      const { inputs, rows } = concat(entries.map(entry => entry.batch) as [Batch, ...Batch[]])
      this.#runs++
      const { outputs, runMs } = await run(inputs)
      if (entries.length > 1 && !followsRows(outputs, rows)) throw new RunError('the outputs do not follow the rows')
      this.#answer(entries, outputs, started, runMs)
    } catch (error) {
      // One caller's values can fail a run that others share: each alone then meets its own fault only.
      if (error instanceof RunError && entries.length > 1) {
        for (const entry of entries) if (!entry.settled) await this.#runTogether([entry], run)
        return
      }
      for (const entry of entries) if (this.#settle(entry)) entry.reject(error)
    }
  }

  #answer (entries: Entries, outputs: Tensors, started: number, runMs: number): void {
    const now = performance.now()
    let row = 0
    for (const entry of entries) {
      const from = row
      row += entry.batch.rows
      // A run on this thread also holds up the timer that would have ended the wait.
      if (entry.deadline <= now) this.#expire(entry)
      if (!this.#settle(entry)) continue
      const part = entries.length === 1 ? outputs : sliceRows(outputs, from, row)
      entry.resolve({ outputs: part, queueMs: started - entry.since, runMs })
    }
  }

  /** True for the first who asks: the one that may tell the caller. */
  #settle (entry: Entry): boolean {
    if (entry.settled) return false
    entry.settled = true
    return true
  }

  #expire (entry: Entry): void {
    if (!this.#settle(entry)) return
    entry.reject(new ApiError('INFERENCE_TIMEOUT',
      `No answer within ${Math.round(entry.deadline - entry.since)} ms; send fewer rows at once, or try again later.`))
  }

  /** One timer for all, set to the earliest deadline that it was told of: with equal timeouts it rarely moves. */
  #watch (deadline: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = deadline
    if (deadline === Infinity) return
    this.#timer = setTimeout(() => {
      const now = performance.now()
      let next = Infinity
      for (const entry of [...this.#waiting, ...this.#running.flat()]) {
        if (entry.deadline <= now) this.#expire(entry)
        else if (!entry.settled) next = Math.min(next, entry.deadline)
      }
      this.#watch(next)
    }, Math.min(Math.ceil(deadline - performance.now()), maxTimerMs)).unref()
  }

  #announceIdle (): void {
    if (this.#starts > 0 || this.#scheduled) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}
