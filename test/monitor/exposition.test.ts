import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBuckets, observe } from '../../src/monitor/buckets.ts'
import { exposition } from '../../src/monitor/exposition.ts'
import { parseSeries } from './prometheus-text.ts'

test('a metric is its help, its type and a line per series', () => {
  const text = exposition([
    { name: 'rows', type: 'gauge', help: 'Rows now', labels: [], samples: [[[], 3]] },
    { name: 'seen_total', type: 'counter', help: 'Seen', labels: ['a', 'b'], samples: [[['x', 'y'], 1], [['x', 'z'], 2.5]] },
  ])
  expect(text).toBe([
    '# HELP rows Rows now', '# TYPE rows gauge', 'rows 3', '',
    '# HELP seen_total Seen', '# TYPE seen_total counter', 'seen_total{a="x",b="y"} 1', 'seen_total{a="x",b="z"} 2.5', '',
  ].join('\n'))
})

test('any label value and help come back as they were', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'n', '{', '}', ',', '=', ' ', 'é') }), value => {
    const text = exposition([{ name: 'm', type: 'gauge', help: value, labels: ['first', 'second'], samples: [[[value, 'x'], 1]] }])
    expect(parseSeries(text)).toEqual([{ name: 'm', labels: { first: value, second: 'x' }, value: 1 }])
  }))
})

describe('a histogram', () => {
  const histogram = (values: readonly number[]) => {
    const buckets = createBuckets(Float64Array.of(0.1, 1))
    for (const value of values) observe(buckets, value)
    return exposition([{ name: 'h', type: 'histogram', help: 'H', labels: ['s'], samples: [[['run'], buckets]] }])
  }

  test('counts a value in the first bound that it does not exceed and in all above', () => {
    expect(histogram([0.1, 0.5, 1, 7])).toContain([
      'h_bucket{s="run",le="0.1"} 1', 'h_bucket{s="run",le="1"} 3', 'h_bucket{s="run",le="+Inf"} 4', 'h_sum{s="run"} 8.6', 'h_count{s="run"} 4',
    ].join('\n'))
  })

  test('has buckets that never fall, the last equal to the count', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 3, noNaN: true })), values => {
      const counts = parseSeries(histogram(values)).filter(({ name }) => name !== 'h_sum').map(({ value }) => value)
      expect(counts).toEqual([...counts].sort((a, b) => a - b))
      expect(counts.slice(-2)).toEqual([values.length, values.length])
    }))
  })
})
