import { isName } from '../artifact/names.ts'
import { ApiError, FatalError } from '../errors.ts'
import { notReady, shortened } from './describe.ts'
import type { Entry } from './entry.ts'

/** Names for the default model, the first that is there before the others. */
export interface DefaultNames {
  /** DEFAULT_MODEL */
  readonly configured: string | undefined
  /** repository.json's */
  readonly fromRepository: string | undefined
  /** What the other processes take for it. */
  readonly resumed: string | undefined
}

/** The models by name, in the order of their names, and the one that `/predict` means. */
export class Shelf {
  readonly #entries = new Map<string, Entry>()
  #defaultName: string | undefined
  /** Until the repository has been listed nobody knows which models there are. */
  #listed = false

  get defaultName (): string | undefined {
    return this.#defaultName
  }

  /** @throws FatalError when a name was given and no model has it */
  begin (entries: readonly Entry[], { configured, fromRepository, resumed }: DefaultNames): void {
    for (const entry of entries) this.#entries.set(entry.name, entry)
    this.#listed = true
    const names = entries.map(({ name }) => name)
    const known = resumed !== undefined && names.includes(resumed) ? resumed : undefined
    const chosen = configured ?? known ?? fromRepository ?? (names.length === 1 ? names[0] : undefined)
    if (chosen === undefined) return
    const entry = this.#entries.get(chosen)
    if (entry === undefined) {
      const source = configured === undefined ? 'repository.json' : 'DEFAULT_MODEL'
      throw new FatalError(`${source} names the model "${chosen}", and there is none; the models are ${names.join(', ') || 'none'}`)
    }
    entry.isDefault = true
    this.#defaultName = chosen
  }

  list (): Entry[] {
    return [...this.#entries.values()]
  }

  find (name: string): Entry | undefined {
    return this.#entries.get(name)
  }

  /** @throws ApiError MODEL_NOT_FOUND, or MODEL_NOT_READY while nobody knows */
  get (name: string): Entry {
    const entry = isName(name) ? this.#entries.get(name) : undefined
    if (entry !== undefined) return entry
    throw this.#listed ? this.notFound(name) : notReady(`The model ${shortened(name)}`)
  }

  /** @throws ApiError MODEL_NOT_FOUND where there is none, or MODEL_NOT_READY while nobody knows */
  getDefault (): Entry {
    if (this.#defaultName !== undefined) return this.get(this.#defaultName)
    if (!this.#listed) throw notReady('The default model')
    throw new ApiError('MODEL_NOT_FOUND', `There is no default model; post to /models/{name}/predict. ${this.#names()}`)
  }

  /** What was the only model stays the default when another one comes. */
  put (entry: Entry): void {
    const isNew = !this.#entries.has(entry.name)
    this.#entries.set(entry.name, entry)
    if (!isNew) return
    if (this.#defaultName === undefined && this.#entries.size === 1) {
      this.#defaultName = entry.name
      entry.isDefault = true
    }
    const sorted = this.list().sort((a, b) => a.name < b.name ? -1 : 1)
    this.#entries.clear()
    for (const other of sorted) this.#entries.set(other.name, other)
  }

  remove (name: string): void {
    this.#entries.delete(name)
  }

  notFound (name: string): ApiError {
    return new ApiError('MODEL_NOT_FOUND', `There is no model "${shortened(name)}". ${this.#names()}`)
  }

  #names (): string {
    return `The models are ${[...this.#entries.keys()].join(', ') || 'none'}.`
  }
}
