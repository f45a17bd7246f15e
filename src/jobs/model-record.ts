import type { Manifest } from '../artifact/manifest.ts'
import type { RawAccount } from './clean-raw.ts'

export const recordKey = 'training.json'
export const metricsKey = 'metrics.json'

/** training.json: what a model registry asks of a new version. */
export interface TrainingRecord {
  readonly schemaVersion: 1
  readonly model: { readonly name: string, readonly version: string }
  readonly description: string
  /** Where metrics.json is. */
  readonly metrics: string
  /** What the version was made of: texts of at most 256 characters, as SageMaker takes them. */
  readonly metadata: Readonly<Record<string, string>>
  readonly raw: RawAccount
}

interface Made {
  readonly manifest: Manifest
  readonly manifestSha256: string
  readonly metricsAddress: string
  readonly image: string | undefined
  readonly horizonDays: number
  readonly cutoff: string
  readonly customers: number
  readonly purchases: number
  readonly raw: RawAccount
}

export function recordOf ({ manifest, manifestSha256, metricsAddress, image, horizonDays, cutoff, customers, purchases, raw }: Made): TrainingRecord {
  const { name, version, training = {} } = manifest
  const facts: Record<string, unknown> = {
    model: name,
    version,
    manifest_sha256: manifestSha256,
    dataset_sha256: training['sha256'],
    dataset_rows: customers,
    purchases,
    cutoff,
    horizon_days: horizonDays,
    algorithm: training['algorithm'],
    seed: training['seed'],
    image,
    raw_files: raw.known + raw.cleaned.length,
    raw_files_unreadable: raw.unreadable.length,
    ...mainScores(manifest),
  }
  const metadata = Object.fromEntries(Object.entries(facts).flatMap(([key, value]) => value === undefined ? [] : [[key, String(value).slice(0, 256)]]))
  return { schemaVersion: 1, model: { name, version }, description: `Whether a customer buys again within ${horizonDays} days of ${cutoff}`, metrics: metricsAddress, metadata, raw }
}

/** Scores that tell most, for whoever approves. */
const headline = ['accuracy', 'balanced_accuracy', 'f1_macro', 'roc_auc', 'r2', 'mae', 'rmse']

function mainScores ({ metrics = {} }: Manifest): Record<string, unknown> {
  return Object.fromEntries(headline.flatMap(name => typeof metrics[name] === 'number' ? [[name, metrics[name].toFixed(4)]] : []))
}

/** The metrics that are one number each, in the form that SageMaker draws. */
export function sagemakerMetrics ({ task, labels, metrics = {} }: Manifest): object {
  const kind = task === 'regression' ? 'regression_metrics' : labels?.length === 2 ? 'binary_classification_metrics' : 'multiclass_classification_metrics'
  const scores = Object.entries(metrics).flatMap(([name, value]) => typeof value === 'number' ? [[name, { value, standard_deviation: 'NaN' }]] : [])
  return { [kind]: Object.fromEntries(scores) }
}
