import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changed, CodedSeries, listOf, NumberSeries, pick, type Series } from '../../src/training/series.ts'

/** More than two chunks of memory. */
const length = 2 * 2 ** 16 + 100

function numbers (): NumberSeries {
  const series = new NumberSeries()
  for (let row = 0; row < length; row++) series.push(row % 7 === 0 ? NaN : row / 8)
  return series
}

const kinds: [string, () => Series<unknown>][] = [
  ['numbers', numbers],
  ['some of many numbers', () => pick(numbers(), Int32Array.from({ length: length / 2 }, (_, i) => 2 * i + 1))],
  ['some of some numbers', () => pick(pick(numbers(), Int32Array.from({ length: length - 50 }, (_, i) => i + 50)), Int32Array.of(0, 5, 70_000, 131_000))],
  ['texts', () => new CodedSeries(Array.from({ length }, (_, row) => `t${row % 300}`))],
  ['changed texts', () => changed(new CodedSeries(Array.from({ length }, (_, row) => row % 300)), String)],
]

describe('a column that gives back the memory of its first rows', () => {
  it.each(kinds)('still has all others: %s', (_, make) => {
    const all = listOf(make())
    fc.assert(fc.property(fc.integer({ min: 0, max: all.length }), before => {
      const series = make()
      series.release?.(before)
      for (let row = before; row < all.length; row += 997) expect(series.at(row)).toBe(all[row])
      if (before < all.length) expect(series.at(before)).toBe(all[before])
    }), { numRuns: 5 })
  })

  it.each(kinds)('never answers for those that are gone: %s', (_, make) => {
    const series = make()
    series.release?.(series.length)
    series.release?.(series.length)
    expect(() => series.at(0)).toThrow(TypeError)
    expect(() => series.at(series.length - 1)).toThrow(TypeError)
  })
})
