import { type Aliases, aliasTarget, parseAliases } from '../artifact/aliases.ts'
import { ArtifactError } from '../artifact/artifact-error.ts'
import { readArtifact } from '../artifact/read.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { type Model, openModel } from '../serving/model.ts'
import type { ModelArgument } from './model-argument.ts'

/**
 * Opens the version that the server would answer with, and no other.
 *
 * @param wanted            undefined: the default model
 * @param configuredDefault DEFAULT_MODEL
 * @throws FatalError that says what there is instead, or why it cannot be served
 */
export async function openAnswering (store: ModelStore, host: EngineHost, wanted: ModelArgument | undefined, configuredDefault: string | undefined): Promise<Model> {
  const { models, defaultModel } = await store.list()
  const { name, versions } = findModel(models, wanted?.name ?? (configuredDefault || defaultModel))
  const refused: string[] = []
  for (const version of await candidates(store, { name, versions }, wanted?.version)) {
    try {
      return await openModel(await readArtifact(store.version(name, version)), host, performance.now())
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error
      refused.push(`${version}: ${error.reason}: ${error.message}`)
    }
  }
  throw new FatalError(`${name} cannot answer: ${refused.join('; ') || 'it has no version'}`)
}

/** The model of that name; without one, the only one there is. */
function findModel (models: readonly ModelEntry[], name: string | undefined): ModelEntry {
  const names = models.map(model => model.name).join(', ') || 'none'
  const found = name === undefined ? models[0] : models.find(model => model.name === name)
  if (name === undefined && models.length > 1) throw new FatalError(`there is no default model; name one of ${names}`)
  if (found === undefined) throw new FatalError(name === undefined ? 'there is no model' : `there is no model "${name}"; the models are ${names}`)
  return found
}

/** In the order in which the server tries them: `production` and nothing else where there is one, else the latest that can be served. */
async function candidates (store: ModelStore, { name, versions }: ModelEntry, wanted: string | undefined): Promise<string[]> {
  const chosen = wanted ?? aliasTarget(await readAliases(store, name), 'production')
  if (chosen === undefined) return versions.toReversed()
  if (versions.includes(chosen)) return [chosen]
  const list = versions.join(', ') || 'none'
  throw new FatalError(wanted === undefined
    ? `${name} cannot answer: aliases.json: production is "${chosen}", and there is no such version; it has ${list}`
    : `${name} has no version "${chosen}"; it has ${list}`)
}

async function readAliases (store: ModelStore, name: string): Promise<Aliases> {
  try {
    return parseAliases(await store.aliases(name))
  } catch (error) {
    throw error instanceof ArtifactError ? new FatalError(`${name} cannot answer: ${error.message}`) : error
  }
}
