import { realpath } from 'node:fs/promises'
import { basename, dirname, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { modelStore } from '../artifact/model-store.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import { type EngineHost, createEngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { type ModelReport, type VersionReport, verifyAliases, verifyVersion } from '../serving/verify.ts'
import { type ModelArgument, findModel, modelsFolder, onlyArgument, parseModelArgument } from './model-argument.ts'
import type { Terminal, Verb } from './verb.ts'
import { type Reports, countFaults, modelLines, toJson, versionLines } from './verify-report.ts'

export const verify: Verb = {
  name: 'verify',
  summary: 'Check that versions are whole and still give their answers',
  help: `Usage: modelport verify [NAME[@VERSION] | FOLDER] [--models FOLDER] [--json]

Loads versions as the server does and tells every fault, not the first: files whose hash differs, are
missing or not listed; a manifest of the wrong shape; a graph that cannot be loaded, or whose inputs and
outputs are not what the manifest and the preprocessor say; golden rows that do not reproduce; aliases
that lead nowhere. Exit 1 when there is any. A version without golden rows is only warned of.

  NAME[@VERSION]   a model, or one of its versions (default: all of the repository)
  FOLDER           another repository, or one version's folder; it has a ${sep} in it (./iris)
  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)
  --json           print {"ok", "versions": [{"name", "version", "ok", "faults", "warnings", "golden", "tookMs"}],
                   "models": [{"name", "faults"}]}

Example:
  modelport verify iris@1.0.0
`,
  run: async (args, terminal) => {
    const { json, ...flags } = readFlags(args)
    const { store, wanted } = await chooseStore(flags, terminal)
    const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { terminal.err(message) } } })
    try {
      const reports = await verifyAll(store, wanted, host, json ? { ...terminal, out: () => {} } : terminal)
      if (json) terminal.out(JSON.stringify(toJson(reports)))
      const faults = countFaults(reports)
      if (faults > 0) throw new FatalError(faults === 1 ? 'there is one fault' : `there are ${faults} faults`)
    } finally {
      await host.close()
    }
  },
}

/** Tells of each as soon as it is known. */
async function verifyAll (store: ModelStore, wanted: ModelArgument | undefined, host: EngineHost, terminal: Terminal): Promise<Reports> {
  const { models, faults } = await chooseModels(store, wanted, terminal)
  const reports = { models: [...faults], versions: [] as VersionReport[] }
  faults.flatMap(modelLines).forEach(terminal.out)
  for (const model of models) {
    if (wanted?.version === undefined) {
      const report = { name: model.name, faults: await verifyAliases(store, model) }
      reports.models.push(report)
      modelLines(report).forEach(terminal.out)
    }
    for (const version of model.versions) {
      const report = await verifyVersion(store.version(model.name, version), host)
      reports.versions.push(report)
      versionLines(report).forEach(terminal.out)
    }
  }
  return reports
}

interface Target {
  readonly argument: string | undefined
  readonly models: string | undefined
}

function readFlags (args: readonly string[]): Target & { json: boolean } {
  const { values, positionals } = parseArgs({ args: [...args], options: { models: { type: 'string' }, json: { type: 'boolean' } }, allowPositionals: true })
  return { argument: onlyArgument(positionals), models: values.models, json: values.json === true }
}

async function chooseStore ({ argument, models }: Target, terminal: Terminal): Promise<{ store: ModelStore, wanted: ModelArgument | undefined }> {
  const repository = modelsFolder(models, terminal)
  if (argument === undefined) return { store: modelStore(repository), wanted: undefined }
  const isFolder = argument.includes('/') || argument.includes(sep) || argument === '.' || argument === '..'
  if (!isFolder) return { store: modelStore(repository), wanted: parseModelArgument(argument) }
  const folder = await realpath(argument).catch((error: NodeJS.ErrnoException) => {
    throw new FatalError(`the folder ${argument} cannot be read (${error.code})`)
  })
  // There its names are those of the folders, as they are for the server.
  const isInRepository = dirname(dirname(folder)) === await realpath(repository).catch(() => undefined)
  return isInRepository
    ? { store: modelStore(repository), wanted: { name: basename(dirname(folder)), version: basename(folder) } }
    : { store: modelStore(folder), wanted: undefined }
}

interface Chosen {
  readonly models: readonly ModelEntry[]
  /** What is wrong before anything is looked into. */
  readonly faults: readonly ModelReport[]
}

async function chooseModels (store: ModelStore, wanted: ModelArgument | undefined, { err }: Terminal): Promise<Chosen> {
  const { models, ignored, defaultModel } = await store.list()
  if (wanted !== undefined) return { models: [chosenVersions(findModel(models, wanted.name), wanted.version)], faults: [] }
  for (const path of ignored) err(`warning: ${path} is neither a model nor a version, or cannot be read`)
  for (const { name } of models.filter(({ versions }) => versions.length === 0)) err(`warning: ${name} has no version`)
  if (models.every(({ versions }) => versions.length === 0)) throw new FatalError('there is no version to verify')
  const isLost = defaultModel !== undefined && !models.some(({ name }) => name === defaultModel)
  return { models, faults: isLost ? [{ name: defaultModel, faults: [{ reason: 'MODEL_NOT_FOUND', message: 'repository.json names it, and there is no such model' }] }] : [] }
}

/** @throws FatalError */
function chosenVersions (model: ModelEntry, version: string | undefined): ModelEntry {
  if (version === undefined) return model
  if (!model.versions.includes(version)) throw new FatalError(`${model.name} has no version "${version}"; it has ${model.versions.join(', ') || 'none'}`)
  return { ...model, versions: [version] }
}
