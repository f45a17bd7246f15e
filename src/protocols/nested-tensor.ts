import type { Tensor, TensorSpec } from '../tensor.ts'
import { elementKinds } from './elements.ts'
import { Faults, wrongShape } from './faults.ts'

/** No graph has tensors of more dimensions. */
const maxDimensions = 16

/** Where a value stands in the caller's body, by its place in the tensor. */
export type ElementPlace = (indexes: readonly number[]) => string

/** Where the lists stand in the body as they stand in the tensor. */
export function below (pointer: string): ElementPlace {
  return indexes => [pointer, ...indexes].join('/')
}

/**
 * A tensor written as nested lists. Its shape is that of the lists; what the lists lack below an empty
 * one comes from the graph. Nothing is allocated before all lists are known to fit that shape.
 *
 * @throws ApiError BAD_ENVELOPE with each fault's place: lists of unequal length, too deep or not deep enough, values of another type
 */
export function readTensor (value: unknown, spec: TensorSpec, place: ElementPlace): Tensor {
  const shape = shapeOf(value, spec, place)
  const listed = shape.indexOf(0) === -1 ? shape.length : shape.indexOf(0) + 1
  const indexes: number[] = []
  checkLists(value, shape.slice(0, listed), indexes, place)
  const { allocate } = elementKinds[spec.type]
  const data = allocate(shape.reduce((product, size) => product * size, 1))
  if (data.length > 0) fill({ spec, rank: shape.length, place, data: data as (number | bigint | string)[], faults: new Faults() }, value)
  return { type: spec.type, shape, data }
}

/** The lengths along the first element of each list, before anybody knows whether the others agree. */
function shapeOf (value: unknown, { shape: declared }: TensorSpec, place: ElementPlace): number[] {
  const shape: number[] = []
  for (let list = value; Array.isArray(list); list = list[0]) {
    if (shape.length === maxDimensions) throw wrongShape(place([]), `has lists more than ${maxDimensions} deep`)
    shape.push(list.length)
    if (list.length === 0) break
  }
  // Of a graph that does not say its shape the runtime gives an empty one.
  if (declared.length === 0) return shape
  if (shape.at(-1) === 0) shape.push(...declared.slice(shape.length).map(size => typeof size === 'number' && size >= 0 ? size : 0))
  if (shape.length !== declared.length) {
    throw wrongShape(place([]), `has lists ${shape.length} deep, the model takes them ${declared.length} deep: [${declared.join(', ')}]`)
  }
  return shape
}

function checkLists (value: unknown, shape: readonly number[], indexes: number[], place: ElementPlace): void {
  const level = indexes.length
  if (level === shape.length) return
  if (!Array.isArray(value)) throw wrongShape(place(indexes), `must be a list of ${shape[level]}, like the first one`)
  if (value.length !== shape[level]) throw wrongShape(place(indexes), `is a list of ${value.length}, the first one has ${shape[level]}`)
  if (level === shape.length - 1) return
  for (let i = 0; i < value.length; i++) {
    indexes.push(i)
    checkLists(value[i], shape, indexes, place)
    indexes.pop()
  }
}

interface Filling {
  readonly spec: TensorSpec
  readonly rank: number
  readonly place: ElementPlace
  readonly data: (number | bigint | string)[]
  readonly faults: Faults
}

function fill (filling: Filling, value: unknown): void {
  const { spec, rank, place, data, faults } = filling
  const { read, expected } = elementKinds[spec.type]
  const indexes: number[] = []
  let next = 0
  const visit = (element: unknown): void => {
    if (indexes.length < rank) {
      (element as unknown[]).forEach((inner, i) => {
        indexes.push(i)
        visit(inner)
        indexes.pop()
      })
      return
    }
    const found = read(element)
    if (found === undefined) faults.add(place(indexes), `must be ${expected}, not ${describe(element)}`)
    else data[next] = found
    next++
  }
  visit(value)
  faults.refuse('BAD_ENVELOPE', `The values are not what the model's input ${spec.name} takes.`)
}

function describe (value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
