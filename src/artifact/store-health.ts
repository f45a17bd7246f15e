import { ArtifactError } from './artifact-error.ts'
import { S3Error } from './s3-error.ts'
import type { StoreHealth } from './store.ts'

/** @param message for the log: what is served now, and why */
export type OnHealth = (health: StoreHealth, message: string) => void

type Stale = Extract<StoreHealth, { status: 'stale' }>

/** Where copies stand in for what cannot be read. Tells of each once. */
export class HealthBook {
  readonly #onHealth: OnHealth
  /** By model. */
  readonly #copies = new Map<string, Stale>()
  /** The place could not be read the last time. */
  #unreadable: Stale | undefined

  constructor (onHealth: OnHealth = () => {}) {
    this.#onHealth = onHealth
  }

  /** The oldest trouble. */
  state (): StoreHealth {
    const troubles = [...(this.#unreadable === undefined ? [] : [this.#unreadable]), ...this.#copies.values()]
    return troubles.sort((a, b) => a.since < b.since ? -1 : 1)[0] ?? { status: 'ok' }
  }

  unreadable (error: unknown, message: string): void {
    if (this.#unreadable !== undefined) return
    this.#unreadable = staleFor(error)
    this.#onHealth(this.#unreadable, `${message}: ${(error as Error).message}`)
  }

  readable (): void {
    if (this.#unreadable === undefined) return
    this.#unreadable = undefined
    this.#onHealth(this.state(), 'S3 can be read again')
  }

  /** @param message unset: it has been told */
  copy (model: string, error: unknown, message?: string): void {
    const stale = staleFor(error)
    this.#copies.set(model, stale)
    if (message !== undefined) this.#onHealth(stale, `${message}: ${(error as Error).message}`)
  }

  fresh (model: string): void {
    this.#copies.delete(model)
  }
}

function staleFor (error: unknown): Stale {
  const reason = error instanceof S3Error ? error.code : error instanceof ArtifactError ? error.reason : 'INTERNAL'
  return { status: 'stale', reason, since: new Date().toISOString() }
}
