/** Beyond this many requests a second nothing here holds any more: quotas come first. */
const highest = 100_000

/**
 * The load from which `fixed`, which costs more when nobody calls, costs no more than `metered`.
 *
 * @param fixed   USD a month by requests a second: starts higher, and may jump up where another task is needed
 * @param metered USD a month by requests a second
 * @returns       requests a second, to within a thousandth of itself, of the first crossing that lasts for 5 % of it; undefined where
 *                the curves do not cross
 */
export function breakEven (fixed: (requestsPerSecond: number) => number, metered: (requestsPerSecond: number) => number): number | undefined {
  const isDearer = (rate: number) => fixed(rate) > metered(rate)
  if (!isDearer(0)) return 0
  let low = 0
  let high = 0.01
  while (isDearer(high)) {
    low = high
    high *= 1.05
    if (high > highest) return undefined
  }
  while (high - low > high / 1000) {
    const middle = (low + high) / 2
    if (isDearer(middle)) low = middle
    else high = middle
  }
  return high
}
