import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boostToOnnx, predictBoost } from '../../src/training/boost-export.ts'
import { type Boost, type BoostParams, fitBoost } from '../../src/training/boost.ts'
import { predictClasses } from '../../src/training/forest.ts'
import type { Matrix, Target } from '../../src/training/matrix.ts'
import { random } from '../../src/training/random.ts'
import { leafOf } from '../../src/training/tree.ts'
import { openModel, runModel } from '../onnx/session.ts'

const params: BoostParams = {
  trees: 30, learningRate: 0.1, maxLeaves: 31, maxDepth: 64, minSamplesLeaf: 5, l2: 0, subsample: 1, colsample: 1, validation: 0, patience: 10,
}

function matrixOf (rows: readonly (readonly number[])[]): Matrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, columns: rows[0]!.length }
}

async function onnxAnswers (boost: Boost, { data, rows, columns }: Matrix): Promise<Record<string, number[]>> {
  const session = await openModel(boostToOnnx(boost))
  const outputs = await runModel(session, { X: { type: 'float32', shape: [rows, columns], data } })
  await session.release()
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, Array.from(tensor.data as ArrayLike<number | bigint>, Number)]))
}

/** Few distinct values, neighbours in float32, very large ones, and missing ones. */
const cell = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 2, arbitrary: fc.constantFrom(1, 1 + 2 ** -23, 0, -0, 2 ** -149, 3e38, -3e38) },
  { weight: 2, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constant(NaN) }
)

const tables = fc.integer({ min: 1, max: 5 }).chain(columns => fc.array(
  fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 2, maxLength: 60 }
)).map(matrixOf)

const share = fc.constantFrom(0.3, 0.7, 1)
const settings = fc.record({
  trees: fc.integer({ min: 1, max: 40 }),
  learningRate: fc.constantFrom(0.05, 0.3, 1),
  maxLeaves: fc.integer({ min: 2, max: 12 }),
  maxDepth: fc.integer({ min: 1, max: 8 }),
  minSamplesLeaf: fc.integer({ min: 1, max: 4 }),
  l2: fc.constantFrom(0, 0.5, 10),
  subsample: share,
  colsample: share,
  validation: fc.constantFrom(0, 0.2),
  patience: fc.integer({ min: 1, max: 5 }),
})

const targetFor = (rows: number): fc.Arbitrary<Target> => fc.oneof(
  fc.integer({ min: 2, max: 4 }).chain(count => fc.array(fc.integer({ min: 0, max: count - 1 }), { minLength: rows, maxLength: rows })
    .map((classes): Target => ({ kind: 'classes', classes: Int32Array.from(classes), count }))),
  fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.float({ noNaN: true, min: -1e6, max: 1e6 })), { minLength: rows, maxLength: rows })
    .map((values): Target => ({ kind: 'values', values: Float64Array.from(values) }))
)

const problems = tables.chain(matrix => fc.record({
  matrix: fc.constant(matrix), target: targetFor(matrix.rows), settings, seed: fc.integer(), balanced: fc.boolean(),
}))

