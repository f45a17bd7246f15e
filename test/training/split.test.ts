import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Target } from '../../src/training/matrix.ts'
import { folds, holdout } from '../../src/training/split.ts'

const classTargets = fc.integer({ min: 2, max: 4 }).chain(count => fc.array(fc.integer({ min: 0, max: count - 1 }), { minLength: 10, maxLength: 100 })
  .map((classes): Target => ({ kind: 'classes', classes: Int32Array.from(classes), count })))
const valueTargets = fc.array(fc.float({ noNaN: true }), { minLength: 10, maxLength: 100 })
  .map((values): Target => ({ kind: 'values', values: Float64Array.from(values) }))
const targets = fc.oneof(classTargets, valueTargets)

function rowsOf (target: Target): number {
  return target.kind === 'classes' ? target.classes.length : target.values.length
}

test('every row is either learned from or held back', () => {
  fc.assert(fc.property(targets, fc.nat(), (target, seed) => {
    const { train, test } = holdout(target, 0.2, seed)
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...Array(rowsOf(target)).keys()])
  }))
})

test('every row is held back in exactly one fold, and folds differ by one row at most', () => {
  fc.assert(fc.property(targets, fc.integer({ min: 2, max: 10 }), fc.nat(), (target, count, seed) => {
    const splits = folds(target, count, seed)
    expect(splits.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual([...Array(rowsOf(target)).keys()])
    const sizes = splits.map(({ test }) => test.length)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    for (const { train, test } of splits) expect(train.length + test.length).toBe(rowsOf(target))
  }))
})

const target: Target = { kind: 'classes', classes: Int32Array.from({ length: 150 }, (_, row) => row < 100 ? 0 : 1), count: 2 }

test('every class has its share of the rows that are held back', () => {
  const { test } = holdout(target, 0.2, 42)
  expect(test.filter(row => row < 100)).toHaveLength(20)
  expect(test.filter(row => row >= 100)).toHaveLength(10)
  for (const fold of folds(target, 5, 42)) expect(fold.test.filter(row => row < 100)).toHaveLength(20)
})

test('the seed decides', () => {
  expect(holdout(target, 0.2, 42)).toEqual(holdout(target, 0.2, 42))
  expect(holdout(target, 0.2, 43)).not.toEqual(holdout(target, 0.2, 42))
  expect(folds(target, 5, 43)).not.toEqual(folds(target, 5, 42))
})
