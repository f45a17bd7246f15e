import type { TensorSpec } from '../../tensor.ts'
import { type Place, refuse, shown } from './refuse.ts'

/** As many as numpy has; what goes through the levels of a list may call itself once for each. */
const maxRank = 64

/**
 * The dimensions that a caller claims. Nothing is allocated for them: whoever does holds them against the data first.
 *
 * @throws ApiError 400 for what cannot be a shape, or has more values than can be counted
 */
export function readShape (shape: unknown, place: Place): number[] {
  const at = { ...place, pointer: `${place.pointer}/shape` }
  if (!Array.isArray(shape)) throw refuse(at, `must be a list of dimensions, not ${shown(shape)}`)
  if (shape.length > maxRank) throw refuse(at, `has ${shape.length} dimensions; at most ${maxRank} are possible`)
  let largest = 1
  shape.forEach((size: unknown, i) => {
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw refuse({ ...at, pointer: `${at.pointer}/${i}` }, `must be a whole number from 0, not ${shown(size)}`)
    // A dimension of 0 makes the tensor empty; the others must still be such that the runtime can multiply them.
    largest *= Math.max(1, size as number)
  })
  if (!Number.isSafeInteger(largest)) throw refuse(at, `[${shape.join(', ')}] is too large`)
  return shape.map(size => Math.abs(size as number))
}

/** A graph's dimensions in the protocol's words: -1 is any size. */
export function dimensionsOf (shape: TensorSpec['shape']): number[] {
  return shape.map(size => typeof size === 'number' ? size : -1)
}

/** How many values a tensor of this shape has. */
export function countOf (shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1)
}

/** `/2/0`: where the value that is the i-th in row-major order stands in lists nested as the shape says. */
export function nestedPointer (shape: readonly number[], i: number): string {
  const indices: number[] = []
  let rest = i
  for (const size of [...shape].reverse()) {
    indices.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return indices.map(index => `/${index}`).join('')
}
