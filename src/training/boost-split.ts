import { type Split, everyNumber } from './best-split.ts'
import { type NodeHistograms, sumsPerBin } from './boost-histogram.ts'
import type { Rendezvous } from './rendezvous.ts'

/** What the rows of a node, or of a side of it, add up to. */
export interface NodeSums {
  readonly gradient: number
  readonly hessian: number
  readonly rows: number
}

export interface BoostSplit extends Split {
  /** How much less the loss gets, to the second order; above 0. */
  readonly gain: number
  /** What is compared: the gain without what all splits of the leaf have in common. */
  readonly score: number
  readonly left: NodeSums
}

export interface BoostSplitLimits {
  /** Least rows on either side. */
  readonly minSamplesLeaf: number
  /** Added to every hessian. */
  readonly l2: number
}

/** With less, a leaf's value is more noise than knowledge. */
const minHessian = 1e-3
/** Keeps 0 / 0 away. */
const tiny = 1e-15

export function leafValue ({ gradient, hessian }: NodeSums, l2: number): number {
  return -gradient / (hessian + l2 + tiny)
}

/** Where the sums of each column stand: from its offset on those of its bins, and those of its missing values. */
type SumsLayout = Pick<NodeHistograms, 'offsets' | 'bins' | 'missing'>

/** Finds the split of a node that makes the loss the least. */
export class BoostSplitFinder {
  readonly #limits: BoostSplitLimits
  #total: NodeSums = { gradient: 0, hessian: 0, rows: 0 }
  #best: BoostSplit | undefined
  #bestScore = 0
  #parentScore = 0

  constructor (limits: BoostSplitLimits) {
    this.#limits = limits
  }

  /**
   * @param sums the node's, as `layout` says where they stand
   * @returns undefined when no split lessens the loss and leaves enough on either side
   */
  find (sums: Float64Array, { offsets, bins, missing }: SumsLayout, columns: Int32Array, total: NodeSums): BoostSplit | undefined {
    this.#total = total
    this.#best = undefined
    this.#parentScore = this.#score(total.gradient, total.hessian)
    this.#bestScore = this.#parentScore
    for (const column of columns) this.#scan(column, sums, offsets[column]!, bins[column]!, missing[column]!)
    return this.#best
  }

  /** @param missing where the sums of the column's missing values stand */
  #scan (column: number, sums: Float64Array, start: number, bins: number, missing: number): void {
    const hasMissing = sums[missing + 2]! > 0
    let gradient = 0
    let hessian = 0
    let rows = 0
    let previous = -1
    for (let at = start, bin = 0; bin < bins; at += sumsPerBin, bin++) {
      if (sums[at + 2] === 0) continue
      if (previous >= 0) {
        // Between two bins that hold rows, the middle is the safest guess at where the border lies.
        const border = (previous + bin - 1) >> 1
        // Nothing is known of missing values where there are none: they follow the larger side.
        this.#propose(column, border, !hasMissing && rows * 2 >= this.#total.rows, gradient, hessian, rows)
        if (hasMissing) this.#propose(column, border, true, gradient + sums[missing]!, hessian + sums[missing + 1]!, rows + sums[missing + 2]!)
      }
      gradient += sums[at]!
      hessian += sums[at + 1]!
      rows += sums[at + 2]!
      previous = bin
    }
    if (hasMissing && previous >= 0) this.#propose(column, everyNumber, false, gradient, hessian, rows)
  }

  #propose (column: number, bin: number, missingLeft: boolean, gradient: number, hessian: number, rows: number): void {
    const { minSamplesLeaf } = this.#limits
    const total = this.#total
    const restHessian = total.hessian - hessian
    if (rows < minSamplesLeaf || total.rows - rows < minSamplesLeaf) return
    if (hessian < minHessian || restHessian < minHessian) return
    const score = this.#score(gradient, hessian) + this.#score(total.gradient - gradient, restHessian)
    if (score <= this.#bestScore) return
    this.#bestScore = score
    this.#best = { column, bin, missingLeft, score, gain: score - this.#parentScore, left: { gradient, hessian, rows } }
  }

  /** Twice what a leaf of these sums takes away from the loss. */
  #score (gradient: number, hessian: number): number {
    return gradient * gradient / (hessian + this.#limits.l2 + tiny)
  }
}

const numbersPerSplit = 8

/**
 * Of what each thread has found in its columns the best, for each of some leaves. The threads hold columns in their
 * order: of equal splits all take the one of the lowest column, as one thread alone would.
 */
export function agreeOn (rendezvous: Rendezvous, found: readonly (BoostSplit | undefined)[]): (BoostSplit | undefined)[] {
  if (rendezvous.size === 1) return [...found]
  const all = rendezvous.exchange(Float64Array.from(found.flatMap(asNumbers)))
  return found.map((_, leaf) => {
    let best: BoostSplit | undefined
    for (let thread = 0; thread < rendezvous.size; thread++) {
      const split = fromNumbers(all, (thread * found.length + leaf) * numbersPerSplit)
      if (split !== undefined && (best === undefined || split.score > best.score)) best = split
    }
    return best
  })
}

function asNumbers (split: BoostSplit | undefined): number[] {
  if (split === undefined) return [-1, 0, 0, 0, 0, 0, 0, 0]
  const { column, bin, missingLeft, gain, score, left } = split
  return [column, bin, missingLeft ? 1 : 0, gain, score, left.gradient, left.hessian, left.rows]
}

function fromNumbers (numbers: Float64Array, at: number): BoostSplit | undefined {
  const [column = -1, bin = 0, missingLeft = 0, gain = 0, score = 0, gradient = 0, hessian = 0, rows = 0] = numbers.subarray(at, at + numbersPerSplit)
  return column < 0 ? undefined : { column, bin, missingLeft: missingLeft === 1, gain, score, left: { gradient, hessian, rows } }
}
