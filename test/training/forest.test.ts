import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forestToOnnx } from '../../src/training/export.ts'
import { type Forest, type ForestParams, fitForest, predictClasses, predictForest } from '../../src/training/forest.ts'
import type { Matrix, Target } from '../../src/training/matrix.ts'
import { type Tree, leafOf } from '../../src/training/tree.ts'
import { openModel, runModel } from '../onnx/session.ts'

const params: ForestParams = { trees: 10, maxDepth: 6, minSamplesLeaf: 1, maxFeatures: 'sqrt', bootstrap: true }

function matrixOf (rows: readonly (readonly number[])[]): Matrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, columns: rows[0]!.length }
}

async function onnxAnswers (forest: Forest, { data, rows, columns }: Matrix): Promise<Record<string, ArrayLike<number | bigint>>> {
  const session = await openModel(forestToOnnx(forest))
  const outputs = await runModel(session, { X: { type: 'float32', shape: [rows, columns], data } })
  await session.release()
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.data as Float32Array | BigInt64Array]))
}

/** Few distinct values, neighbours in float32, very large ones, and missing ones. */
const cell = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 2, arbitrary: fc.constantFrom(1, 1 + 2 ** -23, 1 + 2 ** -22, 0, -0, 2 ** -149, 3e38, -3e38) },
  { weight: 2, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constant(NaN) }
)

const tables = fc.integer({ min: 1, max: 5 }).chain(columns => fc.array(
  fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 2, maxLength: 60 }
)).map(matrixOf)

const settings = fc.record({
  trees: fc.integer({ min: 1, max: 100 }),
  maxDepth: fc.integer({ min: 0, max: 8 }),
  minSamplesLeaf: fc.integer({ min: 1, max: 4 }),
  maxFeatures: fc.constantFrom('all' as const, 'sqrt' as const, 0.5),
  bootstrap: fc.boolean(),
})

describe('a random forest answers as its ONNX file does, bit for bit', () => {
  const classification = tables.chain(matrix => fc.integer({ min: 2, max: 4 }).chain(count => fc.record({
    matrix: fc.constant(matrix),
    count: fc.constant(count),
    classes: fc.array(fc.integer({ min: 0, max: count - 1 }), { minLength: matrix.rows, maxLength: matrix.rows }),
    settings,
    seed: fc.integer(),
  })))

  test('classes and probabilities', async () => {
    await fc.assert(fc.asyncProperty(classification, async ({ matrix, count, classes, settings, seed }) => {
      const forest = fitForest(matrix, { kind: 'classes', classes: Int32Array.from(classes), count }, settings, seed)
      const probabilities = predictForest(forest, matrix)
      const onnx = await onnxAnswers(forest, matrix)
      expect(onnx['probabilities']).toEqual(probabilities)
      expect(Array.from(onnx['label']!, Number)).toEqual(Array.from(predictClasses(probabilities, count)))
    }), { numRuns: 150 })
  })

  test('classes and probabilities of one row alone, which the runtime adds up in another order', async () => {
    await fc.assert(fc.asyncProperty(classification, async ({ matrix, count, classes, settings, seed }) => {
      const target: Target = { kind: 'classes', classes: Int32Array.from(classes), count }
      const forest = fitForest(matrix, target, { ...settings, trees: 100 }, seed)
      const row = { ...matrix, data: matrix.data.slice(0, matrix.columns), rows: 1 }
      const onnx = await onnxAnswers(forest, row)
      expect(onnx['probabilities']).toEqual(predictForest(forest, row))
    }), { numRuns: 50 })
  })

  test('values', async () => {
    const regression = tables.chain(matrix => fc.record({
      matrix: fc.constant(matrix),
      values: fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.float({ noNaN: true, noDefaultInfinity: true })), { minLength: matrix.rows, maxLength: matrix.rows }),
      settings,
      seed: fc.integer(),
    }))
    await fc.assert(fc.asyncProperty(regression, async ({ matrix, values, settings, seed }) => {
      const forest = fitForest(matrix, { kind: 'values', values: Float64Array.from(values) }, settings, seed)
      const onnx = await onnxAnswers(forest, matrix)
      expect(Array.from(onnx['value']!)).toEqual(Array.from(predictForest(forest, matrix), x => x + 0))
    }), { numRuns: 150 })
  })

  test('every row ends in the same leaf of every tree, also rows that were not learned from', async () => {
    await fc.assert(fc.asyncProperty(classification, tables, async ({ matrix, count, classes, settings, seed }, others) => {
      const forest = fitForest(matrix, { kind: 'classes', classes: Int32Array.from(classes), count }, settings, seed)
      const strangers = { data: widened(others, matrix.columns), rows: others.rows, columns: matrix.columns }
      for (const tree of forest.trees.slice(0, 3)) {
        for (const rows of [matrix, strangers]) {
          const onnx = await onnxAnswers({ kind: 'values', columns: matrix.columns, outputs: 1, trees: [numbered(tree)] }, rows)
          const leaves = Array.from({ length: rows.rows }, (_, row) => leafOf(tree, rows.data, row * rows.columns))
          expect(Array.from(onnx['value']!)).toEqual(leaves)
        }
      }
    }), { numRuns: 50 })
  })
})

