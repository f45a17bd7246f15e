/**
 * The short decimal that is the same float32: 0.95 for what is 0.949999988… as a double. Numbers that
 * have none in seven digits stay as they are, so a reader of float32 loses nothing.
 */
export function shortDecimal (x: number): number {
  // A probability of exactly 1 is common, and the way below takes its time over it.
  if (Number.isInteger(x)) return x
  const short = Math.abs(x) < 1 ? Math.round(x * 1e7) / 1e7 : Number(x.toPrecision(7))
  return Math.fround(short) === x ? short : x
}
