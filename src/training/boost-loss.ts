import type { Target } from './matrix.ts'

/**
 * What the scores of a row stand for: the value; the log odds of the second class; or the logarithm of
 * each class's share. In all three the gradient of a score is what it stands for less what is.
 */
export type Loss = 'squared' | 'logistic' | 'softmax'

export function lossOf (target: Target): Loss {
  if (target.kind === 'values') return 'squared'
  return target.count === 2 ? 'logistic' : 'softmax'
}

export function scoresPerRow (target: Target): number {
  return target.kind === 'classes' && target.count > 2 ? target.count : 1
}

/** A class that no row has would otherwise begin at minus infinity. */
const leastShare = 1e-6

/** The scores that suit all rows best, were they all to have the same. */
export function baseScores (target: Target, rowWeight: (row: number) => number): number[] {
  if (target.kind === 'values') return [target.values.reduce((sum, value) => sum + value, 0) / target.values.length]
  const weights = new Array<number>(target.count).fill(0)
  target.classes.forEach((k, row) => { weights[k]! += rowWeight(row) })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const logs = weights.map(weight => Math.log(Math.min(1 - leastShare, Math.max(leastShare, weight / total))))
  return target.count === 2 ? [logs[1]! - logs[0]!] : logs
}

/** What every row's scores stand for. `scores` and `to` hold `outputs` numbers per row. */
export function expectations (loss: Loss, scores: Float64Array, outputs: number, to: Float64Array): void {
  switch (loss) {
    case 'squared': return to.set(scores)
    case 'logistic':
      for (let row = 0; row < scores.length; row++) to[row] = 1 / (1 + Math.exp(-scores[row]!))
      return
    case 'softmax': return softmax(scores, outputs, to)
    default: throw new Error(`no loss ${String(loss satisfies never)}`)
  }
}

function softmax (scores: Float64Array, outputs: number, to: Float64Array): void {
  for (let first = 0; first < scores.length; first += outputs) {
    const highest = highestOf(scores, first, outputs)
    let total = 0
    for (let k = first; k < first + outputs; k++) total += to[k] = Math.exp(scores[k]! - highest)
    for (let k = first; k < first + outputs; k++) to[k]! /= total
  }
}

function highestOf (scores: Float64Array, first: number, outputs: number): number {
  let highest = -Infinity
  for (let k = first; k < first + outputs; k++) highest = Math.max(highest, scores[k]!)
  return highest
}

/** The mean over the rows; for classes the log loss, for values half the squared error. */
export function meanLoss (scores: Float64Array, target: Target, rowWeight: (row: number) => number): number {
  const outputs = scoresPerRow(target)
  const rows = scores.length / outputs
  let sum = 0
  let weights = 0
  for (let row = 0; row < rows; row++) {
    const weight = rowWeight(row)
    sum += weight * rowLoss(scores, row, outputs, target)
    weights += weight
  }
  return sum / weights
}

function rowLoss (scores: Float64Array, row: number, outputs: number, target: Target): number {
  if (target.kind === 'values') return (scores[row]! - target.values[row]!) ** 2 / 2
  if (outputs === 1) {
    const wrong = target.classes[row] === 1 ? -scores[row]! : scores[row]!
    return Math.max(wrong, 0) + Math.log1p(Math.exp(-Math.abs(wrong)))
  }
  const first = row * outputs
  const highest = highestOf(scores, first, outputs)
  let total = 0
  for (let k = first; k < first + outputs; k++) total += Math.exp(scores[k]! - highest)
  return Math.log(total) + highest - scores[first + target.classes[row]!]!
}
