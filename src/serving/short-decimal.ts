/**
 * A short decimal that is the same float32: 0.95 for what is 0.949999988… as a double. Seven decimals do
 * for most, nine for the rest of what is no very small number; others stay as they are, so a reader of
 * float32 loses nothing.
 */
export function shortDecimal (x: number): number {
  // A probability of exactly 1 is common, and the way below takes its time over it.
  if (Number.isInteger(x)) return x
  if (Math.abs(x) >= 1) return sameFloat(Number(x.toPrecision(7)), x)
  const short = Math.round(x * 1e7) / 1e7
  return Math.fround(short) === x ? short : sameFloat(Math.round(x * 1e9) / 1e9, x)
}

function sameFloat (short: number, x: number): number {
  return Math.fround(short) === x ? short : x
}
