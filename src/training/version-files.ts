import { createHash } from 'node:crypto'
import type { Feature, Manifest } from '../artifact/manifest.ts'
import type { Preprocessor } from '../preprocess/spec.ts'
import type { Histogram } from '../artifact/baseline.ts'
import type { Value } from '../row.ts'
import { makeBaseline } from './baseline.ts'
import type { Experiment } from './evaluate.ts'
import { outputNames } from './export.ts'
import { predictClasses } from './forest.ts'
import { makeGolden, type Sample } from './golden.ts'
import type { Fitted } from './learner.ts'
import type { Target } from './matrix.ts'
import type { Series } from './series.ts'
import { rounded, tidyJson } from '../artifact/tidy-json.ts'
import type { Table } from './table.ts'
import type { TrainingPlan } from './training-file.ts'

/** A finished training: what was asked, what was learned from, and what came out. */
export interface Training {
  readonly plan: TrainingPlan
  readonly createdAt: Date
  readonly data: Pick<Table, 'source' | 'sha256' | 'rows'>
  readonly features: readonly Feature[]
  readonly preprocessor: Preprocessor
  /** Of each feature's values. */
  readonly histograms: readonly Histogram[]
  readonly samples: readonly Sample[]
  readonly experiment: Experiment
  readonly model: Fitted
  /** What the model answers to every row. */
  readonly answers: Float32Array
  readonly metrics: Readonly<Record<string, unknown>>
}

/** Everything that the version's folder holds. */
export function versionFiles (training: Training): { manifest: Manifest, files: Record<string, Uint8Array | string> } {
  const { features, preprocessor, histograms, samples, experiment: { target, labels }, model, answers } = training
  const files = {
    'model.onnx': model.toOnnx(),
    'preprocessor.json': tidyJson(preprocessor),
    'golden.json': tidyJson(makeGolden(features, samples, target, model, answers)),
    'baseline.json': tidyJson(makeBaseline(features.map(({ name }, i) => [name, histograms[i]!]), predictionsOf(target, labels, answers), labels)),
  }
  const manifest = describeVersion(training, files)
  return { manifest, files: { 'manifest.json': tidyJson(manifest), ...files } }
}

/** Class names, or values. */
function predictionsOf (target: Target, labels: readonly string[], answers: Float32Array): Series<Value> {
  if (target.kind === 'values') return { length: answers.length, at: row => answers[row]! }
  const classes = predictClasses(answers, labels.length)
  return { length: classes.length, at: row => labels[classes[row]!]! }
}

function describeVersion (training: Training, files: Readonly<Record<string, Uint8Array | string>>): Manifest {
  const { plan, createdAt, data, features, model, experiment: { target, labels, learner: { algorithm, params }, seed }, metrics } = training
  const { label, probabilities, value } = outputNames
  const answers: Pick<Manifest, 'task' | 'labels' | 'outputs'> = target.kind === 'classes'
    ? { task: 'classification', labels: [...labels], outputs: { label, probabilities } }
    : { task: 'regression', outputs: { value } }
  return {
    schemaVersion: 1,
    name: plan.name,
    version: versionOf(plan),
    createdAt: createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    ...(plan.description === undefined ? {} : { description: plan.description }),
    ...answers,
    files: Object.fromEntries(Object.entries(files).map(([name, content]) => [name, {
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: Buffer.byteLength(content),
    }])),
    features: [...features],
    metrics: rounded(metrics) as Record<string, unknown>,
    training: {
      dataset: data.source,
      sha256: data.sha256,
      rows: data.rows,
      target: plan.target.column,
      algorithm,
      params,
      ...(model.rounds === undefined ? {} : { rounds: model.rounds }),
      seed,
    },
  }
}

export function versionOf ({ version = '1.0.0' }: TrainingPlan): string {
  return version
}
