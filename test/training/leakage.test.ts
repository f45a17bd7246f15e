import { expect, test } from 'vitest'
import type { Value } from '../../src/row.ts'
import { tellsTarget } from '../../src/training/leakage.ts'
import type { Target } from '../../src/training/matrix.ts'

const rows = 60
const classes: Target = { kind: 'classes', classes: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / 20)), count: 3 }
const values: Target = { kind: 'values', values: Float64Array.from({ length: rows }, (_, row) => row ** 2) }

test.each<[string, Target, (row: number) => Value, boolean]>([
  ['the class under another name', classes, row => ['a', 'b', 'c'][Math.floor(row / 20)]!, true],
  ['numbers that borders part by class', classes, row => Math.floor(row / 20) * 100 + row * 7 % 20, true],
  ['the class, known in most rows', classes, row => row % 10 === 0 ? null : Math.floor(row / 20), true],
  ['the class, known in few rows', classes, row => row % 3 === 0 ? Math.floor(row / 20) : null, false],
  ['one row that is otherwise', classes, row => row === 0 ? 'b' : ['a', 'b', 'c'][Math.floor(row / 20)]!, false],
  ['names, which tell every row', classes, row => `name ${row}`, false],
  ['a constant', classes, () => 1, false],
  ['numbers that say nothing', classes, row => row * 37 % 61, false],
  ['the value in another unit', values, row => 3 - 0.001 * row ** 2, true],
  ['what the value grows with', values, row => row, false],
])('%s', (_, target, value, expected) => {
  expect(tellsTarget({ length: rows, at: value }, target)).toBe(expected)
})
