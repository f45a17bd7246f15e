import fc from 'fast-check'
import { expect, test } from 'vitest'
import { regressionMetrics } from '../../src/training/metrics.ts'
import { importanceOf, importanceRows, shuffledRows } from '../../src/training/metrics-importance.ts'
import { quantile, residualsOf } from '../../src/training/metrics-residuals.ts'

// scikit-learn 1.2.1 and numpy:
//   a = np.array([3.1,-0.5,2.0,7.2,4.4,5.9,0.3]); q = np.array([2.5,0.0,2.1,7.8,4.0,6.5,-0.4])
//   m.r2_score(a, q), m.mean_absolute_error(a, q), m.mean_squared_error(a, q) ** .5
//   (a - q).mean(), np.quantile(a - q, [0, .05, .25, .5, .75, .95, 1])
const actual = Float64Array.of(3.1, -0.5, 2, 7.2, 4.4, 5.9, 0.3)
const predicted = Float64Array.of(2.5, 0, 2.1, 7.8, 4, 6.5, -0.4)

test('errors and residuals are the reference\'s', () => {
  expect(regressionMetrics(actual, predicted)).toEqual({ r2: expect.closeTo(0.9587821043910522, 12), mae: expect.closeTo(0.5, 12), rmse: expect.closeTo(0.5331845030434721, 12) })
  const { mean, quantiles } = residualsOf(actual, predicted)!
  expect(mean).toBeCloseTo(-0.01428571428571414, 12)
  expect(Object.entries(quantiles)).toEqual([
    ['min', -0.6], ['p05', -0.6], ['p25', -0.55], ['p50', -0.1], ['p75', 0.5], ['p95', 0.67], ['max', 0.7],
  ].map(([name, value]) => [name, expect.closeTo(value as number, 12)]))
})

test('the histogram counts every residual once, between its outer edges', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 }), values => {
    const { histogram: { edges, counts }, quantiles } = residualsOf(Float64Array.from(values), values.map(() => 0))!
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length)
    expect(edges).toHaveLength(counts.length + 1)
    expect(edges[0]).toBeCloseTo(Math.min(...values), 6)
    expect(edges.at(-1)).toBeCloseTo(Math.max(...values), 6)
    const inOrder = Object.values(quantiles)
    expect(inOrder.toSorted((a, b) => a - b)).toEqual(inOrder)
  }))
})

test('of no rows there are none, and of equal ones a single bin', () => {
  expect(residualsOf(new Float64Array(0), [])).toBeUndefined()
  expect(residualsOf(Float64Array.of(3, 4), [1, 2])!.histogram).toEqual({ edges: [2, 2], counts: [2] })
})

test('at most a hundred rows are kept, from the lowest actual value to the highest', () => {
  const many = Float64Array.from({ length: 5000 }, (_, i) => i * 7919 % 5000)
  const { points } = residualsOf(many, many)!
  expect(points).toHaveLength(100)
  expect([points[0], points.at(-1)]).toEqual([[0, 0], [4999, 4999]])
})

test('a quantile lies between its neighbours in proportion', () => {
  expect([0, 0.25, 0.5, 1].map(share => quantile(Float64Array.of(1, 2, 4), share))).toEqual([1, 1.5, 2, 4])
})

test('importance is what is lost, the largest loss first', () => {
  expect(importanceOf('r2', 9, ['idle', 'needed'], 0.9, [[0.9, 0.92], [0.2, 0.4]])).toMatchObject({
    metric: 'r2',
    rows: 9,
    features: [{ feature: 'needed', mean: expect.closeTo(0.6, 12), std: expect.closeTo(0.1, 12) }, { feature: 'idle', mean: expect.closeTo(-0.01, 12) }],
  })
})

test('shuffles are permutations, the same for the same seed and others for other features', () => {
  const order = shuffledRows(50, 42, 1, 2)
  expect(Array.from(order).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(shuffledRows(50, 42, 1, 2)).toEqual(order)
  for (const other of [shuffledRows(50, 42, 1, 3), shuffledRows(50, 42, 2, 2), shuffledRows(50, 7, 1, 2)]) expect(other).not.toEqual(order)
})

test('importance looks at a thousand rows at most, evenly chosen', () => {
  expect(Array.from(importanceRows(3))).toEqual([0, 1, 2])
  const rows = importanceRows(2500)
  expect([rows.length, rows[0], rows.at(-1)]).toEqual([1000, 0, 2497])
})
