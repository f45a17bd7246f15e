import { forestToOnnx } from './export.ts'
import { type ForestParams, fitForest, predictForest } from './forest.ts'
import type { Matrix, Target } from './matrix.ts'

/** Which algorithm learns, and how. */
export interface Learner { readonly algorithm: 'random-forest', readonly params: ForestParams }

/** What an algorithm has made of a table, whichever it was. */
export interface Fitted {
  /** Numbers per row in an answer: one probability per class, or the value. */
  readonly outputs: number
  /** @returns what the exported model answers: `outputs` numbers per row */
  readonly predict: (matrix: Matrix) => Float32Array
  /** An ONNX file: [N, columns] float32 in, labels are class indices. */
  readonly toOnnx: () => Uint8Array
}

/** @param seed decides everything that is random: the same seed gives the same model */
export function fit ({ params }: Learner, matrix: Matrix, target: Target, seed: number): Fitted {
  const forest = fitForest(matrix, target, params, seed)
  return {
    outputs: forest.outputs,
    predict: matrix => predictForest(forest, matrix),
    toOnnx: () => forestToOnnx(forest),
  }
}
