import type { Baseline, Histogram } from '../artifact/baseline.ts'
import type { Feature } from '../artifact/manifest.ts'
import { type Bins, CategoryBins, NumberBins } from '../monitor/bins.ts'
import type { Value } from '../row.ts'
import type { Series } from './series.ts'

const bins = 10

/**
 * The training data in histograms, with the bins by which the server counts what it is sent.
 *
 * @param features each with its name
 * @param predictions the class names, or the values, that the model gives for the rows
 */
export function makeBaseline (features: readonly (readonly [string, Histogram])[], predictions: Series<Value>, labels: readonly string[]): Baseline {
  return {
    schemaVersion: 1,
    rows: predictions.length,
    features: Object.fromEntries(features),
    prediction: labels.length > 0 ? categoryHistogram(predictions, labels) : numberHistogram(predictions),
  }
}

export function featureHistogram ({ type }: Feature, values: Series<Value>): Histogram {
  if (type === 'number' || type === 'integer') return numberHistogram(values)
  const seen = new Set<Value>()
  for (let row = 0; row < values.length; row++) seen.add(values.at(row))
  return categoryHistogram(values, [...seen].filter(value => typeof value === 'string' || typeof value === 'boolean').sort())
}

/** Inner borders at the deciles, each once and no longer than a person can read. */
function numberHistogram (values: Series<Value>): Histogram {
  const sorted = knownNumbers(values).sort()
  const deciles = sorted.length === 0 ? [] : Array.from({ length: bins - 1 }, (_, i) => sorted[Math.floor((i + 1) * sorted.length / bins)]!)
  const edges = [...new Set(deciles.map(edge => Number(edge.toPrecision(6))))].filter(edge => edge > sorted[0]!)
  const empty = { kind: 'number' as const, edges, counts: edges.concat(0).map(() => 0), missing: 0 }
  const counts = count(values, new NumberBins(empty))
  return { ...empty, counts: counts.slice(0, -1), missing: counts.at(-1)! }
}

function knownNumbers (values: Series<Value>): Float64Array {
  const known = new Float64Array(values.length)
  let length = 0
  for (let row = 0; row < values.length; row++) {
    const value = values.at(row)
    if (typeof value === 'number') known[length++] = value
  }
  return known.subarray(0, length)
}

function categoryHistogram (values: Series<Value>, categories: readonly (string | boolean)[]): Histogram {
  const empty = { kind: 'category' as const, categories: [...categories], counts: categories.map(() => 0), other: 0, missing: 0 }
  const counts = count(values, new CategoryBins(empty))
  return { ...empty, counts: counts.slice(0, -2), other: counts.at(-2)!, missing: counts.at(-1)! }
}

function count (values: Series<Value>, bins: Bins): number[] {
  const counts = new Array<number>(bins.size).fill(0)
  for (let row = 0; row < values.length; row++) counts[bins.find(values.at(row))]! += 1
  return counts
}
