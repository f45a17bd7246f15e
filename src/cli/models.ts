import { parseArgs } from 'node:util'
import { type Aliases, aliasTarget, parseAliases } from '../artifact/aliases.ts'
import { modelStore } from '../artifact/model-store.ts'
import { examineArtifact } from '../artifact/read.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import { mainMetrics } from '../catalog/main-metric.ts'
import { modelsFolder } from './model-argument.ts'
import { numberText, sizeText, textTable } from './repository-flags.ts'
import type { Verb } from './verb.ts'

export const models: Verb = {
  name: 'models',
  summary: 'List the versions of the repository: stages, metrics, age, size',
  help: `Usage: modelport models [--models FOLDER] [--json]

Lists every version, oldest first: the aliases that name it, its main metrics, when it was made, its size,
and whether its files are what the manifest says. modelport verify also runs them.

  --models FOLDER  the model repository, or s3://bucket/prefix (default: MODELS_DIR, else ./models)
  --json           print a list of {"name", "version", "stages", "task", "metrics", "createdAt", "bytes", "faults"}

Example:
  modelport models --models ./models
`,
  run: async (args, terminal) => {
    const { folder, json } = readFlags(args)
    const store = modelStore(modelsFolder(folder, terminal))
    const versions: ListedVersion[] = []
    for (const model of (await store.list()).models) {
      const aliases = await aliasesOf(store, model.name, terminal.err)
      for (const version of model.versions) versions.push(await listVersion(store, model, version, aliases))
    }
    if (json) return terminal.out(JSON.stringify(versions))
    if (versions.length === 0) return terminal.err('there is no version')
    const head = ['name', 'version', 'stage', 'metrics', 'age', 'size', 'files']
    textTable([head, ...versions.map(version => cells(version, Date.now()))]).forEach(terminal.out)
  },
}

interface ListedVersion {
  readonly name: string
  readonly version: string
  readonly stages: readonly string[]
  /** Null, as all that follows: the version cannot be read. */
  readonly task: string | null
  readonly metrics: Readonly<Record<string, number>>
  readonly createdAt: string | null
  readonly bytes: number | null
  readonly faults: readonly { readonly reason: string, readonly message: string }[]
}

async function aliasesOf (store: ModelStore, name: string, err: (line: string) => void): Promise<Aliases> {
  try {
    return parseAliases(await store.aliases(name))
  } catch (error) {
    err(`warning: ${name}: ${(error as Error).message}`)
    return {}
  }
}

async function listVersion (store: ModelStore, { name, versions }: ModelEntry, version: string, aliases: Aliases): Promise<ListedVersion> {
  const { artifact, faults } = await examineArtifact(store.version(name, version))
  const stages = Object.keys(aliases).filter(alias => aliasTarget(aliases, alias) === version)
  const manifest = artifact?.manifest
  return {
    name,
    version,
    stages: version === versions.at(-1) ? [...stages, 'latest'] : stages,
    task: manifest?.task ?? null,
    metrics: manifest === undefined ? {} : mainMetrics(manifest),
    createdAt: manifest?.createdAt ?? null,
    bytes: manifest === undefined ? null : Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0),
    faults: faults.map(({ reason, message }) => ({ reason, message })),
  }
}

function cells ({ name, version, stages, metrics, createdAt, bytes, faults }: ListedVersion, nowMs: number): string[] {
  const numbers = Object.entries(metrics).map(([metric, value]) => `${metric} ${numberText(value)}`)
  const state = [...new Set(faults.map(({ reason }) => reason))].join(', ')
  return [name, version, stages.join(', ') || '-', numbers.join(', ') || '-', ageText(createdAt, nowMs), bytes === null ? '-' : sizeText(bytes), state || 'ok']
}

/** The largest unit that gives at least one. */
function ageText (createdAt: string | null, nowMs: number): string {
  const ageMs = nowMs - Date.parse(createdAt ?? '')
  if (!(ageMs >= 0)) return '-'
  const units = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000]] as const
  const unit = units.find(([, unitMs]) => ageMs >= unitMs)
  return unit === undefined ? 'now' : `${Math.floor(ageMs / unit[1])} ${unit[0]}`
}

function readFlags (args: readonly string[]): { folder: string | undefined, json: boolean } {
  const { values } = parseArgs({ args: [...args], options: { models: { type: 'string' }, json: { type: 'boolean' } } })
  return { folder: values.models, json: values.json === true }
}
