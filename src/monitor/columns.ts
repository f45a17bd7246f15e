import type { Baseline, Histogram } from '../artifact/baseline.ts'
import type { Feature, Manifest } from '../artifact/manifest.ts'
import { type Bins, CategoryBins, ClassBins, NumberBins, baselineCounts, presence } from './bins.ts'
import { type DriftTest, jensenShannon, kolmogorovSmirnov, psi, sum } from './drift.ts'

/** What is compared with the training data: a feature, or the prediction. */
export interface Column {
  readonly bins: Bins
  /** The training data in the same bins; undefined: only missing values are told apart. */
  readonly baseline: { readonly kind: Histogram['kind'], readonly counts: readonly number[] } | undefined
}

export interface Drift { readonly test: DriftTest, readonly value: number }

/** A histogram of another kind than the feature, or with too few counts, is no baseline. */
export function featureColumn ({ name, type }: Feature, baseline: Baseline | undefined): Column {
  const histogram = baseline?.features[name]
  const kind = type === 'number' || type === 'integer' ? 'number' : 'category'
  const column = histogram?.kind === kind ? compared(binsOf(histogram), histogram) : undefined
  return column ?? { bins: presence, baseline: undefined }
}

export function predictionColumn ({ task, labels }: Manifest, baseline: Baseline | undefined): Column | undefined {
  const histogram = baseline?.prediction
  if (task === 'classification' && histogram?.kind === 'category') return compared(new ClassBins(histogram, labels ?? []), histogram)
  if (task === 'regression' && histogram?.kind === 'number') return compared(new NumberBins(histogram), histogram)
  return undefined
}

/**
 * Missing values are a bin of their own for psi and js; ks needs an order, so it leaves them out.
 *
 * @param counts      what was seen, in the column's bins
 * @param minimumRows no ks of fewer values
 */
export function driftOf ({ baseline }: Column, counts: readonly number[], minimumRows: number): Drift[] {
  if (baseline === undefined) return []
  const drift = [{ test: 'psi' as const, value: psi(baseline.counts, counts) }, second(baseline, counts, minimumRows)]
  return drift.filter((entry): entry is Drift => entry.value !== undefined)
}

function second (baseline: NonNullable<Column['baseline']>, counts: readonly number[], minimumRows: number): { test: DriftTest, value: number | undefined } {
  if (baseline.kind === 'category') return { test: 'js', value: jensenShannon(baseline.counts, counts) }
  const values = counts.slice(0, -1)
  const value = sum(values) < minimumRows ? undefined : kolmogorovSmirnov(baseline.counts.slice(0, -1), values)
  return { test: 'ks', value }
}

function binsOf (histogram: Histogram): Bins {
  return histogram.kind === 'number' ? new NumberBins(histogram) : new CategoryBins(histogram)
}

function compared (bins: Bins, histogram: Histogram): Column | undefined {
  const counts = baselineCounts(histogram)
  return counts.length === bins.size ? { bins, baseline: { kind: histogram.kind, counts } } : undefined
}
