import type { Tensor, TensorData } from '../tensor.ts'
import { fromHalf } from './oip/half.ts'

/** The JSON text of a tensor as nested lists; NaN and the infinities, which JSON has not, are null. */
export function tensorText (tensor: Tensor): string {
  return nestedText(tensor.shape, elementTexts(tensor))
}

/** The JSON text of each row, along the first dimension. */
export function rowTexts (tensor: Tensor): string[] {
  const [rows = 0, ...rest] = tensor.shape
  const elements = elementTexts(tensor)
  const size = rest.reduce((product, length) => product * length, 1)
  return Array.from({ length: rows }, (_, row) => nestedText(rest, elements.slice(row * size, (row + 1) * size)))
}

/** `{"name": …, …}` of texts that are JSON already. */
export function objectText (members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

/** Joins from the innermost lists outwards, so that nothing is copied more often than there are dimensions. */
function nestedText (shape: readonly number[], elements: readonly string[]): string {
  let texts = elements
  for (let level = shape.length - 1; level >= 0; level--) {
    const size = shape[level] ?? 0
    const lists = shape.slice(0, level).reduce((product, length) => product * length, 1)
    const inner = texts
    texts = Array.from({ length: lists }, (_, i) => `[${inner.slice(i * size, (i + 1) * size).join(',')}]`)
  }
  return texts[0] ?? 'null'
}

function elementTexts ({ type, data }: Tensor): string[] {
  switch (type) {
    case 'string': return Array.from(data as readonly string[], text => JSON.stringify(text))
    case 'bool': return textsOf(data, value => value === 0 ? 'false' : 'true')
    case 'float16': return textsOf(data, value => numberText(Number(fromHalf(value as number).toPrecision(5))))
    case 'float32': return textsOf(data, value => numberText(shortFloat(value as number)))
    case 'float64': return textsOf(data, value => numberText(value as number))
    default: return textsOf(data, String)
  }
}

function textsOf (data: TensorData, text: (value: number | bigint) => string): string[] {
  return Array.from(data as ArrayLike<number | bigint>, text)
}

function numberText (value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}

/** 0.95 for what is 0.949999988… as a double, where seven digits read back as the same float32. */
function shortFloat (value: number): number {
  const short = Number(value.toPrecision(7))
  return Math.fround(short) === value ? short : value
}
