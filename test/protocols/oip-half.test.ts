import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHalf, toHalf } from '../../src/protocols/oip/half.ts'

/** Every half that is not negative up to infinity, by its bits: its value spelled out as binary digits. */
const positive = Array.from({ length: 0x7c01 }, (_, bits) => {
  const digits = bits.toString(2).padStart(15, '0')
  const [exponent, fraction] = [parseInt(digits.slice(0, 5), 2), digits.slice(5)]
  if (exponent === 31) return Infinity
  const mantissa = parseInt(`${exponent === 0 ? 0 : 1}${fraction}`, 2) / 1024
  return mantissa * Math.pow(2, Math.max(exponent, 1) - 15)
})

/** The nearest by search; infinity counts as the next power of two, ties go to even bits. */
function nearest (value: number): number {
  const valueOf = (bits: number): number => bits === 0x7c00 ? 65536 : positive[bits] as number
  let [low, high] = [0, 0x7c00]
  if (value >= 65536) return high
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (valueOf(middle) <= value) low = middle
    else high = middle
  }
  const [below, above] = [value - valueOf(low), valueOf(high) - value]
  return below < above || (below === above && low % 2 === 0) ? low : high
}

describe('a half', () => {
  test('of every bit pattern is the number that its digits spell, and that number has these bits', () => {
    for (let bits = 0; bits <= 0x7c00; bits++) {
      expect(fromHalf(bits)).toBe(positive[bits])
      expect(toHalf(positive[bits] as number)).toBe(bits)
      expect(fromHalf(bits | 0x8000)).toBe(-(positive[bits] as number))
      expect(toHalf(-(positive[bits] as number))).toBe(bits | 0x8000)
    }
  })

  test('is NaN for every other pattern', () => {
    for (let bits = 0x7c01; bits < 0x8000; bits++) expect(fromHalf(bits)).toBeNaN()
    expect(toHalf(NaN)).toBe(0x7e00)
  })

  test('is the nearest to any number, ties to even', () => {
    const near = fc.tuple(fc.nat(0x7bff), fc.constantFrom(0.25, 0.5, 0.5 - 1e-9, 0.5 + 1e-9)).map(([bits, part]) => {
      const [low, high] = [positive[bits] as number, bits === 0x7bff ? 65536 : positive[bits + 1] as number]
      return low + (high - low) * part
    })
    fc.assert(fc.property(fc.oneof(near, fc.double({ min: 0, noNaN: true }), fc.double({ min: 0, max: 70_000, noNaN: true })), value => {
      expect(toHalf(value)).toBe(nearest(value))
      if (value > 0) expect(toHalf(-value)).toBe(nearest(value) | 0x8000)
    }), { numRuns: 5000 })
  })
})
