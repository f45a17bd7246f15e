import { aliasTarget } from '../artifact/aliases.ts'
import { isName } from '../artifact/names.ts'
import type { ModelEntry, ModelStore, StoreHealth } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import type { DocumentedModel } from '../schemas/openapi.ts'
import { bootServing, bootVersion, describeModel, refuseUnservable } from './boot.ts'
import { type Change, Changes, type PreparedChange } from './changes.ts'
import { type ModelSummary, type VersionDetail, aliasNotFound, describeVersion, summarizeModel, whyNot } from './describe.ts'
import { failureIn, readyVersions } from './entry.ts'
import { type IndexRow, indexRows } from './index-rows.ts'
import type { Workshop } from './load-version.ts'
import type { Model } from './model.ts'
import { type ModelState, type RepositoryState, stateOf } from './same-set.ts'
import { Shelf } from './shelf.ts'
import type { ModelRef, ModelStatus, RegistryEvents } from './status.ts'
import { Watch, type WatchOptions } from './watch.ts'

export interface LoadOptions {
  /** Called once it is known of every model which version answers. */
  readonly settled?: () => void
  /** What the other processes serve: just that is loaded, whatever else is in the repository by now. */
  readonly resume?: RepositoryState | undefined
}

/** The loaded repository: which version answers, and why another does not. */
export class Registry {
  readonly #workshop: Workshop
  readonly #shelf = new Shelf()
  readonly #changes: Changes
  readonly #booted: Promise<void>
  #endBoot: () => void = () => {}
  #settled = false

  constructor (store: ModelStore, host: EngineHost, events: RegistryEvents) {
    this.#workshop = { store, host, events }
    this.#booted = new Promise(resolve => { this.#endBoot = resolve })
    this.#changes = new Changes(this.#workshop, this.#shelf)
  }