describe('boosting answers as its ONNX file does, to 1e-6', () => {
  test.each([['many rows', Infinity], ['one row alone', 1]])('%s', async (_, most) => {
    await fc.assert(fc.asyncProperty(problems, async ({ matrix, target, settings, seed, balanced }) => {
      const boost = fitBoost(matrix, target, balanced ? { ...settings, classWeight: 'balanced' } : settings, seed)
      const rows = Math.min(matrix.rows, most)
      const asked = { ...matrix, rows, data: matrix.data.slice(0, rows * matrix.columns) }
      const answers = predictBoost(boost, asked)
      const onnx = await onnxAnswers(boost, asked)
      const told = onnx['probabilities'] ?? onnx['value']!
      expect(told).toHaveLength(answers.length)
      told.forEach((number, i) => expect(Math.abs(number - answers[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(number))))
      if (target.kind === 'classes') expectSameLabels(onnx['label']!, answers, target.count)
    }), { numRuns: 120 })
  })
})

/** The label is the most probable class, where no other is as probable. */
function expectSameLabels (labels: readonly number[], answers: Float32Array, count: number): void {
  const classes = predictClasses(answers, count)
  labels.forEach((label, row) => {
    const margin = answers[row * count + classes[row]!]! - answers[row * count + label]!
    expect(margin).toBeLessThanOrEqual(1e-6)
  })
}

/** Two columns that matter, one that does not, and every eleventh value missing. */
function shop (rows: number): Matrix {
  const source = random(7)
  return matrixOf(Array.from({ length: rows }, () => Array.from({ length: 3 }, () => source.below(11) === 0 ? NaN : source.below(1000) / 1000)))
}

const wanted = (matrix: Matrix, row: number) => (matrix.data[row * 3]! || 0) + ((matrix.data[row * 3 + 1]! || 0) > 0.5 ? 1 : 0)

function valuesOf (matrix: Matrix): Target & { kind: 'values' } {
  return { kind: 'values', values: Float64Array.from({ length: matrix.rows }, (_, row) => wanted(matrix, row)) }
}

test('it learns a sum of steps and slopes, missing values among them', () => {
  const learned = shop(600)
  const boost = fitBoost(learned, valuesOf(learned), { ...params, trees: 150 }, 1)
  const others = { ...learned, data: learned.data.slice(300), rows: 200 }
  const answers = predictBoost(boost, others)
  answers.forEach((answer, row) => expect(Math.abs(answer - wanted(others, row))).toBeLessThan(0.35))
})

test('every round lessens the loss on the rows that are learned from', () => {
  const matrix = shop(300)
  const target = valuesOf(matrix)
  const errors = [1, 5, 20, 80].map(trees => {
    const answers = predictBoost(fitBoost(matrix, target, { ...params, trees }, 1), matrix)
    return answers.reduce((sum, answer, row) => sum + (answer - target.values[row]!) ** 2, 0)
  })
  expect(errors).toEqual([...errors].sort((a, b) => b - a))
})

test('one leaf is the mean of what is left, to the last digit', () => {
  const matrix = matrixOf([[1], [2], [3], [4]])
  const boost = fitBoost(matrix, { kind: 'values', values: Float64Array.of(0, 0, 4, 8) }, { ...params, trees: 1, minSamplesLeaf: 2, learningRate: 0.5 }, 1)
  // The mean is 3; the sides' are 0 and 6, and each goes half the way.
  expect(Array.from(predictBoost(boost, matrix))).toEqual([1.5, 1.5, 4.5, 4.5])
})

test('two classes begin at their odds, and a leaf is a Newton step', () => {
  const matrix = matrixOf([[1], [2], [3], [4]])
  const target: Target = { kind: 'classes', classes: Int32Array.of(0, 0, 0, 1), count: 2 }
  const boost = fitBoost(matrix, target, { ...params, trees: 1, minSamplesLeaf: 1, l2: 1, learningRate: 1, maxLeaves: 2 }, 1)
  expect(boost.base[0]).toBeCloseTo(Math.log(1 / 3), 12)
  // Gradients are 0.25 for the first class and -0.75 for the second, every hessian is 0.25 · 0.75.
  const leaves = [0, 3].map(row => boost.trees[0]!.values[leafOf(boost.trees[0]!, matrix.data, row)]!)
  expect(leaves[0]).toBeCloseTo(-0.75 / (3 * 0.1875 + 1), 12)
  expect(leaves[1]).toBeCloseTo(0.75 / (0.1875 + 1), 12)
})

test('leaves, depth and rows per leaf are kept', () => {
  fc.assert(fc.property(settings, fc.nat(), (settings, seed) => {
    const matrix = shop(80)
    const { trees } = fitBoost(matrix, valuesOf(matrix), { ...settings, subsample: 1, validation: 0 }, seed)
    for (const tree of trees) {
      const rows = new Map<number, number>()
      for (let row = 0; row < matrix.rows; row++) {
        const leaf = leafOf(tree, matrix.data, row * 3)
        rows.set(leaf, (rows.get(leaf) ?? 0) + 1)
      }
      expect(rows.size).toBe((tree.nodes + 1) / 2)
      expect(rows.size).toBeLessThanOrEqual(settings.maxLeaves)
      expect(Math.min(...rows.values())).toBeGreaterThanOrEqual(settings.minSamplesLeaf)
    }
  }), { numRuns: 50 })
})

test('it stops when more trees no longer help on rows that are held back, and leaves those trees out', () => {
  const matrix = shop(200)
  const source = random(3)
  const noise: Target = { kind: 'classes', classes: Int32Array.from({ length: 200 }, () => source.below(2)), count: 2 }
  let rounds = 0
  const boost = fitBoost(matrix, noise, { ...params, trees: 1000, validation: 0.2, patience: 5 }, 1, done => { rounds = done })
  expect(rounds).toBeLessThan(100)
  expect(boost.trees).toHaveLength(rounds - 5)
})

test('balanced classes are as likely as each other before anything is known', () => {
  const matrix = matrixOf(Array.from({ length: 100 }, () => [1]))
  const target: Target = { kind: 'classes', classes: Int32Array.from({ length: 100 }, (_, row) => row % 10 === 0 ? 1 : 0), count: 2 }
  expect(predictBoost(fitBoost(matrix, target, params, 1), matrix)[1]).toBeCloseTo(0.1, 6)
  expect(predictBoost(fitBoost(matrix, target, { ...params, classWeight: 'balanced' }, 1), matrix)[1]).toBeCloseTo(0.5, 6)
})

test('the same seed gives the same bytes, another seed others', () => {
  const matrix = shop(200)
  const sampled = { ...params, subsample: 0.5, colsample: 0.7, validation: 0.1 }
  const bytes = (seed: number) => boostToOnnx(fitBoost(matrix, valuesOf(matrix), sampled, seed))
  expect(bytes(42)).toEqual(bytes(42))
  expect(bytes(43)).not.toEqual(bytes(42))
})
