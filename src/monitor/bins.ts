import type { Histogram } from '../artifact/baseline.ts'
import type { Value } from '../row.ts'

type NumberHistogram = Extract<Histogram, { kind: 'number' }>
type CategoryHistogram = Extract<Histogram, { kind: 'category' }>

/** Tells the bin of a value without allocating. The last bin is always that of missing values. */
export interface Bins {
  readonly size: number
  find: (value: Value) => number
}

export class NumberBins implements Bins {
  readonly size: number
  readonly #edges: Float64Array

  constructor (histogram: NumberHistogram) {
    this.#edges = Float64Array.from(histogram.edges)
    this.size = histogram.edges.length + 2
  }

  /** As many edges as the value has reached: bin i holds edges[i-1] <= x < edges[i]. */
  find (value: Value): number {
    if (typeof value !== 'number' || Number.isNaN(value)) return this.size - 1
    const edges = this.#edges
    let low = 0
    let high = edges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value < edges[middle]!) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** One bin per category, one for any other value, one for missing. */
export class CategoryBins implements Bins {
  readonly size: number
  readonly #bins = new Map<Value, number>()

  constructor (histogram: CategoryHistogram) {
    histogram.categories.forEach((category, bin) => this.#bins.set(category, bin))
    this.size = histogram.categories.length + 2
  }

  find (value: Value): number {
    if (value === null) return this.size - 1
    return this.#bins.get(value) ?? this.size - 2
  }
}

/** The same bins for a predicted class, which arrives as its index among the labels. */
export class ClassBins implements Bins {
  readonly size: number
  readonly #bins: readonly number[]

  constructor (histogram: CategoryHistogram, labels: readonly string[]) {
    const categories = new CategoryBins(histogram)
    this.#bins = labels.map(label => categories.find(label))
    this.size = categories.size
  }

  find (classIndex: Value): number {
    return this.#bins[classIndex as number] ?? this.size - 2
  }
}

/** For a feature without a baseline: there, or missing. */
export const presence: Bins = {
  size: 2,
  find: value => value === null || Number.isNaN(value) ? 1 : 0,
}

/** A baseline's counts in the order of its bins. */
export function baselineCounts (histogram: Histogram): number[] {
  return histogram.kind === 'number'
    ? [...histogram.counts, histogram.missing]
    : [...histogram.counts, histogram.other, histogram.missing]
}
