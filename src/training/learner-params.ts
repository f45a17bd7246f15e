import { FatalError } from '../errors.ts'
import type { BoostParams } from './boost.ts'
import type { ForestParams } from './forest.ts'
import type { Learner } from './learner.ts'
import type { Target } from './matrix.ts'
import type { TrainingPlan } from './training-file.ts'

/** Below this many rows, those held back would be missed more than they would help. */
const leastRowsToHoldBack = 10_000

/**
 * The plan's params, and where it is silent what suits the data.
 *
 * @throws FatalError naming a param of the other algorithm, or one that the target has no use for
 */
export function learnerOf ({ algorithm = 'random-forest', params = {}, target: { column } }: TrainingPlan, target: Target, rows: number): Learner {
  if (params.classWeight !== undefined && target.kind === 'values') {
    throw new FatalError(`params.classWeight is for a classification, but "${column}" is a quantity: leave it out`)
  }
  const learner: Learner = algorithm === 'random-forest'
    ? { algorithm, params: { ...forestDefaults(target), ...params } }
    : { algorithm, params: { ...boostDefaults(rows), ...params } }
  const known = [...Object.keys(algorithm === 'random-forest' ? forestDefaults(target) : boostDefaults(rows)), 'classWeight']
  const unknown = Object.keys(params).filter(key => !known.includes(key))
  if (unknown.length > 0) throw new FatalError(`params.${unknown[0]} is not for ${algorithm}: it takes ${known.join(', ')}`)
  return learner
}

function forestDefaults (target: Target): ForestParams {
  return { trees: 100, maxDepth: 8, minSamplesLeaf: 1, bootstrap: true, maxFeatures: target.kind === 'classes' ? 'sqrt' : 'all' }
}

function boostDefaults (rows: number): BoostParams {
  return {
    trees: 100,
    learningRate: 0.1,
    maxLeaves: 31,
    maxDepth: 64,
    // Of few rows, 20 could be all that there are on one side.
    minSamplesLeaf: Math.max(1, Math.min(20, Math.floor(rows / 10))),
    l2: 0,
    subsample: 1,
    colsample: 1,
    validation: rows >= leastRowsToHoldBack ? 0.1 : 0,
    patience: 10,
  }
}
