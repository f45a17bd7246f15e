import { ApiError, FatalError } from '../errors.ts'
import { type Entry, failureIn, readyVersions } from './entry.ts'
import { type FoundModel, findModel } from './find-model.ts'
import type { Workshop } from './load-version.ts'
import type { Model } from './model.ts'
import { faultsOf, settle } from './settle.ts'
import type { Shelf } from './shelf.ts'
import type { Failure, VersionState } from './status.ts'
import { Turns } from './turns.ts'

/** What an operator may ask for while the server runs. */
export interface Change { readonly kind: 'load' | 'unload', readonly model: string }

/** What came of reading the repository: processes that found different things must not go on. */
export interface Proposal {
  readonly aliases: string
  /** The digest of a version's files, or why they cannot be served. */
  readonly versions: ReadonlyMap<string, string | Failure>
}

/** A change that could be made at once, and nobody sees yet. Until it is committed or aborted, others of the same model wait. */
export interface PreparedChange {
  readonly proposal: Proposal
  /**
   * @param refused versions that must stay as they are, since another process could not open them
   * @returns why this is not all that was asked for
   */
  readonly commit: (refused?: ReadonlyMap<string, Failure>) => ApiError | undefined
  readonly abort: () => void
}

/** Loads and unloads models while others answer: what is new is open and proven before the old one goes. */
export class Changes {
  readonly #workshop: Workshop
  readonly #shelf: Shelf
  readonly #turns = new Turns()
  readonly #loading = new Set<string>()
  readonly #ending = new Set<Promise<void>>()

  constructor (workshop: Workshop, shelf: Shelf) {
    this.#workshop = workshop
    this.#shelf = shelf
  }

  /** @throws ApiError when there is nothing that could be changed; nothing stays open then */
  async prepare ({ kind, model: name }: Change): Promise<PreparedChange> {
    const release = await this.#turns.take(name)
    try {
      return kind === 'load' ? await this.#load(name, release) : await this.#unload(name, release)
    } catch (error) {
      release()
      throw error
    }
  }

  isLoading (name: string): boolean {
    return this.#loading.has(name)
  }

  /** Resolves once what was taken out of service is freed. */
  async idle (): Promise<void> {
    await Promise.all(this.#ending)
  }

  async #load (name: string, release: () => void): Promise<PreparedChange> {
    this.#loading.add(name)
    const found = await findModel(this.#workshop, name, this.#shelf.find(name))
      .catch((error: unknown) => { throw this.#cannotRead(error) })
      .finally(() => { this.#loading.delete(name) })
    const current = this.#shelf.find(name)
    if (found === undefined) {
      if (current === undefined) throw this.#shelf.notFound(name)
      throw new ApiError('LOAD_FAILED', `${name} is not in the repository any more. What is loaded stays as it is: unload it if it should not.`)
    }
    return {
      proposal: proposalOf(found),
      commit: (refused = new Map()) => {
        const next = settle(name, current, found, refused)
        this.#shelf.put(next)
        this.#tell(current, next, found)
        this.#retire([...openedIn(found), ...modelsOf(current)].filter(model => !modelsOf(next).includes(model)))
        release()
        return loadFault(next)
      },
      abort: () => {
        this.#retire(openedIn(found))
        release()
      },
    }
  }

  async #unload (name: string, release: () => void): Promise<PreparedChange> {
    const current = this.#shelf.find(name)
    if (current === undefined) throw this.#shelf.notFound(name)
    // Where nobody can tell, it may come back.
    const isListed = await this.#workshop.store.model(name).then(listed => listed !== undefined, () => true)
    return {
      proposal: { aliases: '', versions: new Map() },
      commit: () => {
        if (!current.unloaded) this.#takeOut(current)
        if (!isListed && !current.isDefault) this.#shelf.remove(name)
        release()
        return undefined
      },
      abort: release,
    }
  }

  /** The store's own fault, which the caller can do nothing about. */
  #cannotRead (error: unknown): unknown {
    if (!(error instanceof FatalError)) return error
    this.#workshop.events.unreadable?.(error)
    return new ApiError('MODEL_NOT_READY', 'The model store cannot be read now, so that nothing was changed; try again.', { headers: { 'retry-after': '5' } })
  }

  #takeOut (current: Entry): void {
    const versions = [...current.versions].map(([version, { state }]): [string, VersionState] => [version, { state: state === 'ready' ? 'unloading' : 'unloaded' }])
    const next: Entry = { ...current, serving: undefined, fault: undefined, unloaded: true, versions: new Map(versions) }
    this.#shelf.put(next)
    for (const version of current.versions.keys()) this.#workshop.events.unloaded?.(next, version)
    this.#retire(modelsOf(current), () => {
      for (const version of next.versions.keys()) next.versions.set(version, { state: 'unloaded' })
    })
  }

  /** Frees models after the requests that they answer now. */
  #retire (models: readonly Model[], freed: () => void = () => {}): void {
    if (models.length === 0) return
    const ending: Promise<void> = Promise.all(models.map(model => model.engine.close())).then(freed, (error: unknown) => { this.#workshop.events.unreadable?.(error as Error) })
      .then(() => { this.#ending.delete(ending) })
    this.#ending.add(ending)
  }

  #tell (before: Entry | undefined, now: Entry, found: FoundModel): void {
    const { events } = this.#workshop
    for (const [version, state] of now.versions) {
      if (state.state === 'ready') {
        const known = before?.versions.get(version)
        if (known?.state === 'ready' && known.model === state.model) events.kept?.(state.model, now)
        else events.loaded(state.model, now)
      }
      const failure = failureIn(state)
      if (failure !== undefined) events.failed(now, version, errorOf(found, version, failure))
    }
    for (const version of before?.versions.keys() ?? []) {
      if (!now.versions.has(version)) events.unloaded?.(now, version)
    }
    if (now.fault !== undefined) events.failed(now, undefined, asError(now.fault))
  }
}

function proposalOf ({ aliases, aliasFault, versions }: FoundModel): Proposal {
  return {
    aliases: aliasFault?.message ?? JSON.stringify(aliases),
    versions: new Map([...versions].map(([version, found]) => [version, found.kind === 'failed' ? found.failure : found.digest])),
  }
}

function openedIn ({ versions }: FoundModel): Model[] {
  return [...versions.values()].flatMap(found => found.kind === 'opened' ? [found.ready.model] : [])
}

function modelsOf (entry: Entry | undefined): Model[] {
  return entry === undefined ? [] : readyVersions(entry).map(([, { model }]) => model)
}

function loadFault (entry: Entry): ApiError | undefined {
  const faults = faultsOf(entry)
  if (faults.length === 0) return undefined
  const answers = entry.serving === undefined ? 'No version answers for it.' : `${entry.serving} answers.`
  return new ApiError('LOAD_FAILED', `${entry.name} was not loaded in full: ${faults.join('; ')}. ${answers}`)
}

function errorOf ({ versions }: FoundModel, version: string, failure: Failure): Error {
  const found = versions.get(version)
  return found?.kind === 'failed' ? found.error : asError(failure)
}

function asError ({ reason, message }: Failure): Error {
  return Object.assign(new Error(message), { reason })
}
