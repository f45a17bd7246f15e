import type { Snapshot } from '../monitor/snapshot.ts'
import type { ToServer } from './messages.ts'
import { Round } from './round.ts'

export interface MetricsRoundOptions {
  /** The server processes there are now. */
  readonly processes: () => readonly number[]
  readonly send: (process: number, message: ToServer) => void
  readonly waitMs: number
}

/**
 * Asks every server process from time to time what it has counted since, and has one of them tell the outside.
 * Each count is told once: what comes too late for one round is in the next. What they count while they drain they
 * tell themselves.
 */
export class MetricsRound {
  readonly #options: MetricsRoundOptions
  #round: { readonly id: number, readonly answers: Round<Snapshot | undefined> } | undefined
  #late: Snapshot[] = []
  #lastId = 0
  #timer: NodeJS.Timeout | undefined

  constructor (options: MetricsRoundOptions) {
    this.#options = options
  }

  start (everyMs: number): void {
    this.#timer = setInterval(() => { this.tell().catch(() => {}) }, everyMs)
    this.#timer.unref()
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  /** One round, if none is under way. */
  async tell (): Promise<void> {
    if (this.#round !== undefined) return
    const { processes, send, waitMs } = this.#options
    const asked = processes()
    const id = ++this.#lastId
    const answers = new Round<Snapshot | undefined>(asked, waitMs)
    this.#round = { id, answers }
    for (const process of asked) send(process, { kind: 'take', id })
    await answers.ended
    this.#round = undefined
    const taken = [...this.#late, ...answers.answers.values()].filter(snapshot => snapshot !== undefined)
    const [teller] = processes()
    if (teller === undefined || taken.length === 0) return
    this.#late = []
    send(teller, { kind: 'write', taken })
  }

  taken (process: number, id: number, snapshot: Snapshot | undefined): void {
    if (this.#round?.id === id) this.#round.answers.answer(process, snapshot)
    // Of what is true at one moment only, the next answer says it again.
    else if (snapshot !== undefined) this.#late.push({ ...snapshot, queued: [], runtime: [] })
  }

  gone (process: number): void {
    this.#round?.answers.gone(process)
  }
}
