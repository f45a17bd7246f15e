import { aliasTarget, parseAliases } from '../artifact/aliases.ts'
import { ArtifactError, type Reason } from '../artifact/artifact-error.ts'
import { isName } from '../artifact/names.ts'
import { readArtifact } from '../artifact/read.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import { ApiError, FatalError } from '../errors.ts'
import type { DocumentedModel } from '../schemas/openapi.ts'
import { type Model, openModel } from './model.ts'
import { type ModelSummary, type VersionDetail, describeVersion, shortened, summarizeModel, versionNotFound } from './describe.ts'
import type { ModelRef, ModelStatus, RegistryEvents, VersionState } from './status.ts'

/** The registry's own, writable side of a ModelStatus. */
type Entry = { -readonly [Key in keyof ModelStatus]: ModelStatus[Key] } & { readonly versions: Map<string, VersionState> }

/** The loaded repository: which version answers, and why another does not. */
export class Registry {
  readonly #store: ModelStore
  readonly #host: EngineHost
  readonly #events: RegistryEvents
  readonly #entries = new Map<string, Entry>()
  #defaultName: string | undefined
  /** Until the repository has been listed nobody knows which models there are. */
  #listed = false
  #settled = false

  constructor (store: ModelStore, host: EngineHost, events: RegistryEvents) {
    this.#store = store
    this.#host = host
    this.#events = events
  }

