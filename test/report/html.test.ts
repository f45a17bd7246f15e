import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { html } from '../../src/report/html.ts'
import { short, signed, ticks, withSpread } from '../../src/report/numbers.ts'

describe('html', () => {
  test('escapes texts and keeps markup, lists and nothing', () => {
    expect(html`<p title="${'"&\''}">${'<b>'}${[html`<i>${1}</i>`, undefined, 'x']}</p>`.markup).toBe('<p title="&quot;&amp;&#39;">&lt;b&gt;<i>1</i>x</p>')
  })

  test('no text opens or closes a tag', () => {
    fc.assert(fc.property(fc.string(), text => {
      expect(html`${text}`.markup).not.toMatch(/[<>"']/)
    }))
  })
})

describe('numbers', () => {
  test.each([[0, '0'], [1, '1'], [0.947368, '0.9474'], [-0.5, '-0.5'], [123456.789, '123500'], [1e-7, '1.00e-7'], [2.5e9 + 0.5, '2.50e+9'], [34647, '34647']])('%d is %s', (x, text) => {
    expect(short(x)).toBe(text)
  })

  test('a difference has its sign, a mean its spread', () => {
    expect([signed(0.25), signed(-0.25), signed(0)]).toEqual(['+0.25', '−0.25', '0'])
    expect(withSpread({ mean: 0.946667, std: 0.045216 })).toBe('0.9467 ± 0.045')
  })

  test('ticks ascend in even steps around the values, and are few', () => {
    fc.assert(fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: 1, max: 1e9, noNaN: true }), (low, span) => {
      const marks = ticks(low, low + span)
      expect(marks.length).toBeGreaterThan(1)
      expect(marks.length).toBeLessThan(10)
      expect(marks[0]! <= low + span * 1e-6 && marks.at(-1)! >= low + span * (1 - 1e-6)).toBe(true)
      expect(marks.toSorted((a, b) => a - b)).toEqual(marks)
    }))
  })

  test('a single value is its own tick', () => {
    expect(ticks(3, 3)).toEqual([3])
  })
})
