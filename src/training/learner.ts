import { type BoostParams, boostSplit, fitBoost } from './boost.ts'
import { boostToOnnx, predictBoost } from './boost-export.ts'
import type { CategoryCodes } from './category-codes.ts'
import { collectGarbage } from './collect.ts'
import type { Crew } from './crew.ts'
import { forestToOnnx } from './export.ts'
import { type ForestParams, fitForest, predictForest } from './forest.ts'
import { outputsOf } from './histogram.ts'
import { type Matrix, selectTarget, type Target } from './matrix.ts'

/** Which algorithm learns, and how. */
export type Learner =
  | { readonly algorithm: 'random-forest', readonly params: ForestParams }
  | { readonly algorithm: 'gradient-boosting', readonly params: BoostParams }

/** What an algorithm has made of a table, whichever it was. */
export interface Fitted {
  /** Numbers per row in an answer: one probability per class, or the value. */
  readonly outputs: number
  /** Of boosting: after how many the loss was least, where some rows were held back. */
  readonly rounds?: number
  /** @returns what the exported model answers: `outputs` numbers per row */
  readonly predict: (matrix: Matrix) => Float32Array
  /** An ONNX file: [N, columns] float32 in, labels are class indices. */
  readonly toOnnx: () => Uint8Array
}

/** With less to look at, threads are not up before one alone would be done: rows × columns × trees. */
const leastWork = 2e7

export interface FitOptions {
  /** Threads that help; without them everything is done on this one. */
  readonly crew?: Crew | undefined
  /** Told after each tree, or each round of boosting, how many there are. */
  readonly onTree?: ((done: number) => void) | undefined
  /** The rows of the matrix that are learned from, where not all: so they need not be copied out. */
  readonly chosen?: Int32Array | undefined
  /** Of the matrix, which is renumbered by what is learned from, for the model's answers too. */
  readonly categories?: CategoryCodes | undefined
}

/** Whether threads are worth while. */
export function isLarge ({ params: { trees } }: Learner, { rows, columns }: Matrix): boolean {
  return rows * columns * trees >= leastWork
}

/**
 * @param target of the rows that are learned from
 * @param seed decides everything that is random: the same seed gives the same model, with a crew of any size or without
 */
export async function fit (learner: Learner, matrix: Matrix, target: Target, seed: number, { crew, onTree, chosen, categories }: FitOptions = {}): Promise<Fitted> {
  const outputs = outputsOf(target)
  if (categories?.isEmpty === false) orderCategories(categories, learner, target, seed, chosen)
  await collectGarbage(matrix.data.byteLength)
  if (learner.algorithm === 'random-forest') {
    const { params } = learner
    const forest = crew === undefined ? fitForest(matrix, target, params, seed, onTree, chosen) : await crew.fitForest(matrix, target, params, seed, onTree, chosen)
    return { outputs, predict: matrix => predictForest(forest, matrix), toOnnx: () => forestToOnnx(forest) }
  }
  const { params } = learner
  const boost = crew === undefined ? fitBoost(matrix, target, params, seed, onTree, chosen) : await crew.fitBoost(matrix, target, params, seed, onTree, chosen)
  return {
    outputs,
    rounds: boost.trees.length / boost.base.length,
    predict: matrix => predictBoost(boost, matrix),
    toOnnx: () => boostToOnnx(boost),
  }
}

/** Rows that boosting holds back to measure itself may not say anything of their target beforehand. */
function orderCategories (categories: CategoryCodes, learner: Learner, target: Target, seed: number, chosen: Int32Array | undefined): void {
  if (learner.algorithm === 'random-forest') return categories.learn(target, chosen)
  const { train } = boostSplit(target, learner.params, seed)
  categories.learn(selectTarget(target, train), chosen === undefined ? train : train.map(place => chosen[place]!))
}
