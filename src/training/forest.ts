import { type BinnedMatrix, binMatrix } from './bins.ts'
import { type ClassWeight, classWeights } from './class-weights.ts'
import { growTree } from './grow.ts'
import { outputsOf } from './histogram.ts'
import { onGrid } from './leaf-grid.ts'
import { type Matrix, shareTarget, type Target } from './matrix.ts'
import { type Random, random } from './random.ts'
import { type Tree, leafOf } from './tree.ts'

export interface ForestParams {
  readonly trees: number
  readonly maxDepth: number
  readonly minSamplesLeaf: number
  /** Columns that a split may choose from: all, their square root, or a share of them. */
  readonly maxFeatures: 'all' | 'sqrt' | number
  /** Each tree sees as many rows as there are, drawn with replacement; otherwise all of them once. */
  readonly bootstrap: boolean
  readonly classWeight?: ClassWeight | undefined
}

/** An answer is the sum of one leaf per tree. */
export interface Forest {
  readonly kind: Target['kind']
  /** The width of a row. */
  readonly columns: number
  /** Numbers per row in an answer: one probability per class, or the value. */
  readonly outputs: number
  /** Leaf values are shares of the answer, on a grid where float32 sums are exact. */
  readonly trees: readonly Tree[]
}

/** What every tree of a forest is grown from. Another thread can be handed it without a copy of the rows. */
export interface ForestTask {
  readonly data: BinnedMatrix
  readonly target: Target
  readonly params: ForestParams
  readonly classWeights: Float64Array | undefined
  readonly seed: number
}

/**
 * @param target of the rows that are learned from
 * @param seed decides everything that is random: the same seed gives the same forest
 * @param chosen  which rows of the matrix those are, where not all
 */
export function forestTask (matrix: Matrix, target: Target, params: ForestParams, seed: number, chosen?: Int32Array): ForestTask {
  return { data: binMatrix(matrix, chosen), target: shareTarget(target), params, classWeights: classWeights(target, params.classWeight), seed }
}

/** Memory in which one thread grows its trees, one after the other: new memory for each would pile up until it is collected. */
export interface ForestScratch { readonly weights: Uint16Array, readonly rows: Int32Array }

export function forestScratch ({ data: { rows } }: ForestTask): ForestScratch {
  return { weights: new Uint16Array(rows), rows: new Int32Array(rows) }
}

/** The tree of that number. It depends on the task and the number alone, so that trees can be grown in any order. */
export function growForestTree ({ data, target, params, classWeights, seed }: ForestTask, index: number, { weights, rows }: ForestScratch): Tree {
  const source = random(seed, index)
  if (params.bootstrap) bootstrap(weights, source)
  else weights.fill(1)
  const limits = { ...params, maxFeatures: allowedColumns(params.maxFeatures, data.columns) }
  return growTree({ data, target, classWeights, weights }, limits, source, rows)
}

export function forestOf ({ data: { columns }, target }: ForestTask, trees: readonly Tree[]): Forest {
  return { kind: target.kind, columns, outputs: outputsOf(target), trees: onGrid(target.kind, trees) }
}

/**
 * @param seed decides everything that is random: the same seed gives the same forest
 * @param onTree told after each tree, how many there are
 */
export function fitForest (
  matrix: Matrix, target: Target, params: ForestParams, seed: number, onTree?: (done: number) => void, chosen?: Int32Array
): Forest {
  const task = forestTask(matrix, target, params, seed, chosen)
  const scratch = forestScratch(task)
  return forestOf(task, Array.from({ length: params.trees }, (_, i) => {
    const tree = growForestTree(task, i, scratch)
    onTree?.(i + 1)
    return tree
  }))
}

function allowedColumns (maxFeatures: ForestParams['maxFeatures'], columns: number): number {
  switch (maxFeatures) {
    case 'all': return columns
    case 'sqrt': return Math.max(1, Math.floor(Math.sqrt(columns)))
    default: return Math.max(1, Math.round(maxFeatures * columns))
  }
}

/** How often each row is drawn. */
function bootstrap (weights: Uint16Array, source: Random): void {
  weights.fill(0)
  for (let i = 0; i < weights.length; i++) weights[source.below(weights.length)]! += 1
}

/**
 * What the exported model answers, bit for bit: sums on the grid do not depend on their order.
 *
 * @returns `forest.outputs` numbers per row
 */
export function predictForest (forest: Forest, { data, rows, columns }: Matrix): Float32Array {
  const { outputs, trees } = forest
  const answers = new Float32Array(rows * outputs)
  // One tree after the other, not one row after the other: a tree then stays in the processor's cache.
  for (const tree of trees) {
    for (let row = 0; row < rows; row++) {
      const leaf = leafOf(tree, data, row * columns)
      for (let k = 0; k < outputs; k++) answers[row * outputs + k]! += tree.values[leaf * outputs + k]!
    }
  }
  return answers
}

/** The class of each row: the most probable one, the first of equals. */
export function predictClasses (probabilities: Float32Array, classes: number): Int32Array {
  const predicted = new Int32Array(probabilities.length / classes)
  for (let row = 0; row < predicted.length; row++) {
    let best = 0
    for (let k = 1; k < classes; k++) {
      if (probabilities[row * classes + k]! > probabilities[row * classes + best]!) best = k
    }
    predicted[row] = best
  }
  return predicted
}
