import { rocAuc } from './metrics-curves.ts'

export interface ProbabilityScores {
  /** Missing where the rows hold one class only. */
  roc_auc?: number
  log_loss: number
  brier: number
  /** Expected calibration error: by how much probabilities and shares differ, on average over the rows. */
  ece: number
}

/** Rows whose probability lies in one range. */
export interface CalibrationBin {
  from: number
  to: number
  count: number
  /** The mean probability. */
  predicted: number
  /** The share of the rows that it came true for. */
  observed: number
}

export interface Calibration {
  /** Two classes: the one whose probability it is. More: missing, it is that of whichever class is most probable. */
  label?: string
  /** Those that hold rows, ascending. */
  bins: CalibrationBin[]
}

const bins = 10
/** A probability of 0 for what then happens would cost infinitely much. */
const leastProbability = 2 ** -52

/** @param probabilities row by row, one per class */
export function probabilityScores (actual: Int32Array, probabilities: ArrayLike<number>, labels: readonly string[]): ProbabilityScores {
  const auc = rocAuc(actual, probabilities, labels.length)
  return {
    ...(auc === undefined ? {} : { roc_auc: auc }),
    log_loss: logLoss(actual, probabilities, labels.length),
    brier: brierScore(actual, probabilities, labels.length),
    ece: calibrationError(calibration(actual, probabilities, labels)),
  }
}

/** The mean of -ln of the probability that the row's own class was given; 0 of no rows. */
export function logLoss (actual: Int32Array, probabilities: ArrayLike<number>, classes: number): number {
  let loss = 0
  actual.forEach((k, row) => {
    const p = probabilities[row * classes + k]!
    loss -= Math.log(Math.min(1, Math.max(leastProbability, p)))
  })
  return actual.length === 0 ? 0 : loss / actual.length
}

/** The mean squared error of the second class's probability; of more than two classes summed over them, so up to 2. */
export function brierScore (actual: Int32Array, probabilities: ArrayLike<number>, classes: number): number {
  let loss = 0
  actual.forEach((actualClass, row) => {
    for (let k = classes === 2 ? 1 : 0; k < classes; k++) loss += (probabilities[row * classes + k]! - Number(k === actualClass)) ** 2
  })
  return actual.length === 0 ? 0 : loss / actual.length
}

/** In ten ranges of equal width, each without its upper end but the last. */
export function calibration (actual: Int32Array, probabilities: ArrayLike<number>, labels: readonly string[]): Calibration {
  const counts = Array.from({ length: bins }, () => ({ count: 0, predicted: 0, observed: 0 }))
  actual.forEach((actualClass, row) => {
    const k = labels.length === 2 ? 1 : mostProbable(probabilities, row, labels.length)
    const p = probabilities[row * labels.length + k]!
    const bin = counts[Math.max(0, Math.min(bins - 1, Math.floor(p * bins)))]!
    bin.count += 1
    bin.predicted += p
    bin.observed += Number(actualClass === k)
  })
  return {
    ...(labels.length === 2 ? { label: labels[1]! } : {}),
    bins: counts.flatMap(({ count, predicted, observed }, i) => count === 0
      ? []
      : [{ from: i / bins, to: (i + 1) / bins, count, predicted: predicted / count, observed: observed / count }]),
  }
}

export function calibrationError ({ bins }: Calibration): number {
  const rows = bins.reduce((sum, { count }) => sum + count, 0)
  return bins.reduce((sum, { count, predicted, observed }) => sum + count / rows * Math.abs(predicted - observed), 0)
}

function mostProbable (probabilities: ArrayLike<number>, row: number, classes: number): number {
  let best = 0
  for (let k = 1; k < classes; k++) {
    if (probabilities[row * classes + k]! > probabilities[row * classes + best]!) best = k
  }
  return best
}
