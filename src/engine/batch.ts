import { type Tensor, type TensorData, type TensorType, arrayTypes } from '../tensor.ts'
import type { Tensors } from './graph.ts'

/** Inputs by name; in each, the first dimension is `rows`. The engine may hold on to the data until the run is over. */
export interface Batch {
  readonly inputs: Tensors
  readonly rows: number
  /** It must not share a run: that its rows are independent was not seen. */
  readonly alone?: boolean
}

/** Zeros, or empty strings. */
export function allocate (type: TensorType, length: number): TensorData {
  return type === 'string' ? new Array<string>(length).fill('') : new arrayTypes[type](length)
}

/** How many values one row of a tensor has: the product of all dimensions but the first. */
export function rowWidth (shape: readonly number[]): number {
  let width = 1
  for (let i = 1; i < shape.length; i++) width *= shape[i] as number
  return width
}

export function valueCount ({ inputs }: Batch): number {
  return Object.values(inputs).reduce((sum, { data }) => sum + data.length, 0)
}

/** True for what may be laid beside others: every input has as many rows and values as it says. */
export function isWhole ({ inputs, rows, alone }: Batch): boolean {
  if (alone === true) return false
  for (const name in inputs) {
    const { shape, data } = inputs[name] as Tensor
    if (shape[0] !== rows || data.length !== rows * rowWidth(shape)) return false
  }
  return true
}

/** True when two whole batches differ in rows only. */
export function isAlike (a: Batch, b: Batch): boolean {
  for (const name in a.inputs) {
    const left = a.inputs[name] as Tensor
    const right = b.inputs[name]
    if (right === undefined || left.type !== right.type || left.shape.length !== right.shape.length) return false
    for (let i = 1; i < left.shape.length; i++) if (left.shape[i] !== right.shape[i]) return false
  }
  return Object.keys(a.inputs).length === Object.keys(b.inputs).length
}

/** Lays whole, alike batches one under the other. */
export function concat (batches: readonly [Batch, ...Batch[]]): Batch {
  if (batches.length === 1) return batches[0]
  let rows = 0
  for (const batch of batches) rows += batch.rows
  const inputs = Object.entries(batches[0].inputs).map(([name, { type, shape }]): [string, Tensor] => {
    const parts = batches.map(batch => batch.inputs[name] as Tensor)
    const data = type === 'string'
      ? parts.flatMap(part => part.data as readonly string[])
      : join(type, parts, rows * rowWidth(shape))
    return [name, { type, shape: [rows, ...shape.slice(1)], data }]
  })
  return { inputs: Object.fromEntries(inputs), rows }
}

/** The same of tensors that have one row each. */
export function joinRows (parts: readonly [Tensors, ...Tensors[]]): Tensors {
  return concat(parts.map(inputs => ({ inputs, rows: 1 })) as [Batch, ...Batch[]]).inputs
}

function join (type: Exclude<TensorType, 'string'>, parts: readonly Tensor[], length: number): TensorData {
  const data = new arrayTypes[type](length)
  let offset = 0
  for (const part of parts) {
    // bigint and number arrays never meet here: the type is the same in all parts.
    (data as Float32Array).set(part.data as Float32Array, offset)
    offset += part.data.length
  }
  return data
}

/** True when every output has `rows` rows, so that it can be given back by rows. */
export function followsRows (outputs: Tensors, rows: number): boolean {
  return Object.values(outputs).every(({ shape }) => shape[0] === rows)
}

/** Rows `from` to `to` of every tensor, without copying numbers. */
export function sliceRows (tensors: Tensors, from: number, to: number): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, { type, shape, data }]) => {
    const width = rowWidth(shape)
    const part = ArrayBuffer.isView(data) ? data.subarray(from * width, to * width) : data.slice(from * width, to * width)
    return [name, { type, shape: [to - from, ...shape.slice(1)], data: part }]
  }))
}

/** True when all names, types, shapes and values are the same; numbers bit by bit. */
export function isSame (a: Tensors, b: Tensors): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => {
    const left = a[name] as Tensor
    const right = b[name]
    return right !== undefined && left.type === right.type && left.shape.length === right.shape.length &&
      left.shape.every((size, i) => size === right.shape[i]) && sameData(left.data, right.data)
  })
}

function sameData (a: TensorData, b: TensorData): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return a.length === b.length && a.every((value, i) => value === b[i])
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}

function bytesOf (view: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
