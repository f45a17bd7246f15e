import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jensenShannon, kolmogorovSmirnov, psi } from '../../src/monitor/drift.ts'

const count = fc.oneof(fc.constant(0), fc.nat(20), fc.nat(5_000_000))
/** Two histograms over the same bins, neither empty. */
const pair = fc.integer({ min: 1, max: 20 }).chain(bins => {
  const counts = fc.array(count, { minLength: bins, maxLength: bins }).filter(values => values.some(value => value > 0))
  return fc.tuple(counts, counts)
})

const tests = [
  { name: 'psi', distance: psi, largest: 2 * Math.log(10_000) },
  { name: 'Jensen–Shannon', distance: jensenShannon, largest: 1 },
  { name: 'Kolmogorov–Smirnov', distance: kolmogorovSmirnov, largest: 1 },
]

describe.each(tests)('$name', ({ distance, largest }) => {
  test('is a finite number from 0 to its largest value', () => {
    fc.assert(fc.property(pair, ([a, b]) => {
      const value = distance(a, b)
      expect(Number.isFinite(value)).toBe(true)
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(largest)
    }))
  })

  test('is 0 for the same shares, however many rows they are of', () => {
    fc.assert(fc.property(pair, fc.integer({ min: 1, max: 1_000 }), ([counts], times) => {
      expect(distance(counts, counts.map(value => value * times))).toBeCloseTo(0, 12)
    }))
  })

  test('is the same in both directions', () => {
    fc.assert(fc.property(pair, ([a, b]) => {
      expect(distance(a, b)).toBeCloseTo(distance(b, a) ?? NaN, 10)
    }))
  })

  test('grows as rows move from one bin to another', () => {
    const moved = [0, 10, 20, 30, 40, 50].map(rows => distance([50, 50], [50 - rows, 50 + rows]) ?? NaN)
    expect(moved).toEqual([...moved].sort((a, b) => a - b))
    expect(new Set(moved).size).toBe(moved.length)
  })

  test.each([
    ['the first', [0, 0], [1, 2]],
    ['the second', [1, 2], [0, 0]],
    ['both', [0, 0], [0, 0]],
  ])('is undefined when %s counted nothing', (_, a, b) => {
    expect(distance(a, b)).toBeUndefined()
  })
})

describe('worked by hand', () => {
  test('psi of halves against a quarter and three quarters', () => {
    expect(psi([50, 50], [25, 75])).toBeCloseTo(0.25 * Math.log(2) + 0.25 * Math.log(1.5), 12)
  })

  test('psi of an empty bin takes its share for 0.0001', () => {
    expect(psi([50, 50], [0, 100])).toBeCloseTo(0.4999 * Math.log(0.5 / 0.0001) + 0.5 * Math.log(2), 12)
  })

  test('Kolmogorov–Smirnov is the largest gap between the cumulative shares', () => {
    expect(kolmogorovSmirnov([10, 10, 10, 10], [0, 10, 20, 10])).toBeCloseTo(0.25, 12)
    expect(kolmogorovSmirnov([10, 0, 0], [0, 0, 10])).toBe(1)
  })

  test('Jensen–Shannon is one bit for histograms that share no bin', () => {
    expect(jensenShannon([10, 0], [0, 3])).toBe(1)
  })
})
