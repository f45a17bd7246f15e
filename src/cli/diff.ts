import { parseArgs } from 'node:util'
import { modelStore } from '../artifact/model-store.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import { compareVersions } from '../catalog/compare-versions.ts'
import { diffLines } from './diff-report.ts'
import { type ModelArgument, findModel, modelsFolder, parseModelArgument } from './model-argument.ts'
import { checkVersion, openVersion } from './repository-flags.ts'
import { UsageError, type Verb } from './verb.ts'

export const diff: Verb = {
  name: 'diff',
  summary: 'Tell what is different in two versions',
  help: `Usage: modelport diff NAME@A NAME@B [--models FOLDER] [--json]
       modelport diff NAME@A B [--models FOLDER] [--json]

Tells what two versions do not have in common: features added, removed and changed, labels, outputs and
preprocessing; their metrics side by side; sizes and hashes of their files.

  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)
  --json           print {"a", "b", "task", "features", "labels", "outputs", "preprocessor", "metrics", "files"}

Example:
  modelport diff iris@1.0.0 1.1.0
`,
  run: async (args, terminal) => {
    const { wanted: [first, second], models, json } = readFlags(args)
    const store = modelStore(modelsFolder(models, terminal))
    const { models: entries } = await store.list()
    const a = await open(store, entries, first)
    const b = await open(store, entries, second)
    const difference = compareVersions(a, b)
    if (json) terminal.out(JSON.stringify({ a: first, b: second, ...difference }))
    else diffLines(first, second, difference).forEach(terminal.out)
  },
}

type Wanted = Required<{ name: string, version: string }>

async function open (store: ModelStore, entries: readonly ModelEntry[], { name, version }: Wanted) {
  return await openVersion(store, name, checkVersion(findModel(entries, name), version))
}

function readFlags (args: readonly string[]): { wanted: [Wanted, Wanted], models: string | undefined, json: boolean } {
  const { values: { models, json = false }, positionals: [a, b, surplus] } = parse(args)
  if (surplus !== undefined) throw new UsageError(`two at a time: ${JSON.stringify(surplus)} is an argument too many`)
  if (a === undefined || b === undefined) throw new UsageError('two versions are needed: NAME@A NAME@B, or NAME@A B')
  const first = named(parseModelArgument(a))
  const second = named(parseModelArgument(b.includes('@') ? b : `${first.name}@${b}`))
  return { wanted: [first, second], models, json }
}

function named ({ name, version }: ModelArgument): Wanted {
  if (version === undefined) throw new UsageError(`say which version: ${name}@VERSION`)
  return { name, version }
}

function parse (args: readonly string[]) {
  return parseArgs({ args: [...args], options: { models: { type: 'string' }, json: { type: 'boolean' } }, allowPositionals: true })
}
