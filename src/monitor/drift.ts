/**
 * How far two histograms over the same bins are apart. Each function takes counts, compares shares,
 * and gives undefined when one side has counted nothing: there is no distance to an empty histogram.
 */
type Counts = ArrayLike<number>

export type DriftTest = 'psi' | 'ks' | 'js'

/** A smaller share counts as this much: an empty bin would make the PSI infinite. */
const smallestShare = 1e-4

/**
 * Population stability index, the sum of (b - a) · ln(b / a) over the bins' shares: symmetric, 0 for
 * equal shares, at most 2 · ln(10,000) ≈ 18.4.
 */
export function psi (expected: Counts, observed: Counts): number | undefined {
  return overShares(expected, observed, (a, b) => {
    const from = Math.max(a, smallestShare)
    const to = Math.max(b, smallestShare)
    return (to - from) * Math.log(to / from)
  })
}

/** Jensen–Shannon divergence in bits: symmetric, 0 for equal shares, 1 when no bin is shared. */
export function jensenShannon (expected: Counts, observed: Counts): number | undefined {
  const divergence = overShares(expected, observed, (a, b) => {
    const middle = (a + b) / 2
    return (entropyTerm(a, middle) + entropyTerm(b, middle)) / 2
  })
  return divergence === undefined ? undefined : withinUnit(divergence)
}

/**
 * Kolmogorov–Smirnov: the largest distance between the two cumulative shares, seen at the borders of
 * the bins only, so never above that of the values themselves. From 0 to 1. The bins must be ordered.
 */
export function kolmogorovSmirnov (expected: Counts, observed: Counts): number | undefined {
  let difference = 0
  let largest = 0
  const total = overShares(expected, observed, (a, b) => {
    difference += b - a
    largest = Math.max(largest, Math.abs(difference))
    return 0
  })
  return total === undefined ? undefined : withinUnit(largest)
}

export function sum (counts: Counts): number {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i]!
  return total
}

function overShares (expected: Counts, observed: Counts, term: (a: number, b: number) => number): number | undefined {
  const expectedTotal = sum(expected)
  const observedTotal = sum(observed)
  if (expectedTotal === 0 || observedTotal === 0) return undefined
  let total = 0
  for (let i = 0; i < expected.length; i++) total += term(expected[i]! / expectedTotal, observed[i]! / observedTotal)
  return total
}

function entropyTerm (share: number, middle: number): number {
  return share === 0 ? 0 : share * Math.log2(share / middle)
}

/** Rounding may leave the interval by an ulp. */
function withinUnit (value: number): number {
  return Math.min(1, Math.max(0, value))
}
