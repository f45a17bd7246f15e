import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkVersionName, writeVersion } from '../artifact/write.ts'
import { FatalError } from '../errors.ts'
import { type TrainedVersion, trainVersion } from '../training/pipeline.ts'
import { type TrainingPlan, parseTrainingPlan } from '../training/training-file.ts'
import { versionOf } from '../training/version-files.ts'
import { creationTime } from './creation-time.ts'
import { sizeText } from './repository-flags.ts'
import { readParams } from './train-params.ts'
import { trainProgress } from './train-progress.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const train: Verb = {
  name: 'train',
  summary: 'Train a model from a table and write a version that can be served',
  help: `Usage: modelport train --data FILE --target COLUMN --name NAME [options]
       modelport train --config FILE [--config FILE …] [options]

Trains a random forest, or boosts trees by their gradient, and writes <models>/NAME/VERSION: the model, its
preprocessing, golden rows, the training data's histograms and a manifest with metrics. Column types,
categories and missing values are inferred; a training file says what the data cannot (docs/training.md).

  --config FILE     a training file; the options below come before what it says
  --data FILE       CSV with a header row, or JSON with a list of objects
  --target COLUMN   what to predict: a class, or a number
  --name NAME       the model's name
  --version V       the version (default: 1.0.0)
  --drop COLUMN     leave a column out; may be given more than once
  --algorithm NAME  random-forest or gradient-boosting (default: random-forest)
  --trees N         trees in the forest, or rounds of boosting at most (default: 100)
  --max-depth N     splits from root to leaf, at most (default: 8; of boosting 64)
  --params LIST     more of what the algorithm takes: learningRate=0.05,maxLeaves=15 (docs/training.md)
  --class-weight W  balanced: every class counts the same, however many rows it has
  --seed N          the same seed gives the same model (default: 42)
  --cv N            folds of the cross-validation; 0 for none (default: 5)
  --threads N       work on so many CPUs (default: all, where it is worth while); the model is the same with any number
  --out FOLDER      the model repository (default: MODELS_DIR, else ./models)
  --force           replace a version that exists
  --json            print {"name", "version", "folder", "metrics", "files", "notices"}, a line per model

SOURCE_DATE_EPOCH (seconds since 1970) sets the manifest's createdAt, for builds that can be repeated.

Example:
  modelport train --data flowers.csv --target species --name flowers
`,
  run: async (args, terminal) => {
    const flags = readFlags(args)
    const out = flags.out ?? (terminal.env['MODELS_DIR'] || './models')
    for (const { plan, folder } of await readPlans(flags)) {
      const version = versionOf(plan)
      const { force } = flags
      await checkVersionName(out, plan.name, version, { force })
      const progress = trainProgress(terminal, flags.json)
      const trained = await trainVersion(plan, { folder, createdAt: creationTime(terminal), threads: flags.threads, events: progress }).finally(progress.end)
      const written = await writeVersion(out, plan.name, version, trained.files, { force })
      print(trained, written, flags.json, terminal)
    }
  },
}

type Flags = ReturnType<typeof readFlags>

function readFlags (args: readonly string[]) {
  const values = parse(args)
  if (values.config === undefined) {
    for (const flag of ['data', 'target', 'name'] as const) {
      if (values[flag] === undefined) throw new UsageError(`--${flag} is missing: give --data, --target and --name, or --config`)
    }
  } else if (values.data !== undefined) {
    throw new UsageError('--data and --config exclude each other: the training file says where the data is')
  } else if (values.config.length > 1 && (values.name ?? values.target ?? values.version) !== undefined) {
    throw new UsageError('--name, --target and --version are for one model: give one --config')
  }
  return {
    ...values,
    algorithm: readAlgorithm(values.algorithm),
    params: readParams({
      ...values,
      trees: readInteger('trees', values.trees, 1, 10_000),
      maxDepth: readInteger('max-depth', values['max-depth'], 1, 64),
    }),
    seed: readInteger('seed', values.seed, 0, 2 ** 32 - 1),
    cv: readInteger('cv', values.cv, 0, 50),
    threads: readInteger('threads', values.threads, 1, 256),
    force: values.force === true,
    json: values.json === true,
  }
}

