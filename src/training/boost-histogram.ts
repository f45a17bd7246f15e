import { type BinnedMatrix, missingBin } from './bins.ts'

/** Sums per bin: of the gradients, of the hessians, and the number of rows. */
export const sumsPerBin = 3

/** First and second derivative of the loss by each row's score. */
export interface Derivatives {
  readonly gradients: Float64Array
  readonly hessians: Float64Array
}

/** A column of fewer bins has room for those only; others have it for every code, so that they are counted in place. */
const fewBins = 64

/**
 * The sums of every bin of every column over the rows of a node. A node's children add up to it: only
 * the smaller one is counted, the other is what is left.
 */
export class NodeHistograms {
  /** Where each column's sums begin. One entry more than columns. */
  readonly offsets: Int32Array
  /** Where the sums of each column's missing values stand. Those of its bins, from its offset on, end there or before. */
  readonly missing: Int32Array
  /** Bins of each column, without that of missing values. */
  readonly bins: Int32Array
  readonly #data: BinnedMatrix
  /** Where a column of few bins is counted. */
  readonly #scratch = new Float64Array(2 * (missingBin + 1) * sumsPerBin)
  /** The derivatives of a node's rows, side by side. */
  readonly #gradients: Float64Array
  readonly #hessians: Float64Array
  readonly #free: Float64Array[] = []

  constructor (data: BinnedMatrix) {
    const { columns, rows, thresholds } = data
    this.#data = data
    this.bins = Int32Array.from(thresholds, ({ length }) => length + 1)
    this.offsets = new Int32Array(columns + 1)
    this.missing = new Int32Array(columns)
    this.bins.forEach((bins, column) => {
      this.missing[column] = this.offsets[column]! + (bins < fewBins ? bins : missingBin) * sumsPerBin
      this.offsets[column + 1] = this.missing[column] + sumsPerBin
    })
    this.#gradients = new Float64Array(rows)
    this.#hessians = new Float64Array(rows)
  }

  /** @returns sums of whatever was in them */
  take (): Float64Array {
    return this.#free.pop() ?? new Float64Array(this.offsets.at(-1)!)
  }

  give (sums: Float64Array): void {
    this.#free.push(sums)
  }

  /** @param rows the node's are those from `start` to before `end` */
  fill (sums: Float64Array, columns: Int32Array, { gradients, hessians }: Derivatives, rows: Int32Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      this.#gradients[i] = gradients[rows[i]!]!
      this.#hessians[i] = hessians[rows[i]!]!
    }
    this.#countAll(sums, columns, { gradients: this.#gradients, hessians: this.#hessians }, rows, start, end)
  }

  /** The same for a node of all rows, which then need no looking up. */
  fillWhole (sums: Float64Array, columns: Int32Array, derivatives: Derivatives): void {
    this.#countAll(sums, columns, derivatives, undefined, 0, this.#data.rows)
  }

  /** @param derivatives  by the place in `rows`, not by the row */
  #countAll (sums: Float64Array, columns: Int32Array, derivatives: Derivatives, rows: Int32Array | undefined, start: number, end: number): void {
    const wide = columns.filter(column => this.bins[column]! >= fewBins)
    const narrow = columns.filter(column => this.bins[column]! < fewBins)
    for (const column of wide) sums.fill(0, this.offsets[column], this.offsets[column + 1])
    for (let i = 0; i < wide.length; i += 2) {
      const [one, other] = [wide[i]!, wide[i + 1]]
      // A last column without another is counted beside itself, into the scratch.
      if (other === undefined) this.#count(one, sums, this.offsets[one]!, one, this.#scratch, 0, derivatives, rows, start, end)
      else this.#count(one, sums, this.offsets[one]!, other, sums, this.offsets[other]!, derivatives, rows, start, end)
    }
    for (let i = 0; i < narrow.length; i += 2) {
      const one = narrow[i]!
      const other = narrow[i + 1] ?? one
      const half = this.#scratch.length / 2
      this.#scratch.fill(0)
      this.#count(one, this.#scratch, 0, other, this.#scratch, half, derivatives, rows, start, end)
      this.#copy(one, 0, sums)
      this.#copy(other, half, sums)
    }
  }

  /** Takes a child's sums away from its parent's, which become those of the other child. */
  subtract (parent: Float64Array, child: Float64Array, columns: Int32Array): void {
    for (const column of columns) {
      const end = this.offsets[column]! + this.bins[column]! * sumsPerBin
      for (let at = this.offsets[column]!; at < end; at++) parent[at]! -= child[at]!
      for (let at = this.missing[column]!; at < this.offsets[column + 1]!; at++) parent[at]! -= child[at]!
    }
  }

  /** Two columns at a time: the rows and their derivatives are read half as often. */
  #count (
    one: number, sumsOfOne: Float64Array, firstOfOne: number, other: number, sumsOfOther: Float64Array, firstOfOther: number,
    { gradients, hessians }: Derivatives, rows: Int32Array | undefined, start: number, end: number
  ): void {
    const { codes, rows: height } = this.#data
    const codesOfOne = codes.subarray(one * height, (one + 1) * height)
    const codesOfOther = codes.subarray(other * height, (other + 1) * height)
    for (let i = start; i < end; i++) {
      const row = rows === undefined ? i : rows[i]!
      const gradient = gradients[i]!
      const hessian = hessians[i]!
      const atOne = firstOfOne + codesOfOne[row]! * sumsPerBin
      sumsOfOne[atOne]! += gradient
      sumsOfOne[atOne + 1]! += hessian
      sumsOfOne[atOne + 2]! += 1
      const atOther = firstOfOther + codesOfOther[row]! * sumsPerBin
      sumsOfOther[atOther]! += gradient
      sumsOfOther[atOther + 1]! += hessian
      sumsOfOther[atOther + 2]! += 1
    }
  }

  #copy (column: number, from: number, to: Float64Array): void {
    const start = this.offsets[column]!
    const missing = this.missing[column]!
    to.set(this.#scratch.subarray(from, from + missing - start), start)
    to.set(this.#scratch.subarray(from + missingBin * sumsPerBin, from + (missingBin + 1) * sumsPerBin), missing)
  }
}