/** The tree whose answer is the number of the leaf. */
function numbered (tree: Tree): Tree {
  return { ...tree, outputs: 1, values: Float64Array.from({ length: tree.nodes }, (_, node) => node) }
}

/** Another table's values in rows of the width asked for. */
function widened ({ data, rows }: Matrix, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => data[i % data.length]!)
}

const xor = matrixOf([[0, 0], [0, 1], [1, 0], [1, 1]])

test('a tree learns what no single split shows', () => {
  const target: Target = { kind: 'classes', classes: Int32Array.of(0, 1, 1, 0), count: 2 }
  const forest = fitForest(xor, target, { ...params, trees: 1, maxFeatures: 'all', bootstrap: false }, 1)
  expect(Array.from(predictClasses(predictForest(forest, xor), 2))).toEqual([0, 1, 1, 0])
})

test('missing values go where they belong, in either direction', () => {
  const matrix = matrixOf([[1], [2], [NaN], [8], [9], [NaN]])
  const settings = { ...params, trees: 1, bootstrap: false }
  for (const values of [[0, 0, 0, 5, 5, 0], [0, 0, 5, 5, 5, 5], [1, 1, 7, 1, 1, 7]]) {
    const forest = fitForest(matrix, { kind: 'values', values: Float64Array.from(values) }, settings, 1)
    const answers = predictForest(forest, matrix)
    answers.forEach((answer, row) => expect(answer).toBeCloseTo(values[row]!, 4))
  }
})

test('the probabilities of a row add up to exactly 1', () => {
  fc.assert(fc.property(tables, settings, fc.integer(), (matrix, settings, seed) => {
    const classes = Int32Array.from({ length: matrix.rows }, (_, row) => row % 3)
    const forest = fitForest(matrix, { kind: 'classes', classes, count: 3 }, settings, seed)
    const probabilities = predictForest(forest, matrix)
    for (let row = 0; row < matrix.rows; row++) {
      expect(probabilities[row * 3]! + probabilities[row * 3 + 1]! + probabilities[row * 3 + 2]!).toBe(1)
    }
  }))
})

test('depth, leaf size and number of trees are kept', () => {
  const matrix = matrixOf(Array.from({ length: 200 }, (_, i) => [i, i * 7 % 13]))
  const target: Target = { kind: 'values', values: Float64Array.from({ length: 200 }, (_, i) => Math.sin(i)) }
  const forest = fitForest(matrix, target, { ...params, trees: 5, maxDepth: 3, minSamplesLeaf: 10, bootstrap: false }, 1)
  expect(forest.trees).toHaveLength(5)
  for (const tree of forest.trees) {
    expect(depthOf(tree)).toBe(3)
    const sizes = new Map<number, number>()
    for (let row = 0; row < 200; row++) {
      const leaf = leafOf(tree, matrix.data, row * 2)
      sizes.set(leaf, (sizes.get(leaf) ?? 0) + 1)
    }
    expect(Math.min(...sizes.values())).toBeGreaterThanOrEqual(10)
  }
})

function depthOf (tree: Tree, node = 0): number {
  if (tree.feature[node]! < 0) return 0
  return 1 + Math.max(depthOf(tree, tree.left[node]), depthOf(tree, tree.right[node]))
}

test('the same seed gives the same bytes, another seed others', () => {
  const matrix = matrixOf(Array.from({ length: 100 }, (_, i) => [i % 17, i % 5, i % 3]))
  const target: Target = { kind: 'classes', classes: Int32Array.from({ length: 100 }, (_, i) => i % 4), count: 4 }
  const bytes = forestToOnnx(fitForest(matrix, target, params, 42))
  expect(forestToOnnx(fitForest(matrix, target, params, 42))).toEqual(bytes)
  expect(forestToOnnx(fitForest(matrix, target, params, 43))).not.toEqual(bytes)
})

test('a column of more values than bins is still learned from', () => {
  const rows = 5000
  const matrix = matrixOf(Array.from({ length: rows }, (_, i) => [i / rows]))
  const target: Target = { kind: 'values', values: Float64Array.from({ length: rows }, (_, i) => i < rows / 3 ? 0 : 1) }
  const forest = fitForest(matrix, target, { ...params, maxFeatures: 'all', bootstrap: false, trees: 1 }, 1)
  const answers = predictForest(forest, matrix)
  expect(answers[Math.floor(rows / 3) - 20]).toBeCloseTo(0, 3)
  expect(answers[Math.ceil(rows / 3) + 20]).toBeCloseTo(1, 3)
})

test('balanced classes count the same, however many rows they have, and rows per leaf are still rows', () => {
  const matrix = matrixOf(Array.from({ length: 100 }, (_, i) => [i < 50 ? 0 : 1]))
  const target: Target = { kind: 'classes', classes: Int32Array.from({ length: 100 }, (_, i) => i % 10 === 0 ? 1 : 0), count: 2 }
  const settings = { ...params, trees: 1, bootstrap: false, minSamplesLeaf: 50 }
  expect(predictForest(fitForest(matrix, target, settings, 1), matrix)[1]).toBeCloseTo(0.1, 5)
  const balanced = fitForest(matrix, target, { ...settings, classWeight: 'balanced' }, 1)
  expect(predictForest(balanced, matrix)[1]).toBeCloseTo(0.5, 5)
  expect(balanced.trees[0]!.nodes).toBeLessThanOrEqual(3)
})
