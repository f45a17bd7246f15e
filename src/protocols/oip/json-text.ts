import type { Tensor } from '../../tensor.ts'
import { fromHalf } from './half.ts'

/** The values of a tensor as a JSON list, flat. What is not a finite number is null, for JSON has no word for it. */
export function writeJsonData ({ type, data }: Tensor): string {
  switch (type) {
    case 'string': return JSON.stringify(data)
    case 'bool': return list(data as Uint8Array, value => value === 0 ? 'false' : 'true')
    case 'float32': return list(data as Float32Array, value => numberText(shortFloat(value)))
    case 'float64': return list(data as Float64Array, numberText)
    case 'float16': return list(data as Uint16Array, bits => numberText(shortHalf(fromHalf(bits))))
    default: return `[${(data as BigInt64Array).join(',')}]`
  }
}

function list<Value> (values: ArrayLike<Value>, text: (value: Value) => string): string {
  const texts = new Array<string>(values.length)
  for (let i = 0; i < values.length; i++) texts[i] = text(values[i] as Value)
  return `[${texts.join(',')}]`
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

/** Five digits tell any two halves apart. */
function shortHalf (value: number): number {
  return Number(value.toPrecision(5))
}
