import type { Baseline, Histogram } from '../artifact/baseline.ts'
import type { Feature } from '../artifact/manifest.ts'
import { type Bins, CategoryBins, NumberBins } from '../monitor/bins.ts'
import type { Row, Value } from '../row.ts'

const bins = 10

/**
 * The training data in histograms, with the bins by which the server counts what it is sent.
 *
 * @param predictions the class names, or the values, that the model gives for the rows
 */
export function makeBaseline (features: readonly Feature[], rows: readonly Row[], predictions: readonly Value[], labels: readonly string[]): Baseline {
  return {
    schemaVersion: 1,
    rows: rows.length,
    features: Object.fromEntries(features.map((feature, i) => [feature.name, featureHistogram(feature, rows.map(row => row[i]!))])),
    prediction: labels.length > 0 ? categoryHistogram(predictions, labels) : numberHistogram(predictions),
  }
}

function featureHistogram ({ type }: Feature, values: readonly Value[]): Histogram {
  if (type === 'number' || type === 'integer') return numberHistogram(values)
  const categories = [...new Set(values)].filter(value => typeof value === 'string' || typeof value === 'boolean').sort()
  return categoryHistogram(values, categories)
}

/** Inner borders at the deciles, each once and no longer than a person can read. */
function numberHistogram (values: readonly Value[]): Histogram {
  const sorted = values.filter(value => typeof value === 'number').sort((a, b) => a - b)
  const deciles = sorted.length === 0 ? [] : Array.from({ length: bins - 1 }, (_, i) => sorted[Math.floor((i + 1) * sorted.length / bins)]!)
  const edges = [...new Set(deciles.map(edge => Number(edge.toPrecision(6))))].filter(edge => edge > sorted[0]!)
  const empty = { kind: 'number' as const, edges, counts: edges.concat(0).map(() => 0), missing: 0 }
  const counts = count(values, new NumberBins(empty))
  return { ...empty, counts: counts.slice(0, -1), missing: counts.at(-1)! }
}

function categoryHistogram (values: readonly Value[], categories: readonly (string | boolean)[]): Histogram {
  const empty = { kind: 'category' as const, categories: [...categories], counts: categories.map(() => 0), other: 0, missing: 0 }
  const counts = count(values, new CategoryBins(empty))
  return { ...empty, counts: counts.slice(0, -2), other: counts.at(-2)!, missing: counts.at(-1)! }
}

function count (values: readonly Value[], bins: Bins): number[] {
  const counts = new Array<number>(bins.size).fill(0)
  for (const value of values) counts[bins.find(value)]! += 1
  return counts
}