  /**
   * Loads the whole repository: first the versions that answer, the default model's before all, then the
   * others. A version that fails is set down with its reason and hurts no other.
   *
   * @param configured DEFAULT_MODEL
   * @param settled    called once it is known of every model which version answers
   * @throws FatalError when the repository cannot be read or the default model cannot be served
   */
  async load (configured: string | undefined, settled: () => void = () => {}): Promise<void> {
    const { models, defaultModel, ignored } = await this.#store.list()
    if (ignored.length > 0) this.#events.ignored(ignored)
    for (const model of models) this.#entries.set(model.name, await this.#describe(model))
    this.#defaultName = this.#chooseDefault(configured, defaultModel)
    this.#listed = true

    const entries = [...this.#entries.values()].sort((a, b) => Number(b.isDefault) - Number(a.isDefault))
    for (const entry of entries) {
      await this.#loadServing(entry)
      if (entry.isDefault) refuseUnservable(entry)
    }
    this.#settled = true
    settled()
    for (const entry of entries) {
      for (const version of entry.versions.keys()) await this.#loadVersion(entry, version)
    }
  }

  /** The models in the order of their names. */
  list (): readonly ModelStatus[] {
    return [...this.#entries.values()]
  }

  summaries (): readonly ModelSummary[] {
    return this.list().map(summarizeModel)
  }

  /** @throws ApiError MODEL_NOT_FOUND */
  detail (name: string): ModelSummary & { answers: VersionDetail | null } {
    const entry = this.#entry(name)
    return { ...summarizeModel(entry), answers: entry.serving === undefined ? null : describeVersion(entry, entry.serving) }
  }

  /** @throws ApiError MODEL_NOT_FOUND, VERSION_NOT_FOUND */
  versionDetail (name: string, version: string): VersionDetail {
    return describeVersion(this.#entry(name), version)
  }

  /** The versions that answer somewhere, for the documents. */
  documented (): DocumentedModel[] {
    return this.list().flatMap(({ isDefault, serving, versions }) => [...versions].flatMap(([version, found]) =>
      found.state === 'ready' ? [{ manifest: found.model.manifest, isDefault, isServing: version === serving }] : []))
  }

  /** What is not served, and why. */
  failures (): { model: string, version: string | undefined, reason: string }[] {
    return this.list().flatMap(({ name, fault, versions }) => [
      ...(fault === undefined ? [] : [{ model: name, version: undefined, reason: fault.reason }]),
      ...[...versions].flatMap(([version, found]) => found.state === 'failed' ? [{ model: name, version, reason: found.reason }] : []),
    ])
  }

  /**
   * The version that answers.
   *
   * @throws ApiError MODEL_NOT_FOUND, VERSION_NOT_FOUND, MODEL_NOT_READY
   */
  resolve ({ name, version }: ModelRef): Model {
    const entry = name === undefined ? this.#defaultEntry() : this.#entry(name)
    const wanted = version ?? entry.serving ?? aliasTarget(entry.aliases, 'production') ?? [...entry.versions.keys()].at(-1)
    const found = wanted === undefined ? undefined : entry.versions.get(wanted)
    if (found?.state === 'ready') return found.model
    if (found === undefined && version !== undefined) throw versionNotFound(entry, version)
    throw notReady(wanted === undefined ? entry.name : `${entry.name} ${wanted}`, entry.fault?.reason ?? (found?.state === 'failed' ? found.reason : undefined))
  }

  /** True once every version that answers has loaded and the default model, if there is one, can answer. */
  get ready (): boolean {
    const main = this.#defaultName === undefined ? undefined : this.#entries.get(this.#defaultName)
    if (!this.#settled) return false
    return main === undefined ? [...this.#entries.values()].some(entry => entry.serving !== undefined) : main.serving !== undefined
  }

  /** True once it is known of every model which version answers, if any. */
  get settled (): boolean {
    return this.#settled
  }

  /** Rows that wait for a run, by version. */
  * queuedRows (): Iterable<{ name: string, version: string, rows: number }> {
    for (const { name, versions } of this.#entries.values()) {
      for (const [version, found] of versions) {
        if (found.state === 'ready') yield { name, version, rows: found.model.engine.queuedRows() }
      }
    }
  }

  /** Frees every session, after the runs under way. */
  async close (): Promise<void> {
    const models = [...this.#entries.values()].flatMap(({ versions }) => [...versions.values()])
    await Promise.all(models.map(async found => {
      if (found.state === 'ready') await found.model.engine.close()
    }))
    await this.#host.close()
  }

  async #describe ({ name, versions }: ModelEntry): Promise<Entry> {
    const entry: Entry = {
      name,
      isDefault: false,
      aliases: {},
      serving: undefined,
      fault: undefined,
      versions: new Map(versions.map(version => [version, { state: 'pending' }])),
    }
    try {
      entry.aliases = parseAliases(await this.#store.aliases(name))
    } catch (error) {
      this.#blame(entry, 'BAD_ALIASES', (error as Error).message)
    }
    return entry
  }

  #chooseDefault (configured: string | undefined, fromRepository: string | undefined): string | undefined {
    const names = [...this.#entries.keys()]
    const chosen = configured ?? fromRepository ?? (names.length === 1 ? names[0] : undefined)
    if (chosen === undefined) return undefined
    const entry = this.#entries.get(chosen)
    if (entry === undefined) {
      const source = configured === undefined ? 'repository.json' : 'DEFAULT_MODEL'
      throw new FatalError(`${source} names the model "${chosen}", and there is none; the models are ${names.join(', ') || 'none'}`)
    }
    entry.isDefault = true
    return chosen
  }

  /** `production` answers, or nothing does; without it the latest version that can be served. */
  async #loadServing (entry: Entry): Promise<void> {
    if (entry.fault !== undefined) return
    const production = aliasTarget(entry.aliases, 'production')
    const candidates = production === undefined ? [...entry.versions.keys()].reverse() : [production]
    for (const version of candidates) {
      if (!entry.versions.has(version)) {
        this.#blame(entry, 'BAD_ALIASES', `aliases.json: production is "${version}", and there is no such version`)
        return
      }
      if (await this.#loadVersion(entry, version, () => { entry.serving = version })) return
    }
  }

  /** @param serving is called before anybody is told that the version has loaded */
  async #loadVersion (entry: Entry, version: string, serving?: () => void): Promise<boolean> {
    const before = entry.versions.get(version)
    if (before?.state !== 'pending') return before?.state === 'ready'
    entry.versions.set(version, { state: 'loading' })
    const startedMs = performance.now()
    try {
      const artifact = await readArtifact(this.#store.version(entry.name, version))
      const model = await openModel(artifact, this.#host, startedMs)
      entry.versions.set(version, { state: 'ready', model })
      serving?.()
      this.#events.loaded(model, entry)
      return true
    } catch (error) {
      const reason = error instanceof ArtifactError ? error.reason : 'INTERNAL'
      entry.versions.set(version, { state: 'failed', reason, message: (error as Error).message })
      this.#events.failed(entry, version, error as Error)
      return false
    }
  }

  #blame (entry: Entry, reason: Reason, message: string): void {
    entry.fault = { reason, message }
    this.#events.failed(entry, undefined, new ArtifactError(reason, message))
  }

  #defaultEntry (): Entry {
    if (this.#defaultName !== undefined) return this.#entry(this.#defaultName)
    if (!this.#listed) throw notReady('The default model', undefined)
    throw new ApiError('MODEL_NOT_FOUND', `There is no default model; post to /models/{name}/predict. ${this.#names()}`)
  }

  #entry (name: string): Entry {
    const entry = isName(name) ? this.#entries.get(name) : undefined
    if (entry === undefined && !this.#listed) throw notReady(`The model ${shortened(name)}`, undefined)
    if (entry === undefined) throw new ApiError('MODEL_NOT_FOUND', `There is no model "${shortened(name)}". ${this.#names()}`)
    return entry
  }

  #names (): string {
    return `The models are ${[...this.#entries.keys()].join(', ') || 'none'}.`
  }
}

function refuseUnservable ({ name, serving, fault, versions }: Entry): void {
  if (serving !== undefined) return
  const failures = [...versions].map(([version, found]) => `${version}: ${found.state === 'failed' ? `${found.reason}: ${found.message}` : found.state}`)
  throw new FatalError(`The default model ${name} cannot be served: ${[...(fault === undefined ? [] : [fault.message]), ...failures].join('; ') || 'it has no version'}`)
}

function notReady (what: string, reason: string | undefined): ApiError {
  const why = reason === undefined ? 'it is still loading' : `it did not pass its checks (${reason})`
  return new ApiError('MODEL_NOT_READY', `${what} cannot answer: ${why}.`, { headers: { 'retry-after': reason === undefined ? '1' : '30' } })
}
