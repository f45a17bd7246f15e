import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate, concat, isAlike, isSame, isWhole, sliceRows, type Batch } from '../../src/engine/batch.ts'
import type { Tensor, TensorType } from '../../src/tensor.ts'

const types: TensorType[] = ['float32', 'float64', 'float16', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool', 'string']

/** Batches with the same inputs and row shapes, and rows of their own. */
const alike = fc.tuple(
  fc.uniqueArray(fc.record({ name: fc.string(), type: fc.constantFrom(...types), rest: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }) }),
    { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
  fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 })
).map(([inputs, sizes]) => sizes.map((rows, number): Batch => ({
  rows,
  inputs: Object.fromEntries(inputs.map(({ name, type, rest }) => [name, filled(type, [rows, ...rest], number)])),
})))

function filled (type: TensorType, shape: number[], number: number): Tensor {
  const data = allocate(type, shape.reduce((product, size) => product * size, 1))
  const values = Array.from({ length: data.length }, (_, i) => number * 10 + i)
  if (type === 'string') return { type, shape, data: values.map(String) }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(values.map(value => BigInt(value)))
  else (data as Float32Array).set(values)
  return { type, shape, data }
}

test('what is laid together comes apart as it was', () => {
  fc.assert(fc.property(alike, batches => {
    const [first, ...others] = batches as [Batch, ...Batch[]]
    for (const batch of batches) {
      expect(isWhole(batch)).toBe(true)
      expect(isAlike(first, batch)).toBe(true)
    }
    const together = concat([first, ...others])
    expect(isWhole(together)).toBe(true)
    let row = 0
    for (const batch of batches) {
      expect(isSame(sliceRows(together.inputs, row, row + batch.rows), batch.inputs)).toBe(true)
      row += batch.rows
    }
    expect(together.rows).toBe(row)
  }))
})

const x = filled('float32', [2, 3], 0)
test.each<[string, Batch]>([
  ['another name', { rows: 2, inputs: { z: x } }],
  ['one input more', { rows: 2, inputs: { x, z: x } }],
  ['another type', { rows: 2, inputs: { x: filled('float64', [2, 3], 0) } }],
  ['another width', { rows: 2, inputs: { x: filled('float32', [2, 4], 0) } }],
  ['another rank', { rows: 2, inputs: { x: filled('float32', [2, 3, 1], 0) } }],
])('a batch with %s is not alike', (_name, batch) => {
  expect(isAlike({ rows: 2, inputs: { x } }, batch)).toBe(false)
})

test.each<[string, Batch]>([
  ['a row count of its own', { rows: 3, inputs: { x } }],
  ['fewer values than its shape says', { rows: 2, inputs: { x: { ...x, data: new Float32Array(5) } } }],
  ['no dimensions', { rows: 1, inputs: { x: filled('float32', [], 0) } }],
])('a batch with %s is not whole', (_name, batch) => {
  expect(isWhole(batch)).toBe(false)
})

test('values are compared bit by bit', () => {
  const of = (value: number) => ({ x: { type: 'float32', shape: [1], data: Float32Array.of(value) } as const })
  expect(isSame(of(NaN), of(NaN))).toBe(true)
  expect(isSame(of(0), of(-0))).toBe(false)
  expect(isSame(of(1), of(1 + 2 ** -23))).toBe(false)
})
