import { type BinnedMatrix, missingBin } from './bins.ts'

/** Sums per bin: of the gradients, of the hessians, and the number of rows. */
export const sumsPerBin = 3

/** First and second derivative of the loss by each row's score. */
export interface Derivatives {
  readonly gradients: Float64Array
  readonly hessians: Float64Array
}

/**
 * The sums of every bin of every column over the rows of a node. A node's children add up to it: only
 * the smaller one is counted, the other is what is left.
 */
export class NodeHistograms {
  /** Where each column's sums begin; its last bin is that of missing values. One entry more than columns. */
  readonly offsets: Int32Array
  readonly #data: BinnedMatrix
  readonly #scratch = [new Float64Array((missingBin + 1) * sumsPerBin), new Float64Array((missingBin + 1) * sumsPerBin)] as const
  /** The derivatives of a node's rows, side by side. */
  readonly #gradients: Float64Array
  readonly #hessians: Float64Array
  readonly #free: Float64Array[] = []

  constructor (data: BinnedMatrix) {
    this.#data = data
    this.offsets = new Int32Array(data.columns + 1)
    data.thresholds.forEach(({ length }, column) => {
      this.offsets[column + 1] = this.offsets[column]! + (length + 2) * sumsPerBin
    })
    this.#gradients = new Float64Array(data.rows)
    this.#hessians = new Float64Array(data.rows)
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
    for (let i = 0; i < columns.length; i += 2) {
      const first = columns[i]!
      const second = columns[i + 1] ?? first
      this.#count(first, second, rows, start, end)
      this.#copy(first, this.#scratch[0], sums)
      this.#copy(second, this.#scratch[1], sums)
    }
  }

  /** Takes a child's sums away from its parent's, which become those of the other child. */
  subtract (parent: Float64Array, child: Float64Array, columns: Int32Array): void {
    for (const column of columns) {
      const end = this.offsets[column + 1]!
      for (let at = this.offsets[column]!; at < end; at++) parent[at]! -= child[at]!
    }
  }

  /** Two columns at a time: the rows and their derivatives are read half as often. */
  #count (one: number, other: number, rows: Int32Array, start: number, end: number): void {
    const { codes, rows: height } = this.#data
    const codesOfOne = codes.subarray(one * height, (one + 1) * height)
    const codesOfOther = codes.subarray(other * height, (other + 1) * height)
    const [sumsOfOne, sumsOfOther] = this.#scratch
    const gradients = this.#gradients
    const hessians = this.#hessians
    sumsOfOne.fill(0)
    sumsOfOther.fill(0)
    for (let i = start; i < end; i++) {
      const row = rows[i]!
      const gradient = gradients[i]!
      const hessian = hessians[i]!
      const atOne = codesOfOne[row]! * sumsPerBin
      sumsOfOne[atOne]! += gradient
      sumsOfOne[atOne + 1]! += hessian
      sumsOfOne[atOne + 2]! += 1
      const atOther = codesOfOther[row]! * sumsPerBin
      sumsOfOther[atOther]! += gradient
      sumsOfOther[atOther + 1]! += hessian
      sumsOfOther[atOther + 2]! += 1
    }
  }

  #copy (column: number, from: Float64Array, to: Float64Array): void {
    const start = this.offsets[column]!
    const missing = this.offsets[column + 1]! - sumsPerBin
    for (let at = start; at < missing; at++) to[at] = from[at - start]!
    for (let k = 0; k < sumsPerBin; k++) to[missing + k] = from[missingBin * sumsPerBin + k]!
  }
}
