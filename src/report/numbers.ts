/** A number as short as a person needs it: four digits, no exponent where it can be read without. */
export function short (x: number): string {
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x)
  const size = Math.abs(x)
  return size >= 1e6 || size < 1e-4 ? x.toExponential(2) : String(Number(x.toPrecision(4)))
}

/** A mean with its standard deviation, of which two digits are more than is known. */
export function withSpread ({ mean, std }: { readonly mean: number, readonly std: number }): string {
  return `${short(mean)} ± ${short(Number(std.toPrecision(2)))}`
}

export function signed (x: number): string {
  return x > 0 ? `+${short(x)}` : short(x).replace('-', '−')
}

export function percent (share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

/** Round numbers from at most `low` to at least `high`, about `count` of them. */
export function ticks (low: number, high: number, count = 5): number[] {
  const span = high - low
  if (!(span > 0) || !Number.isFinite(span)) return [low]
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough * 0.999)!
  const first = Math.floor(low / step + 1e-9)
  const last = Math.ceil(high / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(15)))
}
