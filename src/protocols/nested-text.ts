import type { Tensor } from '../tensor.ts'
import { elementTexts } from './element-text.ts'

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
