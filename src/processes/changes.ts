import type { Refusal, RepositoryChange } from '../peers.ts'
import { agree } from './agreement.ts'
import type { Committed, ModelState, Proposal, RepositoryState, ToServer } from './messages.ts'
import { Round } from './round.ts'

export interface ChangesOptions {
  /** The server processes there are now. */
  readonly processes: () => readonly number[]
  readonly send: (process: number, message: ToServer) => void
  readonly log: { readonly error: (data: object, message: string) => void }
  /** To read and prove a model: large ones take their time. A process that is only busy must not be left behind. */
  readonly prepareWaitMs?: number
  /** The switch itself is one assignment. */
  readonly commitWaitMs?: number
}

/**
 * Loads and unloads a model in every process or in none: each opens the new versions and says what came
 * of it; only then do all switch. What all serve is remembered for a process that comes later.
 */
export class Changes {
  readonly #options: Required<ChangesOptions>
  readonly #prepared = new Map<number, Round<Proposal | Refusal>>()
  readonly #committed = new Map<number, Round<Committed>>()
  readonly #models = new Map<string, ModelState>()
  #known = false
  #defaultModel: string | undefined
  #lastId = 0

  constructor (options: ChangesOptions) {
    this.#options = { prepareWaitMs: 300_000, commitWaitMs: 10_000, ...options }
  }

  /** What every process serves; undefined until the first has loaded. */
  state (): RepositoryState | undefined {
    return this.#known ? { defaultModel: this.#defaultModel, models: new Map(this.#models) } : undefined
  }

  /** @returns why not all of it was done */
  async change (change: RepositoryChange): Promise<Refusal | undefined> {
    const { processes, send, prepareWaitMs, commitWaitMs } = this.#options
    const id = ++this.#lastId
    const asked = processes()
    const round = new Round<Proposal | Refusal>(asked, prepareWaitMs)
    const { answers, waiting } = await this.#ask(this.#prepared, id, round, { kind: 'prepare', id, change })
    const agreement = waiting.size > 0 ? tooSlow(prepareWaitMs) : agree(change.model, [...answers.values()])
    if ('code' in agreement) {
      for (const process of asked) send(process, { kind: 'abort', id })
      return agreement
    }
    const switched = await this.#ask(this.#committed, id, new Round<Committed>(answers.keys(), commitWaitMs), { kind: 'commit', id, refused: agreement.refused })
    return this.#outcome(change, switched)
  }

  prepared (process: number, id: number, proposal: Proposal | Refusal): void {
    this.#prepared.get(id)?.answer(process, proposal)
  }

  committed (process: number, id: number, committed: Committed): void {
    this.#committed.get(id)?.answer(process, committed)
  }

  gone (process: number): void {
    for (const round of [...this.#prepared.values(), ...this.#committed.values()]) round.gone(process)
  }

  /** A process has started. Where it serves something else than the others, all are brought to the same. */
  loaded ({ defaultModel, models }: RepositoryState): void {
    if (!this.#known) {
      this.#known = true
      this.#defaultModel = defaultModel
      for (const [name, state] of models) this.#models.set(name, state)
      return
    }
    for (const model of new Set([...models.keys(), ...this.#models.keys()])) {
      const agreed = this.#models.get(model) ?? 'unloaded'
      if (isEqual(models.get(model) ?? 'unloaded', agreed)) continue
      const kind = agreed === 'unloaded' ? 'unload' : 'load'
      this.change({ kind, model }).then(refusal => {
        if (refusal !== undefined) this.#options.log.error({ model, reason: refusal.code, detail: refusal.message }, 'a new process serves a model differently')
      }, (error: unknown) => { this.#options.log.error({ err: error, model }, 'a new process serves a model differently') })
    }
  }

  async #ask<T> (rounds: Map<number, Round<T>>, id: number, round: Round<T>, message: ToServer): Promise<Round<T>> {
    rounds.set(id, round)
    for (const process of round.waiting) this.#options.send(process, message)
    await round.ended
    rounds.delete(id)
    return round
  }

  #outcome ({ model }: RepositoryChange, { answers, waiting }: Round<Committed>): Refusal | undefined {
    const outcomes = [...answers.values()]
    const [first] = outcomes
    if (first !== undefined) {
      this.#models.set(model, first.state)
      this.#defaultModel = first.defaultModel
    }
    const refusal = outcomes.find(outcome => outcome.refusal !== undefined)?.refusal
    return refusal ?? (waiting.size > 0 ? late(this.#options.commitWaitMs) : undefined)
  }
}

/** They are made of the same values in the same order. */
function isEqual (one: ModelState, other: ModelState): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function tooSlow (waitMs: number): Refusal {
  return { code: 'MODEL_NOT_READY', message: `A server process has not answered within ${waitMs / 1000} s, so that nothing was changed; try again.`, headers: { 'retry-after': '30' } }
}

function late (waitMs: number): Refusal {
  return { code: 'MODEL_NOT_READY', message: `It is done, but a server process has not said so within ${waitMs / 1000} s; that one follows as soon as it answers.`, headers: { 'retry-after': '30' } }
}