function parse (args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', multiple: true },
        data: { type: 'string' },
        target: { type: 'string' },
        name: { type: 'string' },
        version: { type: 'string' },
        drop: { type: 'string', multiple: true },
        algorithm: { type: 'string' },
        trees: { type: 'string' },
        'max-depth': { type: 'string' },
        params: { type: 'string', multiple: true },
        'class-weight': { type: 'string' },
        seed: { type: 'string' },
        cv: { type: 'string' },
        threads: { type: 'string' },
        out: { type: 'string' },
        force: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function readInteger (flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`)
  if (flag === 'cv' && value === 1) throw new UsageError('--cv must be 0 or at least 2')
  return value
}

function readAlgorithm (text: string | undefined): TrainingPlan['algorithm'] {
  if (text === undefined || text === 'random-forest' || text === 'gradient-boosting') return text
  throw new UsageError(`--algorithm must be random-forest or gradient-boosting, not ${JSON.stringify(text)}`)
}

async function readPlans (flags: Flags): Promise<{ plan: TrainingPlan, folder: string }[]> {
  if (flags.config === undefined) {
    const plan = { name: flags.name!, data: { file: flags.data! }, target: { column: flags.target! } }
    return [{ plan: withFlags(plan, flags), folder: '.' }]
  }
  return Promise.all(flags.config.map(async file => {
    const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new FatalError(`${file} cannot be read: ${error.code}`)
    })
    return { plan: withFlags(parseTrainingPlan(bytes, file), flags), folder: dirname(file) }
  }))
}

function withFlags (plan: TrainingPlan, { name, target, version, drop, algorithm, params, seed, cv }: Flags): TrainingPlan {
  return {
    ...plan,
    ...(name === undefined ? {} : { name }),
    ...(target === undefined ? {} : { target: { column: target } }),
    ...(version === undefined ? {} : { version }),
    ...(drop === undefined ? {} : { drop: [...plan.drop ?? [], ...drop] }),
    ...(algorithm === undefined ? {} : { algorithm }),
    params: { ...plan.params, ...params },
    ...(seed === undefined ? {} : { seed }),
    ...(cv === undefined ? {} : { cv }),
  }
}

/** The metrics that are printed; the manifest has all. */
const headline = ['accuracy', 'f1_macro', 'r2', 'mae', 'rmse']

interface Spread { mean: number, std: number }

function print ({ manifest, notices }: TrainedVersion, folder: string, json: boolean, { out, err }: Terminal): void {
  const { name, version, task, metrics = {}, training, features = [], files } = manifest
  if (json) return out(JSON.stringify({ name, version, folder, metrics, files, notices }))
  for (const notice of notices) err(`${name}: ${notice}`)
  const cv = metrics['cv'] as Record<string, Spread> & { folds: number } | undefined
  const scores = headline.flatMap((metric): [string, number][] => typeof metrics[metric] === 'number' ? [[metric, metrics[metric]]] : [])
  out(`${name} ${version}: ${task} of ${String(training?.['rows'])} rows by ${features.map(feature => feature.name).join(', ')}`)
  out(`  ${(metrics['test'] as { rows: number }).rows} rows held back: ${scores.map(([metric, score]) => `${metric} ${score.toFixed(3)}`).join(', ')}`)
  if (cv !== undefined) {
    out(`  ${cv.folds}-fold cross-validation: ${scores.map(([metric]) => `${metric} ${cv[metric]!.mean.toFixed(3)} ± ${cv[metric]!.std.toFixed(3)}`).join(', ')}`)
  }
  for (const [file, { bytes }] of Object.entries(files)) out(`  ${join(folder, file)}  ${sizeText(bytes)}`)
}
