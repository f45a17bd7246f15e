import { missingBin } from './bins.ts'
import { Histogram, type Samples, type Sums } from './histogram.ts'
import type { Random } from './random.ts'

export interface Split {
  readonly column: number
  /** Rows in this bin or one below go left. */
  readonly bin: number
  readonly missingLeft: boolean
}

export interface SplitLimits {
  /** Columns that are looked at per node, drawn anew each time. */
  readonly maxFeatures: number
  /** Least weight on either side. */
  readonly minSamplesLeaf: number
}

/** The last bin of a column has no threshold: this one parts all numbers from missing values. */
export const everyNumber = missingBin - 1

/**
 * Finds the split of a node that leaves the least impurity: Gini's for classes, the variance for
 * values. Both come down to the largest sum, over both sides and all outputs, of sum² / weight.
 */
export class SplitFinder {
  readonly #histogram: Histogram
  readonly #columns: Int32Array
  readonly #limits: SplitLimits
  readonly #random: Random
  readonly #classWeights: Samples['classWeights']
  readonly #left: Sums
  readonly #leftWithMissing: Sums
  #best: Split | undefined
  #bestScore = -Infinity

  constructor (samples: Samples, limits: SplitLimits, random: Random) {
    this.#histogram = new Histogram(samples)
    this.#columns = Int32Array.from({ length: samples.data.columns }, (_, column) => column)
    this.#limits = limits
    this.#random = random
    this.#classWeights = samples.classWeights
    this.#left = new Float64Array(this.#histogram.stride)
    this.#leftWithMissing = new Float64Array(this.#histogram.stride)
  }

  /** @returns undefined when no column parts the rows, or not into large enough sides */
  find (rows: Int32Array, start: number, end: number, total: Sums): Split | undefined {
    this.#best = undefined
    this.#bestScore = -Infinity
    const columns = this.#columns
    for (let seen = 0; seen < columns.length; seen++) {
      // Columns that cannot split do not use up the allowance as long as none was found that can.
      if (seen >= this.#limits.maxFeatures && this.#best !== undefined) break
      const drawn = seen + this.#random.below(columns.length - seen)
      const column = columns[drawn]!
      columns[drawn] = columns[seen]!
      columns[seen] = column
      this.#histogram.fill(column, rows, start, end)
      this.#scan(column, total)
    }
    return this.#best
  }

  #scan (column: number, total: Sums): void {
    const histogram = this.#histogram
    const hasMissing = histogram.weight(missingBin) > 0
    this.#left.fill(0)
    let previous = -1
    for (let bin = histogram.lowest; bin <= histogram.highest; bin++) {
      if (histogram.weight(bin) === 0) continue
      // Between two bins that hold rows, the middle is the safest guess at where the border lies.
      if (previous >= 0) this.#consider(column, (previous + bin - 1) >> 1, total, hasMissing)
      histogram.addTo(this.#left, bin)
      previous = bin
    }
    if (hasMissing && previous >= 0) this.#propose(column, everyNumber, false, this.#left, total)
  }

  /** Proposes a border, with the missing values on either side of it. */
  #consider (column: number, bin: number, total: Sums, hasMissing: boolean): void {
    const left = this.#left
    if (!hasMissing) {
      // Nothing is known of missing values here: they follow the larger side.
      const weight = left[left.length - 1]!
      this.#propose(column, bin, weight * 2 >= total[total.length - 1]!, left, total)
      return
    }
    this.#propose(column, bin, false, left, total)
    this.#leftWithMissing.set(left)
    this.#histogram.addTo(this.#leftWithMissing, missingBin)
    this.#propose(column, bin, true, this.#leftWithMissing, total)
  }

  #propose (column: number, bin: number, missingLeft: boolean, left: Sums, total: Sums): void {
    const outputs = left.length - 1
    const leftWeight = left[outputs]!
    const rightWeight = total[outputs]! - leftWeight
    const least = this.#limits.minSamplesLeaf
    if (leftWeight < least || rightWeight < least) return
    const score = this.#classWeights === undefined
      ? scoreOf(left, total, leftWeight, rightWeight)
      : weightedScoreOf(left, total, this.#classWeights)
    if (score <= this.#bestScore) return
    this.#bestScore = score
    this.#best = { column, bin, missingLeft }
  }
}

function scoreOf (left: Sums, total: Sums, leftWeight: number, rightWeight: number): number {
  let leftSquares = 0
  let rightSquares = 0
  for (let k = 0; k < left.length - 1; k++) {
    const right = total[k]! - left[k]!
    leftSquares += left[k]! * left[k]!
    rightSquares += right * right
  }
  return leftSquares / leftWeight + rightSquares / rightWeight
}

/** The same, with rows that count by their class. */
function weightedScoreOf (left: Sums, total: Sums, classWeights: ArrayLike<number>): number {
  let leftSquares = 0
  let rightSquares = 0
  let leftWeight = 0
  let rightWeight = 0
  for (let k = 0; k < classWeights.length; k++) {
    const onLeft = left[k]! * classWeights[k]!
    const onRight = (total[k]! - left[k]!) * classWeights[k]!
    leftSquares += onLeft * onLeft
    rightSquares += onRight * onRight
    leftWeight += onLeft
    rightWeight += onRight
  }
  return leftSquares / leftWeight + rightSquares / rightWeight
}
