import { ApiError } from '../errors.ts'
import type { Refusal, RepositoryChange } from '../peers.ts'
import type { Committed, Failure, Proposal, ToPrimary } from './messages.ts'

/** A change that only waits for the word of the primary. */
export interface PreparedChange {
  readonly proposal: Proposal
  readonly commit: (refused: ReadonlyMap<string, Failure>) => Omit<Committed, 'refusal'> & { readonly refusal: ApiError | undefined }
  readonly abort: () => void
}

/** A server process's part in changes: it prepares, says what came of it, and waits. */
export class ChangeDesk {
  readonly #prepare: (change: RepositoryChange) => Promise<PreparedChange>
  readonly #tell: (message: ToPrimary) => void
  readonly #prepared = new Map<number, Promise<PreparedChange | undefined>>()

  constructor (prepare: (change: RepositoryChange) => Promise<PreparedChange>, tell: (message: ToPrimary) => void) {
    this.#prepare = prepare
    this.#tell = tell
  }

  prepare (id: number, change: RepositoryChange): void {
    this.#prepared.set(id, this.#prepare(change).then(prepared => {
      this.#tell({ kind: 'prepared', id, proposal: prepared.proposal })
      return prepared
    }, (error: unknown) => {
      this.#tell({ kind: 'prepared', id, proposal: toRefusal(error) })
      return undefined
    }))
  }

  commit (id: number, refused: ReadonlyMap<string, Failure>): void {
    this.#end(id, prepared => {
      const { refusal, state, defaultModel } = prepared.commit(refused)
      this.#tell({ kind: 'committed', id, committed: { refusal: refusal && toRefusal(refusal), state, defaultModel } })
    })
  }

  abort (id: number): void {
    this.#end(id, prepared => { prepared.abort() })
  }

  /** What is not ready yet is ended as soon as it is. */
  #end (id: number, end: (prepared: PreparedChange) => void): void {
    const preparing = this.#prepared.get(id)
    this.#prepared.delete(id)
    preparing?.then(prepared => { if (prepared !== undefined) end(prepared) }, () => {})
  }
}

function toRefusal (error: unknown): Refusal {
  if (error instanceof ApiError) return { code: error.code, message: error.message, headers: error.headers }
  return { code: 'INTERNAL', message: 'A server process failed; the log has the reason.' }
}
