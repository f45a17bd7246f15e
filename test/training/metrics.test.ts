import { expect, test } from 'vitest'
import { classificationMetrics, mean, regressionMetrics, standardDeviation } from '../../src/training/metrics.ts'

test('classification, against a confusion matrix worked out by hand', () => {
  const actual = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
  const predicted = Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2, 2)
  const metrics = classificationMetrics(actual, predicted, ['a', 'b', 'c'])
  expect(metrics.confusion_matrix).toEqual([[3, 1, 0], [0, 2, 1], [0, 0, 3]])
  expect(metrics.accuracy).toBe(0.8)
  expect(metrics.per_class).toEqual([
    { label: 'a', precision: 1, recall: 0.75, f1: expect.closeTo(6 / 7, 12), support: 4 },
    { label: 'b', precision: expect.closeTo(2 / 3, 12), recall: expect.closeTo(2 / 3, 12), f1: expect.closeTo(2 / 3, 12), support: 3 },
    { label: 'c', precision: 0.75, recall: 1, f1: expect.closeTo(6 / 7, 12), support: 3 },
  ])
  expect(metrics.f1_macro).toBeCloseTo((6 / 7 + 2 / 3 + 6 / 7) / 3, 12)
})

test('a class that is neither there nor predicted counts as 0', () => {
  const { per_class: [, absent] } = classificationMetrics(Int32Array.of(0), Int32Array.of(0), ['a', 'b'])
  expect(absent).toEqual({ label: 'b', precision: 0, recall: 0, f1: 0, support: 0 })
})

test('regression, worked out by hand', () => {
  const { r2, mae, rmse } = regressionMetrics(Float64Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 3, 6))
  expect(r2).toBeCloseTo(1 - 4 / 5, 12)
  expect(mae).toBe(0.5)
  expect(rmse).toBe(1)
})

test('values that do not vary explain nothing', () => {
  expect(regressionMetrics(Float64Array.of(2, 2), Float32Array.of(2, 3)).r2).toBe(0)
})

test('mean and standard deviation', () => {
  expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5)
  expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2)
})
