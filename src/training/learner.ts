import { type BoostParams, fitBoost } from './boost.ts'
import { boostToOnnx, predictBoost } from './boost-export.ts'
import { forestToOnnx } from './export.ts'
import { type ForestParams, fitForest, predictForest } from './forest.ts'
import { outputsOf } from './histogram.ts'
import type { Matrix, Target } from './matrix.ts'

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

/**
 * @param seed decides everything that is random: the same seed gives the same model
 * @param onTree told after each tree, or each round of boosting, how many there are
 */
export function fit (learner: Learner, matrix: Matrix, target: Target, seed: number, onTree?: (done: number) => void): Fitted {
  const outputs = outputsOf(target)
  if (learner.algorithm === 'random-forest') {
    const forest = fitForest(matrix, target, learner.params, seed, onTree)
    return { outputs, predict: matrix => predictForest(forest, matrix), toOnnx: () => forestToOnnx(forest) }
  }
  const boost = fitBoost(matrix, target, learner.params, seed, onTree)
  return {
    outputs,
    rounds: boost.trees.length / boost.base.length,
    predict: matrix => predictBoost(boost, matrix),
    toOnnx: () => boostToOnnx(boost),
  }
}
