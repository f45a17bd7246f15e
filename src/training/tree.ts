/**
 * A binary tree in arrays, one entry per node, the root first. A row with x <= threshold goes left;
 * a missing x (NaN) goes left where `missingLeft` is 1, else right.
 */
export interface Tree {
  readonly nodes: number
  /** The column that is looked at; -1 in a leaf. */
  readonly feature: Int32Array
  readonly threshold: Float32Array
  readonly missingLeft: Uint8Array
  readonly left: Int32Array
  readonly right: Int32Array
  /** Numbers per leaf. */
  readonly outputs: number
  /** `outputs` numbers per node, of use in leaves only. */
  readonly values: Float64Array
}

/** The leaf that a row ends in. `data` is float32, as ONNX compares float32 too. */
export function leafOf (tree: Tree, data: Float32Array, offset: number): number {
  const { feature, threshold, missingLeft, left, right } = tree
  let node = 0
  while (feature[node]! >= 0) {
    const x = data[offset + feature[node]!]!
    const goesLeft = x <= threshold[node]! || (missingLeft[node] === 1 && Number.isNaN(x))
    node = goesLeft ? left[node]! : right[node]!
  }
  return node
}

/** A tree under construction. */
export class TreeBuilder {
  readonly #outputs: number
  readonly #feature: number[] = []
  readonly #threshold: number[] = []
  readonly #missingLeft: number[] = []
  readonly #left: number[] = []
  readonly #right: number[] = []
  readonly #values: number[] = []

  constructor (outputs: number) {
    this.#outputs = outputs
  }

  /** Adds a leaf, which `split` may turn into a branch. */
  add (): number {
    this.#threshold.push(0)
    this.#missingLeft.push(0)
    this.#left.push(0)
    this.#right.push(0)
    for (let k = 0; k < this.#outputs; k++) this.#values.push(0)
    return this.#feature.push(-1) - 1
  }

  setLeaf (node: number, values: ArrayLike<number>): void {
    for (let k = 0; k < this.#outputs; k++) this.#values[node * this.#outputs + k] = values[k]!
  }

  /** @returns the new children */
  split (node: number, feature: number, threshold: number, missingLeft: boolean): [left: number, right: number] {
    this.#feature[node] = feature
    this.#threshold[node] = threshold
    this.#missingLeft[node] = missingLeft ? 1 : 0
    this.#left[node] = this.add()
    this.#right[node] = this.add()
    return [this.#left[node], this.#right[node]]
  }

  build (): Tree {
    return {
      nodes: this.#feature.length,
      feature: Int32Array.from(this.#feature),
      threshold: Float32Array.from(this.#threshold),
      missingLeft: Uint8Array.from(this.#missingLeft),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      outputs: this.#outputs,
      values: Float64Array.from(this.#values),
    }
  }
}
