import type { Tensor } from '../tensor.ts'
import { fromHalf } from './oip/half.ts'

/** The JSON text of every value of a tensor. What is not a finite number is null, for JSON has no word for it. */
export function elementTexts ({ type, data }: Tensor): string[] {
  switch (type) {
    case 'string': return textsOf(data as readonly string[], text => JSON.stringify(text))
    case 'bool': return textsOf(data as Uint8Array, value => value === 0 ? 'false' : 'true')
    case 'float32': return textsOf(data as Float32Array, value => numberText(shortFloat(value)))
    case 'float64': return textsOf(data as Float64Array, numberText)
    // Five digits tell any two halves apart.
    case 'float16': return textsOf(data as Uint16Array, bits => numberText(Number(fromHalf(bits).toPrecision(5))))
    default: return textsOf(data as BigInt64Array, String)
  }
}

function textsOf<Value> (values: ArrayLike<Value>, text: (value: Value) => string): string[] {
  const texts = new Array<string>(values.length)
  for (let i = 0; i < values.length; i++) texts[i] = text(values[i] as Value)
  return texts
}

function numberText (value: number): string {
  if (!Number.isFinite(value)) return 'null'
  return Object.is(value, -0) ? '-0' : String(value)
}

/** 0.95 for what is 0.949999988… as a double, where seven digits read back as the same float32. */
function shortFloat (value: number): number {
  if (Number.isInteger(value)) return value
  const short = Number(value.toPrecision(7))
  return Math.fround(short) === value ? short : value
}
