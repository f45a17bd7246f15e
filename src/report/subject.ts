import type { Baseline } from '../artifact/baseline.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Metrics } from './metrics.ts'

/** A version that is reported on. */
export interface Subject {
  readonly manifest: Manifest
  readonly baseline: Baseline | undefined
  readonly metrics: Metrics
  /** Undefined: the metrics are those of the manifest. */
  readonly measured: Measured | undefined
}

/** The rows that the version was run on for this report. */
export interface Measured {
  readonly file: string
  readonly sha256: string
  readonly rows: number
  readonly target: string
}

export function titleOf ({ manifest: { name, version } }: Subject): string {
  return `${name} ${version}`
}

/** What the scores were measured on, as a sentence without its end. */
export function measuredOn ({ measured, metrics: { test } }: Subject): string | undefined {
  if (measured !== undefined) return `${measured.rows} rows of ${measured.file}, through the model itself`
  return test === undefined ? undefined : `${test.rows} rows that training had not seen`
}

/** The model has learned from these very rows: what it says of them is no proof. */
export function isTrainingData ({ measured, manifest: { training } }: Subject): boolean {
  return measured !== undefined && training?.['sha256'] === measured.sha256
}