  /**
   * Loads the whole repository: first the versions that answer, the default model's before all, then the
   * others. A version that fails is set down with its reason and hurts no other.
   *
   * @param configured DEFAULT_MODEL
   * @throws FatalError when the repository cannot be read or the default model cannot be served
   */
  async load (configured: string | undefined, { settled = () => {}, resume }: LoadOptions = {}): Promise<void> {
    const { store, events } = this.#workshop
    const { models, defaultModel, ignored } = await store.list()
    if (ignored.length > 0) events.ignored(ignored)
    const wanted = resume === undefined ? models : resumed(models, resume)
    const described = await Promise.all(wanted.map(model => describeModel(this.#workshop, model, resume?.models.get(model.name))))
    this.#shelf.begin(described, { configured, fromRepository: defaultModel, resumed: resume?.defaultModel })

    const entries = this.#shelf.list().sort((a, b) => Number(b.isDefault) - Number(a.isDefault))
    for (const entry of entries) {
      await bootServing(this.#workshop, entry)
      // Where others answer, this one is of use even so.
      if (entry.isDefault && resume === undefined) refuseUnservable(entry)
    }
    this.#settled = true
    settled()
    for (const entry of entries) {
      for (const version of entry.versions.keys()) await bootVersion(this.#workshop, entry, version)
    }
    this.#endBoot()
    await this.#remember()
  }

  /**
   * Reads a model again, or takes it out of service, up to the moment where only the switch is left; waits for the start.
   *
   * @throws ApiError when there is nothing that could be changed; nothing stays open then
   */
  async prepare (change: Change): Promise<PreparedChange> {
    await this.#booted
    if (!isName(change.model)) throw this.#shelf.notFound(change.model)
    const prepared = await this.#changes.prepare(change)
    return {
      ...prepared,
      commit: refused => {
        const fault = prepared.commit(refused)
        this.#remember().catch((error: unknown) => { this.#workshop.events.unreadable?.(error as Error) })
        return fault
      },
    }
  }

  /** @throws ApiError when not all of it could be done */
  async change (change: Change): Promise<void> {
    const fault = (await this.prepare(change)).commit()
    if (fault !== undefined) throw fault
  }

  /** Every model and version of the repository, loaded or not. */
  async index (): Promise<IndexRow[]> {
    const { models } = await this.#workshop.store.list().catch((error: unknown) => {
      this.#workshop.events.unreadable?.(error as Error)
      return { models: [] }
    })
    // At the start nothing has been looked at yet, and all of it will be.
    return indexRows(this.list(), models, name => !this.#settled || this.#changes.isLoading(name))
  }

  /** What looks for changes in the store; undefined where that is not to be looked at again and again. */
  watch (options: Omit<WatchOptions, 'stamps' | 'isUnloaded'>): Watch | undefined {
    const { stamps } = this.#workshop.store
    return stamps && new Watch({ ...options, stamps, isUnloaded: name => this.#shelf.find(name)?.unloaded === true })
  }

  /** Whether what is served is what stands in the store; undefined where it always is. */
  storeHealth (): StoreHealth | undefined {
    return this.#workshop.store.health?.()
  }

  /** What this process serves, for others to serve the same. */
  state (): RepositoryState {
    return { defaultModel: this.#shelf.defaultName, models: new Map(this.list().map(entry => [entry.name, stateOf(entry)])) }
  }

  stateOf (name: string): ModelState {
    const entry = this.#shelf.find(name)
    return entry === undefined ? 'unloaded' : stateOf(entry)
  }

  /** The models in the order of their names. */
  list (): readonly ModelStatus[] {
    return this.#shelf.list()
  }

  summaries (): readonly ModelSummary[] {
    return this.list().map(summarizeModel)
  }

  /** @throws ApiError MODEL_NOT_FOUND */
  detail (name: string): ModelSummary & { answers: VersionDetail | null } {
    const entry = this.#shelf.get(name)
    return { ...summarizeModel(entry), answers: entry.serving === undefined ? null : describeVersion(entry, entry.serving) }
  }

  /** @throws ApiError MODEL_NOT_FOUND, VERSION_NOT_FOUND */
  versionDetail (name: string, version: string): VersionDetail {
    return describeVersion(this.#shelf.get(name), version)
  }

  /** The versions that answer somewhere, for the documents. */
  documented (): DocumentedModel[] {
    return this.list().flatMap(entry => readyVersions(entry).map(([version, { model: { manifest } }]) =>
      ({ manifest, isDefault: entry.isDefault, isServing: version === entry.serving })))
  }

  /** What is not served, and why. */
  failures (): { model: string, version: string | undefined, reason: string }[] {
    return this.list().flatMap(({ name, fault, versions }) => [
      ...(fault === undefined ? [] : [{ model: name, version: undefined, reason: fault.reason }]),
      ...[...versions].flatMap(([version, found]) => {
        const failure = failureIn(found)
        return failure === undefined ? [] : [{ model: name, version, reason: failure.reason }]
      }),
    ])
  }

  /**
   * The version that answers.
   *
   * @throws ApiError MODEL_NOT_FOUND, VERSION_NOT_FOUND, also for an alias that there is not, MODEL_NOT_READY
   */
  resolve ({ name, version, alias }: ModelRef): Model {
    const entry = name === undefined ? this.#shelf.getDefault() : this.#shelf.get(name)
    const asked = version ?? (alias === undefined ? undefined : aliasTarget(entry.aliases, alias))
    if (asked === undefined && alias !== undefined) throw aliasNotFound(entry, alias)
    const wanted = asked ?? entry.serving
    const found = wanted === undefined ? undefined : entry.versions.get(wanted)
    if (found?.state === 'ready') return found.model
    throw whyNot(entry, asked)
  }

  /**
   * True once every version that answers has loaded and the default model, if there is one, can answer. A
   * model that an operator unloaded does not take the others from the load balancer.
   */
  get ready (): boolean {
    if (!this.#settled) return false
    const main = this.list().find(entry => entry.isDefault)
    return main === undefined || main.unloaded ? this.list().some(entry => entry.serving !== undefined) : main.serving !== undefined
  }

  /** True once it is known of every model which version answers, if any. */
  get settled (): boolean {
    return this.#settled
  }

  /** What the engines tell of themselves now: rows that wait for a run, and runs since the version answers. */
  * queuedRows (): Iterable<{ name: string, version: string, rows: number, executions: number }> {
    for (const entry of this.list()) {
      for (const [version, { model: { engine }, proofRuns }] of readyVersions(entry)) {
        yield { name: entry.name, version, rows: engine.queuedRows(), executions: engine.executions() - proofRuns }
      }
    }
  }

  async #remember (): Promise<void> {
    await this.#workshop.store.loaded?.((name, version) => {
      const found = this.#shelf.find(name)?.versions.get(version)
      return found?.state === 'ready' && found.refused === undefined
    })
  }

  /** Frees every session, after the runs under way. */
  async close (): Promise<void> {
    await this.#changes.idle()
    await Promise.all(this.list().flatMap(entry => readyVersions(entry).map(([, { model }]) => model.engine.close())))
    await this.#workshop.host.close()
  }
}

/** What the others serve, also what the repository has no more. */
function resumed (models: readonly ModelEntry[], { models: known }: RepositoryState): ModelEntry[] {
  return [...known.keys()].sort().map(name => models.find(model => model.name === name) ?? { name, versions: [] })
}
