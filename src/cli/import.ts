import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ArtifactError } from '../artifact/artifact-error.ts'
import { checkVersionName, writeVersion } from '../artifact/write.ts'
import { type EngineHost, createEngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { parseFeatures } from '../import/features.ts'
import { parseGolden } from '../import/golden.ts'
import { importFile } from '../import/import-file.ts'
import { parseLabels } from '../import/labels.ts'
import { type MadeVersion, makeVersion } from '../import/version.ts'
import { creationTime } from './creation-time.ts'
import { printImport } from './import-report.ts'
import { modelsFolder, onlyArgument } from './model-argument.ts'
import { UsageError, type Verb } from './verb.ts'

const tasks = ['classification', 'regression', 'tensor'] as const

export const importVerb: Verb = {
  name: 'import',
  summary: 'Make a version of the repository from an ONNX, XGBoost or LightGBM file',
  help: `Usage: modelport import FILE --name NAME --version V [options]

Reads an ONNX file, XGBoost's JSON or LightGBM's text and writes <models>/NAME/V: the model and a manifest
with its features, classes and outputs, as far as the file tells. The version is opened as the server
would, with its golden rows, before anything is written. docs/import.md shows how to get there from
scikit-learn, XGBoost, LightGBM and PyTorch.

  --name NAME          the model's name
  --version V          the version
  --features FILE      JSON: names of the columns in the model's order, or features as in the manifest
  --labels A,B,C       names of the classes in the model's order; a JSON list where names have commas
  --golden FILE        rows that must reproduce: CSV with the features, "prediction" and probability_<class>,
                       or JSON; without expected answers, the model's own are written down
  --preprocessor FILE  an ONNX file from raw columns to the model's inputs
  --task TASK          ${tasks.join(', ')}, where the file does not tell; tensor: no features
  --description TEXT   for the documents (default: what the file says of itself)
  --out FOLDER         the model repository (default: MODELS_DIR, else ./models)
  --force              replace a version that exists
  --json               print {"name", "version", "folder", "task", "features", "labels", "outputs", "files", "notices"}

SOURCE_DATE_EPOCH (seconds since 1970) sets the manifest's createdAt, for builds that can be repeated.

Example:
  modelport import iris.onnx --name iris --version 1.0.0 --labels setosa,versicolor,virginica --golden rows.csv
`,
  run: async (args, terminal) => {
    const flags = readFlags(args)
    const out = modelsFolder(flags.out, terminal)
    const createdAt = creationTime(terminal)
    await checkVersionName(out, flags.name, flags.version, flags)
    const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { terminal.err(message) } } })
    try {
      const made = await make(flags, createdAt, host)
      const folder = await writeVersion(out, flags.name, flags.version, made.files, flags)
      printImport(made, folder, flags.json, terminal)
    } finally {
      await host.close()
    }
  },
}

type Flags = ReturnType<typeof readFlags>

async function make (flags: Flags, createdAt: Date, host: EngineHost): Promise<MadeVersion> {
  const { file, name, version, labels, task } = flags
  const bytes = await read(file)
  const features = flags.features === undefined ? undefined : await about(flags.features, parseFeatures)
  const preprocessor = flags.preprocessor === undefined ? undefined : await read(flags.preprocessor)
  const imported = await blaming(file, () => importFile({ path: file, bytes }, { features, labels, task, preprocessor }, host))
  const golden = flags.golden === undefined ? undefined : await about(flags.golden, rows => parseGolden(rows, imported))
  return await blaming(file, () => makeVersion({ name, version, description: flags.description ?? imported.description, createdAt, imported, golden }, host))
}

async function about<T> (path: string, parse: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await read(path)
  return await blaming(path, () => parse(bytes))
}

/** What is wrong with a file begins with its name. */
async function blaming<T> (path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const isExplained = error instanceof FatalError || error instanceof ArtifactError
    throw isExplained ? new FatalError(`${path}: ${error.message}`, { cause: error }) : error
  }
}

async function read (path: string): Promise<Uint8Array> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const remedy = error.code === 'ERR_FS_FILE_TOO_LARGE' ? ': it is larger than 2 GiB; export the model with its weights in other files' : ''
    throw new FatalError(`${path} cannot be read: ${error.code}${remedy}`)
  })
}

function readFlags (args: readonly string[]) {
  const { values, positionals } = parse(args)
  const file = onlyArgument(positionals)
  if (file === undefined) throw new UsageError('the file to import is missing')
  const { name, version, features, golden, preprocessor, description, out } = values
  if (name === undefined) throw new UsageError('--name is missing: what callers will call the model')
  if (version === undefined) throw new UsageError('--version is missing: 1.0.0, say')
  const task = tasks.find(known => known === values.task)
  if (values.task !== undefined && task === undefined) throw new UsageError(`--task must be one of ${tasks.join(', ')}, not ${JSON.stringify(values.task)}`)
  const labels = values.labels === undefined ? undefined : readLabels(values.labels)
  const surplus = Object.entries({ features, labels, golden }).find(([, value]) => value !== undefined)
  if (task === 'tensor' && surplus !== undefined) throw new UsageError(`--${surplus[0]} is for models with features, and --task tensor has none`)
  if (task === 'regression' && labels !== undefined) throw new UsageError('--labels are for a classification')
  return { file, name, version, features, labels, golden, preprocessor, task, description, out, force: values.force === true, json: values.json === true }
}

function readLabels (text: string): string[] {
  try {
    return parseLabels(text)
  } catch (error) {
    throw new UsageError(`--labels: ${(error as Error).message}`)
  }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      name: { type: 'string' },
      version: { type: 'string' },
      features: { type: 'string' },
      labels: { type: 'string' },
      golden: { type: 'string' },
      preprocessor: { type: 'string' },
      task: { type: 'string' },
      description: { type: 'string' },
      out: { type: 'string' },
      force: { type: 'boolean' },
      json: { type: 'boolean' },
    },
    allowPositionals: true,
  })
}
