import { mean } from './metrics.ts'
import type { Point } from './metrics-curves.ts'

/** What is left of the actual values when the predicted ones are taken away. */
export interface Residuals {
  /** Above 0: the model says too little. */
  mean: number
  /** By name: min, p05, p25, p50, p75, p95, max. */
  quantiles: Record<string, number>
  /** Ranges of equal width: `edges` has one member more than `counts`. */
  histogram: { edges: number[], counts: number[] }
  /** Some rows, from the lowest actual value to the highest: actual and predicted. */
  points: Point[]
}

const named = { min: 0, p05: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95, max: 1 } as const
const bins = 20
const maxPoints = 100

/** @returns undefined of no rows */
export function residualsOf (actual: Float64Array, predicted: ArrayLike<number>): Residuals | undefined {
  if (actual.length === 0) return undefined
  const sorted = actual.map((value, row) => value - predicted[row]!).sort()
  return {
    mean: mean(Array.from(sorted)),
    quantiles: Object.fromEntries(Object.entries(named).map(([name, share]) => [name, quantile(sorted, share)])),
    histogram: histogramOf(sorted),
    points: sampleOf(actual, predicted),
  }
}

/** Between two values in proportion to their distance. */
export function quantile (sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1)
  const low = sorted[Math.floor(place)]!
  return low + (sorted[Math.ceil(place)]! - low) * (place - Math.floor(place))
}

function histogramOf (sorted: Float64Array): Residuals['histogram'] {
  const [low, high] = [sorted[0]!, sorted.at(-1)!]
  const width = (high - low) / bins
  if (width === 0) return { edges: [low, high], counts: [sorted.length] }
  const counts = new Array<number>(bins).fill(0)
  for (const value of sorted) counts[Math.min(bins - 1, Math.floor((value - low) / width))]! += 1
  return { edges: Array.from({ length: bins + 1 }, (_, i) => low + i * width), counts }
}

function sampleOf (actual: Float64Array, predicted: ArrayLike<number>): Point[] {
  const rows = Int32Array.from(actual, (_, row) => row).sort((a, b) => actual[a]! - actual[b]!)
  const count = Math.min(rows.length, maxPoints)
  return Array.from({ length: count }, (_, i) => {
    const row = rows[count === 1 ? 0 : Math.round(i * (rows.length - 1) / (count - 1))]!
    return [actual[row]!, predicted[row]!]
  })
}
