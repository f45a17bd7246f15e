import { type BinnedMatrix, missingBin } from './bins.ts'
import type { Target } from './matrix.ts'

/** What the rows of a node, or of one bin of it, add up to: one sum per output, then the weight. */
export type Sums = Float64Array

/** What a tree learns from: binned columns, the target, and how often each row counts. */
export interface Samples {
  readonly data: BinnedMatrix
  readonly target: Target
  readonly weights: Uint16Array
  /** What a row of each class counts besides, where they differ. */
  readonly classWeights?: ArrayLike<number> | undefined
}

export function outputsOf (target: Target): number {
  return target.kind === 'classes' ? target.count : 1
}

/**
 * Sums per bin of one column over the rows of a node. Only the bins between the lowest and the
 * highest that occur are read and cleared, so that a node of few rows costs little.
 */
export class Histogram {
  /** Sums per bin: the weight of each class, or the weighted total of the values; then the weight. */
  readonly stride: number
  readonly sums: Float64Array
  lowest = 0
  highest = -1
  readonly #samples: Samples

  constructor (samples: Samples) {
    this.#samples = samples
    this.stride = outputsOf(samples.target) + 1
    this.sums = new Float64Array((missingBin + 1) * this.stride)
  }

  /** @param rows the node's are those from `start` to before `end` */
  fill (column: number, rows: Int32Array, start: number, end: number): void {
    this.#clear()
    const { data, target } = this.#samples
    const codes = data.codes.subarray(column * data.rows, (column + 1) * data.rows)
    const nodeRows = rows.subarray(start, end)
    if (target.kind === 'classes') this.#countClasses(codes, target.classes, nodeRows)
    else this.#addValues(codes, target.values, nodeRows)
  }

  #countClasses (codes: Uint8Array, classes: Int32Array, rows: Int32Array): void {
    const { sums, stride } = this
    const { weights } = this.#samples
    let lowest = missingBin
    let highest = -1
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const bin = codes[row]!
      const weight = weights[row]!
      const first = bin * stride
      sums[first + classes[row]!]! += weight
      sums[first + stride - 1]! += weight
      if (bin === missingBin) continue
      if (bin < lowest) lowest = bin
      if (bin > highest) highest = bin
    }
    this.lowest = lowest
    this.highest = highest
  }

  #addValues (codes: Uint8Array, values: Float64Array, rows: Int32Array): void {
    const { sums } = this
    const { weights } = this.#samples
    let lowest = missingBin
    let highest = -1
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const bin = codes[row]!
      const weight = weights[row]!
      sums[bin * 2]! += weight * values[row]!
      sums[bin * 2 + 1]! += weight
      if (bin === missingBin) continue
      if (bin < lowest) lowest = bin
      if (bin > highest) highest = bin
    }
    this.lowest = lowest
    this.highest = highest
  }

  weight (bin: number): number {
    return this.sums[bin * this.stride + this.stride - 1]!
  }

  /** Adds a bin's sums to `to`. */
  addTo (to: Sums, bin: number): void {
    const { sums, stride } = this
    const first = bin * stride
    for (let k = 0; k < stride; k++) to[k]! += sums[first + k]!
  }

  #clear (): void {
    this.sums.fill(0, this.lowest * this.stride, (this.highest + 1) * this.stride)
    this.sums.fill(0, missingBin * this.stride)
    this.lowest = missingBin
    this.highest = -1
  }
}

/** The sums of a whole node. */
export function nodeSums ({ target, weights }: Samples, rows: Int32Array, start: number, end: number): Sums {
  const outputs = outputsOf(target)
  const sums = new Float64Array(outputs + 1)
  for (let i = start; i < end; i++) {
    const row = rows[i]!
    const weight = weights[row]!
    if (target.kind === 'classes') sums[target.classes[row]!]! += weight
    else sums[0]! += weight * target.values[row]!
    sums[outputs]! += weight
  }
  return sums
}
