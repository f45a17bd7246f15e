import fc from 'fast-check'
import { expect, test } from 'vitest'
import { binMatrix, missingBin } from '../../src/training/bins.ts'

const float32 = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(1, 1 + 2 ** -23, 1 + 2 ** -22, 0, -0, 2 ** -149, -(2 ** -149))
)

test('up to 255 distinct float32 values are told apart, however close, and missing ones from them', () => {
  fc.assert(fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: float32 }, fc.constant(NaN)), { minLength: 1, maxLength: 250 }), values => {
    const { codes } = binMatrix({ data: Float32Array.from(values), rows: values.length, columns: 1 })
    const ranks = [...new Set(values.filter(value => !Number.isNaN(value)).map(value => value + 0))].sort((a, b) => a - b)
    expect(Array.from(codes)).toEqual(values.map(value => Number.isNaN(value) ? missingBin : ranks.indexOf(value + 0)))
  }))
})

test('x is in bin b or one below exactly when x <= thresholds[b], also with more values than bins', () => {
  fc.assert(fc.property(fc.array(float32, { minLength: 300, maxLength: 1000 }), values => {
    const { codes, thresholds: [thresholds] } = binMatrix({ data: Float32Array.from(values), rows: values.length, columns: 1 })
    expect(thresholds!.length).toBeLessThan(missingBin)
    values.forEach((value, row) => thresholds!.forEach((threshold, bin) => {
      if ((value <= threshold) !== (codes[row]! <= bin)) expect.fail(`${value} in bin ${codes[row]} beside ${threshold}`)
    }))
  }), { numRuns: 20 })
})

test('with more values than bins, the bins hold about equal numbers of rows', () => {
  const data = Float32Array.from({ length: 25_500 }, (_, i) => Math.exp(i / 5000))
  const { codes } = binMatrix({ data, rows: data.length, columns: 1 })
  const counts = new Map<number, number>()
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1)
  expect(counts.size).toBe(missingBin)
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(101)
})
