import { ApiError } from '../errors.ts'

export interface WatchOptions {
  /** What stands in the repository now, by model; another text as soon as it is another. */
  readonly stamps: () => Promise<ReadonlyMap<string, string>>
  /** Reads a model again, in all processes. */
  readonly load: (model: string) => Promise<void>
  /** An operator has taken it out of service: it stays out. */
  readonly isUnloaded: (model: string) => boolean
  readonly everyMs: number
  readonly log: Log
}

interface Log {
  readonly info: (data: object, message: string) => void
  readonly warn: (data: object, message: string) => void
}

/** A model that could not be loaded is tried again after one round, then two, four and so on, up to this many. */
const longestPause = 64

/** Looks for new versions and aliases while the server runs, and has them loaded. What has gone from the repository goes on answering. */
export class Watch {
  readonly #options: WatchOptions
  #seen: ReadonlyMap<string, string> | undefined
  /** Rounds until a model that failed is tried again, and how many after that. */
  readonly #pauses = new Map<string, { left: number, next: number }>()
  /** Why the last round came to nothing. */
  #fault: string | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor (options: WatchOptions) {
    this.#options = options
  }

  /** Remembers what there is, before it is loaded: what comes later counts as new. */
  async remember (): Promise<void> {
    // Where it cannot be read now, all of it is looked at again later.
    this.#seen = await this.#options.stamps().catch(() => undefined)
  }

  start (): void {
    if (this.#timer !== undefined || this.#stopped) return
    // Servers that were started together must not ask together for ever.
    this.#timer = setTimeout(() => {
      this.look().then(() => { this.#fault = undefined }, (error: unknown) => { this.#tell(error as Error) }).finally(() => {
        this.#timer = undefined
        this.start()
      })
    }, this.#options.everyMs * (0.9 + 0.2 * Math.random())).unref()
  }

  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** One round. */
  async look (): Promise<void> {
    const now = await this.#options.stamps()
    const before = this.#seen ?? new Map<string, string>()
    const seen = new Map<string, string>()
    for (const [model, stamp] of now) {
      const isNew = before.get(model) !== stamp
      const isDone = !isNew || this.#options.isUnloaded(model) || await this.#tried(model, stamp)
      const known = isDone ? stamp : before.get(model)
      if (known !== undefined) seen.set(model, known)
    }
    for (const model of before.keys()) {
      if (!now.has(model)) this.#options.log.warn({ model }, 'the model has gone from the repository; it answers until it is unloaded')
    }
    this.#seen = seen
  }

  /** Once, not every round. */
  #tell (error: Error): void {
    if (this.#fault !== error.message) this.#options.log.warn({ detail: error.message }, 'the repository cannot be looked at; what is loaded goes on answering')
    this.#fault = error.message
  }

  /** @returns whether it is loaded as it stands there */
  async #tried (model: string, stamp: string): Promise<boolean> {
    const key = `${model}\n${stamp}`
    const pause = this.#pauses.get(key)
    if (pause !== undefined && --pause.left > 0) return false
    for (const other of this.#pauses.keys()) if (other !== key && other.startsWith(`${model}\n`)) this.#pauses.delete(other)
    try {
      await this.#options.load(model)
      this.#pauses.delete(key)
      this.#options.log.info({ model }, 'the model has changed in the repository, and was loaded again')
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const next = Math.min((pause?.next ?? 1) * 2, longestPause)
      this.#pauses.set(key, { left: pause?.next ?? 1, next })
      this.#options.log.warn({ model, reason: error.code, detail: error.message }, 'the model has changed in the repository, and could not be loaded in full')
      return false
    }
  }
}
