// IEEE 754 binary16: a sign, 5 bits of exponent with a bias of 15, 10 bits of fraction.

const leastNormal = 2 ** -14
/** Half a step above the largest half, 65504: from here on the nearest is infinity. */
const overflow = 65_520

/** The bits of the half nearest to a number, ties to even; infinity for what is too large. */
export function toHalf (value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= overflow) return sign | 0x7c00
  // A fraction that rounds up to a whole 1 carries into the exponent, which is the next half.
  if (size < leastNormal) return sign | roundToEven(size * 2 ** 24)
  const exponent = exponentOf(size)
  return sign | (((exponent + 15) << 10) + roundToEven(size * 2 ** (10 - exponent)) - 1024)
}

export function fromHalf (bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The largest power of two that is not above a positive number; the logarithm alone may be off by a bit. */
function exponentOf (value: number): number {
  const near = Math.floor(Math.log2(value))
  if (2 ** near > value) return near - 1
  return 2 ** (near + 1) <= value ? near + 1 : near
}

function roundToEven (value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
}
