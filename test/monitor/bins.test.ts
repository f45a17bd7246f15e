import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CategoryBins, ClassBins, NumberBins, baselineCounts, presence } from '../../src/monitor/bins.ts'

const numbers = (edges: number[]) => new NumberBins({ kind: 'number', edges, counts: [], missing: 0 })
const plans = { kind: 'category' as const, categories: ['basic', 'pro'], counts: [3, 4], other: 2, missing: 1 }

describe('a number', () => {
  test('falls into the bin whose edges enclose it, the lower one included', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true })), fc.double({ noNaN: true }), (unsorted, value) => {
      const edges = unsorted.map(edge => edge + 0).sort((a, b) => a - b)
      const bin = numbers(edges).find(value)
      expect(edges[bin - 1] ?? -Infinity).toBeLessThanOrEqual(value)
      if (bin < edges.length) expect(value).toBeLessThan(edges[bin]!)
    }))
  })

  test.each([[0.99, 0], [1, 1], [1.5, 1], [2, 2], [1e300, 2], [-Infinity, 0]])('%d of the edges 1 and 2 is in bin %i', (value, bin) => {
    expect(numbers([1, 2]).find(value)).toBe(bin)
  })

  test.each([[null], [NaN], ['1']])('%j is in the last bin, that of missing values', value => {
    expect(numbers([1, 2]).find(value)).toBe(3)
  })

  test('without edges has one bin', () => {
    expect(numbers([]).find(7)).toBe(0)
    expect(numbers([]).find(null)).toBe(1)
  })
})

describe('a category', () => {
  test.each([['basic', 0], ['pro', 1], ['gold', 2], ['', 2], [null, 3]])('%j is in bin %i', (value, bin) => {
    expect(new CategoryBins(plans).find(value)).toBe(bin)
  })

  test('may be a truth value, which is not the text of it', () => {
    const bins = new CategoryBins({ ...plans, categories: [false, true] })
    expect([false, true, 'true', null].map(value => bins.find(value))).toEqual([0, 1, 2, 3])
  })
})

test('a class is found by its index among the labels, in whatever order the baseline has them', () => {
  const bins = new ClassBins(plans, ['pro', 'basic', 'gold'])
  expect([0, 1, 2, 9, -1].map(index => bins.find(index))).toEqual([1, 0, 2, 2, 2])
})

test('without a baseline a value is there or missing', () => {
  expect([7, '', false, null, NaN].map(presence.find)).toEqual([0, 0, 0, 1, 1])
})

test('a baseline counts in the order of its bins: values, others, missing', () => {
  expect(baselineCounts(plans)).toEqual([3, 4, 2, 1])
  expect(baselineCounts({ kind: 'number', edges: [1], counts: [5, 6], missing: 2 })).toEqual([5, 6, 2])
})
