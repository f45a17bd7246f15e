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
  readonly #scratch = new Float64Array((missingBin + 1) * sumsPerBin)
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
    for (const column of columns) {
      this.#count(column, rows, start, end)
      this.#copy(column, sums)
    }
  }

  /** Takes a child's sums away from its parent's, which become those of the other child. */
  subtract (parent: Float64Array, child: Float64Array, columns: Int32Array): void {
    for (const column of columns) {
      const end = this.offsets[column + 1]!
      for (let at = this.offsets[column]!; at < end; at++) parent[at]! -= child[at]!
    }
  }

  #count (column: number, rows: Int32Array, start: number, end: number): void {
    const { codes, rows: height } = this.#data
    const sums = this.#scratch
    const gradients = this.#gradients
    const hessians = this.#hessians
    const first = column * height
    sums.fill(0)
    for (let i = start; i < end; i++) {
      const at = codes[first + rows[i]!]! * sumsPerBin
      sums[at]! += gradients[i]!
      sums[at + 1]! += hessians[i]!
      sums[at + 2]! += 1
    }
  }

  #copy (column: number, to: Float64Array): void {
    const from = this.#scratch
    const start = this.offsets[column]!
    const missing = this.offsets[column + 1]! - sumsPerBin
    for (let at = start; at < missing; at++) to[at] = from[at - start]!
    for (let k = 0; k < sumsPerBin; k++) to[missing + k] = from[missingBin * sumsPerBin + k]!
  }
}
