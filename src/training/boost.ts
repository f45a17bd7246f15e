import { binBy, binMatrix } from './bins.ts'
import { baseScores, type Loss, lossOf } from './boost-loss.ts'
import { type BoostParams, boostRounds, type BoostTask, rowWeights } from './boost-rounds.ts'
import { classWeights } from './class-weights.ts'
import { type Matrix, selectTarget, sharedFloat64, shareTarget, type Target } from './matrix.ts'
import { alone } from './rendezvous.ts'
import { holdout, type Split, validationStream } from './split.ts'
import { type Tree, leafOf } from './tree.ts'

export type { BoostParams }

/** Scores are sums of one leaf per tree. */
export interface Boost {
  readonly loss: Loss
  /** The width of a row. */
  readonly columns: number
  /** What each score of a row begins with. */
  readonly base: readonly number[]
  /** They add to the scores in turn. */
  readonly trees: readonly Tree[]
}

/** Places of the target that trees are grown from, and those that are held back to see when more trees no longer help. */
export function boostSplit (target: Target, { validation }: BoostParams, seed: number): Split {
  return holdout(target, validation, seed, validationStream)
}

/**
 * What boosting begins with. Other threads can be handed it without a copy of the rows.
 *
 * @param target of the rows that are learned from
 * @param seed decides everything that is random: the same seed gives the same model
 * @param chosen  which rows of the matrix those are, where not all
 */
export function boostTask (matrix: Matrix, target: Target, params: BoostParams, seed: number, chosen?: Int32Array): BoostTask {
  const { train, test } = boostSplit(target, params, seed)
  const isWhole = test.length === 0
  const rowsOf = (places: Int32Array) => chosen === undefined ? places : places.map(place => chosen[place]!)
  const learned = isWhole ? target : selectTarget(target, train)
  const data = binMatrix(matrix, isWhole ? chosen : rowsOf(train))
  const weights = classWeights(target, params.classWeight)
  const base = baseScores(learned, rowWeights(learned, weights))
  return {
    learned: { data, target: shareTarget(learned) },
    held: isWhole ? undefined : { data: binBy(data.thresholds, matrix, rowsOf(test)), target: shareTarget(selectTarget(target, test)) },
    params,
    weights,
    base,
    seed,
    shared: {
      scores: sharedFloat64(data.rows * base.length),
      derivatives: { gradients: sharedFloat64(data.rows), hessians: sharedFloat64(data.rows) },
    },
  }
}

export function boostOf ({ learned: { data: { columns }, target }, base }: BoostTask, trees: readonly Tree[]): Boost {
  return { loss: lossOf(target), columns, base, trees }
}

/**
 * Gradient boosting to the second order.
 *
 * @param seed decides everything that is random: the same seed gives the same model
 * @param onRound told after each round, how many there are
 */
export function fitBoost (
  matrix: Matrix, target: Target, params: BoostParams, seed: number, onRound?: (done: number) => void, chosen?: Int32Array
): Boost {
  const task = boostTask(matrix, target, params, seed, chosen)
  return boostOf(task, boostRounds(task, alone, onRound))
}

/** @returns a score per row and output, as float64 sums in the order of the trees */
export function scoresOf ({ base, trees }: Boost, { data, rows, columns }: Matrix): Float64Array {
  const outputs = base.length
  const scores = Float64Array.from({ length: rows * outputs }, (_, i) => base[i % outputs]!)
  trees.forEach((tree, i) => {
    for (let row = 0; row < rows; row++) scores[row * outputs + i % outputs]! += tree.values[leafOf(tree, data, row * columns)]!
  })
  return scores
}
