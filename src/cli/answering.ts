import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { bootServing, bootVersion, describeModel } from '../serving/boot.ts'
import type { Model } from '../serving/model.ts'
import { type ModelArgument, findModel } from './model-argument.ts'

/** What `predict` opens of a repository, and where it looks for the rest. */
export interface Opening {
  readonly store: ModelStore
  readonly host: EngineHost
  /** Undefined: the default model. */
  readonly wanted: ModelArgument | undefined
  /** DEFAULT_MODEL */
  readonly configuredDefault: string | undefined
}

/**
 * Opens the version that the server would answer with, and no other but those that it cannot serve.
 *
 * @throws FatalError that says what there is instead, or why it cannot be served
 */
export async function openAnswering ({ store, host, wanted, configuredDefault }: Opening): Promise<Model> {
  const workshop = { store, host, events: silent }
  const entry = await describeModel(workshop, await chooseModel(store, wanted?.name ?? configuredDefault), undefined)
  const { name, versions } = entry
  const version = wanted?.version
  if (version === undefined) {
    await bootServing(workshop, entry)
  } else {
    if (!versions.has(version)) throw new FatalError(`${name} has no version "${version}"; it has ${[...versions.keys()].join(', ') || 'none'}`)
    await bootVersion(workshop, entry, version)
  }
  const found = versions.get(version ?? entry.serving ?? '')
  if (found?.state === 'ready') return found.model
  const failures = [...versions].flatMap(([version, found]) => found.state === 'failed' ? [`${version}: ${found.reason}: ${found.message}`] : [])
  const reasons = version === undefined && entry.fault !== undefined ? [entry.fault.message] : failures
  throw new FatalError(`${name} cannot answer: ${reasons.join('; ') || 'it has no version'}`)
}

const silent = { loaded: () => {}, failed: () => {}, ignored: () => {} }

/** By its name, else repository.json's, else the only one. */
async function chooseModel (store: ModelStore, name: string | undefined): Promise<ModelEntry> {
  const { models, defaultModel } = await store.list()
  const chosen = name ?? defaultModel
  const [only, other] = models
  if (chosen !== undefined) return findModel(models, chosen)
  if (only === undefined) throw new FatalError('there is no model')
  if (other !== undefined) throw new FatalError(`there is no default model; name one of ${models.map(model => model.name).join(', ')}`)
  return only
}
