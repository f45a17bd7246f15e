import { readFile, stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ArtifactError } from '../artifact/artifact-error.ts'
import { folderStore } from '../artifact/folder-store.ts'
import { type EngineHost, createEngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { type Inspection, inspectFile, inspectVersion } from '../import/inspect.ts'
import { printInspection } from './inspect-report.ts'
import { modelsFolder, onlyArgument, parseModelArgument } from './model-argument.ts'
import { UsageError, type Verb } from './verb.ts'

export const inspect: Verb = {
  name: 'inspect',
  summary: 'Tell what is in a model file or a version, and whether it can be served',
  help: `Usage: modelport inspect FILE [--json]
       modelport inspect NAME[@VERSION] [--models FOLDER] [--json]

Tells of an ONNX file, XGBoost's JSON, LightGBM's text or a version of the repository (the latest unless
told): inputs and outputs with types and shapes, operators and their versions, parameters, weights in other
files, features and classes, and what stands in the way of serving it. It opens the model, and writes nothing.

  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)
  --json           print all of it as one object; "obstacles" is empty for what can be served

Example:
  modelport inspect iris.onnx
  modelport inspect iris@1.0.0
`,
  run: async (args, terminal) => {
    const { what, models, json } = readFlags(args)
    const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { terminal.err(message) } } })
    try {
      const [title, inspection] = await look(what, modelsFolder(models, terminal), host)
      if (json) terminal.out(JSON.stringify({ name: title, ...inspection }))
      else printInspection(title, inspection, terminal)
    } finally {
      await host.close()
    }
  },
}

async function look (what: string, models: string, host: EngineHost): Promise<[string, Inspection]> {
  const info = await stat(what).catch(() => undefined)
  if (info?.isFile() === true) return [what, await blaming(what, async () => inspectFile({ path: what, bytes: await readFile(what) }, host))]
  if (what.includes('/') || what.includes('\\')) {
    throw new FatalError(info === undefined ? `${what} cannot be read: ENOENT` : `${what} is a folder: give a file in it, or NAME@VERSION and --models`)
  }
  const { name, version } = await findVersion(what, models)
  const title = `${name}@${version}`
  return [title, await blaming(title, () => inspectVersion(folderStore(models).version(name, version), host))]
}

async function findVersion (what: string, models: string): Promise<{ name: string, version: string }> {
  const { name, version } = parseModelArgument(what)
  const { models: entries } = await folderStore(models).list()
  const found = entries.find(entry => entry.name === name)
  if (found === undefined) throw new FatalError(`there is no file and no model "${name}"; the models in ${models} are ${entries.map(entry => entry.name).join(', ') || 'none'}`)
  const wanted = version ?? found.versions.at(-1)
  if (wanted === undefined || !found.versions.includes(wanted)) throw new FatalError(`${name} has no version${version === undefined ? '' : ` "${version}"`}; it has ${found.versions.join(', ') || 'none'}`)
  return { name, version: wanted }
}

async function blaming<T> (what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const isExplained = error instanceof FatalError || error instanceof ArtifactError
    throw isExplained ? new FatalError(`${what}: ${error.message}`, { cause: error }) : error
  }
}

function readFlags (args: readonly string[]): { what: string, models: string | undefined, json: boolean } {
  const { values, positionals } = parse(args)
  const what = onlyArgument(positionals)
  if (what === undefined) throw new UsageError('what to inspect is missing: a file, or NAME or NAME@VERSION')
  return { what, models: values.models, json: values.json === true }
}

function parse (args: readonly string[]) {
  return parseArgs({ args: [...args], options: { models: { type: 'string' }, json: { type: 'boolean' } }, allowPositionals: true })
}
