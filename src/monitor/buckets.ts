/**
 * Observations counted by size, as a Prometheus histogram needs them. Plain data, so that what
 * several processes counted can be added up.
 */
export interface Buckets {
  /** Ascending; an observation belongs to the first bound that it does not exceed. */
  readonly bounds: Float64Array
  /** Not cumulative; one more than `bounds`, the last for what exceeds every bound. */
  readonly counts: Float64Array
  sum: number
}

/** Seconds: a single row through a small forest takes some 100 µs, a request may last 10 s. */
export const durationBounds = Float64Array.of(
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
)

export const rowBounds = Float64Array.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)

export function createBuckets (bounds: Float64Array): Buckets {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 }
}

/** Adds what was counted within the same bounds. */
export function addInto (total: Buckets, { counts, sum }: Buckets): void {
  counts.forEach((count, i) => { total.counts[i]! += count })
  total.sum += sum
}

/** Called for every stage of every request: it allocates nothing. */
export function observe (buckets: Buckets, value: number): void {
  const { bounds } = buckets
  let bucket = 0
  while (bucket < bounds.length && value > bounds[bucket]!) bucket++
  buckets.counts[bucket]! += 1
  buckets.sum += value
}
