import { child, count, countOr, fail, integers, isEmpty, list, numbers, object, type Place, shorten, text } from './xgboost-json.ts'

/** The trees that make a prediction, before they are read. */
export interface Booster {
  readonly name: string
  /** The place of the list of trees; those behind the last weight do not count. */
  readonly trees: Place
  /** The score that each tree adds to. */
  readonly treeInfo: readonly number[]
  /** What each tree's leaves are multiplied by. */
  readonly weights: readonly number[]
  /** Scores per row. */
  readonly outputs: number
  readonly rounds: number
  readonly notices: readonly string[]
}

/** @throws FatalError that names what is not supported, or what does not fit together */
export function readBooster (learner: Place, isMulticlass: boolean): Booster {
  const place = object(child(learner, 'gradient_booster'))
  const name = nameOf(place)
  const model = object(name === 'dart' ? child(place, 'gbtree', 'model') : child(place, 'model'))
  const trees = child(model, 'trees')
  const treeCount = list(trees).length
  if (treeCount === 0) fail(trees, 'is empty: the model was saved before it was trained')
  const outputs = outputsOf(learner, isMulticlass, treeCount)
  const rounds = roundsOf(model, outputs, treeCount)
  const treeInfo = infoOf(model, outputs, treeCount)
  const weights = name === 'dart' ? dartWeights(child(place, 'weight_drop'), treeCount) : treeInfo.map(() => 1)
  const used = usedRounds(learner, rounds.length - 1)
  return {
    name,
    trees,
    treeInfo,
    outputs,
    weights: weights.slice(0, rounds[used]),
    rounds: used,
    notices: used === rounds.length - 1
      ? []
      : [`predicts with the first ${used} of ${rounds.length - 1} rounds, as the scikit-learn interface does after early stopping (best_iteration); Booster.predict takes all of them unless told`],
  }
}

function nameOf (place: Place): string {
  const at = child(place, 'name')
  const name = text(at)
  if (name === 'gbtree' || name === 'dart') return name
  if (name === 'gblinear') fail(at, 'gblinear is a linear model without trees, which is not supported; train with booster="gbtree", or export a scikit-learn linear model with skl2onnx')
  return fail(at, `"${shorten(name)}" is not supported; gbtree and dart are`)
}

function dartWeights (place: Place, treeCount: number): number[] {
  const weights = numbers(place, treeCount).map(Math.fround)
  const odd = weights.findIndex(weight => !Number.isFinite(weight))
  return odd < 0 ? weights : fail(child(place, odd), `is ${weights[odd]}, not a finite number`)
}

function outputsOf (learner: Place, isMulticlass: boolean, treeCount: number): number {
  const targets = child(learner, 'learner_model_param', 'num_target')
  if (countOr(targets, 1) > 1) fail(targets, `the model has ${count(targets)} targets, one is supported; train one model per target`)
  const place = child(learner, 'learner_model_param', 'num_class')
  const classes = countOr(place, 0)
  if (!isMulticlass) return classes <= 1 ? 1 : fail(place, `is ${classes}, but the objective has one score`)
  // Each class has a tree of its own, so that what a file claims is bounded by what it holds.
  if (classes < 2 || classes > treeCount) fail(place, `must be from 2 to the number of trees, ${treeCount}, not ${classes}`)
  return classes
}

/** Where each round begins, and where the last one ends. */
function roundsOf (model: Place, outputs: number, treeCount: number): number[] {
  const given = child(model, 'iteration_indptr')
  if (!isEmpty(given)) return givenRounds(given, treeCount)
  const size = outputs * Math.max(1, countOr(child(model, 'gbtree_model_param', 'num_parallel_tree'), 1))
  if (treeCount % size !== 0) fail(child(model, 'trees'), `holds ${treeCount} trees, which is no multiple of the ${size} that a round adds`)
  return Array.from({ length: treeCount / size + 1 }, (_, round) => round * size)
}

function givenRounds (place: Place, treeCount: number): number[] {
  const begins = integers(place)
  const isRising = begins.every((begin, i) => i === 0 ? begin === 0 : begin >= begins[i - 1]!)
  if (!isRising || begins.length < 2 || begins.at(-1) !== treeCount) fail(place, `must rise from 0 to the number of trees, ${treeCount}`)
  return begins
}

/** The best round is counted from 0; without early stopping it is the last, or not there. */
function usedRounds (learner: Place, rounds: number): number {
  const place = child(learner, 'attributes', 'best_iteration')
  if (isEmpty(place)) return rounds
  const best = count(place)
  return best < rounds ? best + 1 : fail(place, `is round ${best}, but the model has rounds 0 to ${rounds - 1}; save the model again without this attribute`)
}

function infoOf (model: Place, outputs: number, treeCount: number): number[] {
  const place = child(model, 'tree_info')
  const info = integers(place, treeCount)
  const odd = info.findIndex(output => output < 0 || output >= outputs)
  if (odd >= 0) fail(child(place, odd), `is score ${info[odd]}, but the model has scores 0 to ${outputs - 1}`)
  return info
}
