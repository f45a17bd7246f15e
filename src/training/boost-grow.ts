import { type BinnedMatrix, missingBin } from './bins.ts'
import { type Derivatives, NodeHistograms } from './boost-histogram.ts'
import { agreeOn, type BoostSplit, BoostSplitFinder, type BoostSplitLimits, leafValue, type NodeSums } from './boost-split.ts'
import type { Split } from './best-split.ts'
import { thresholdOf } from './grow.ts'
import type { Rendezvous } from './rendezvous.ts'
import { type Tree, TreeBuilder } from './tree.ts'

export interface BoostTreeLimits extends BoostSplitLimits {
  readonly maxLeaves: number
  readonly maxDepth: number
  /** What every leaf's value is multiplied by. */
  readonly learningRate: number
}

/** What one tree learns from. */
export interface TreeTask {
  readonly derivatives: Derivatives
  /** Put into another order, so that the rows of each leaf stand together. */
  readonly rows: Int32Array
  /** That may be split by. */
  readonly columns: Int32Array
}

export interface GrownTree {
  readonly tree: Tree
  /** Of each node that splits: rows in this bin of its column, or in one below it, go left. */
  readonly bins: Uint8Array
  /** Each leaf's value, and where its rows now stand in the task's: from `start` to before `end`. */
  readonly leaves: readonly { readonly value: number, readonly start: number, readonly end: number }[]
}

interface Leaf {
  readonly id: number
  readonly depth: number
  /** Its rows are those from `start` to before `end`. */
  readonly start: number
  readonly end: number
  readonly sums: NodeSums
}

/** A leaf that can be split, with the histograms to do so. */
interface OpenLeaf extends Leaf {
  readonly split: BoostSplit
  readonly histograms: Float64Array
}

/** A leaf that may be split, with the histograms to find out how. */
interface Candidate { readonly leaf: Leaf, readonly histograms: Float64Array }

/** Grows trees leaf by leaf: always the one whose split lessens the loss the most. */
export class BoostGrower {
  readonly #data: BinnedMatrix
  readonly #limits: BoostTreeLimits
  readonly #rendezvous: Rendezvous
  readonly #histograms: NodeHistograms
  readonly #finder: BoostSplitFinder
  readonly #moved: Int32Array
  #columns: Int32Array = new Int32Array(0)
  #bins: number[] = []
  #open: OpenLeaf[] = []
  #closed: Leaf[] = []

  /** @param rendezvous  with the threads that grow the same trees, each looking at a part of the columns */
  constructor (data: BinnedMatrix, limits: BoostTreeLimits, rendezvous: Rendezvous) {
    this.#data = data
    this.#limits = limits
    this.#rendezvous = rendezvous
    this.#histograms = new NodeHistograms(data)
    this.#finder = new BoostSplitFinder(limits)
    this.#moved = new Int32Array(data.rows)
  }

  grow (task: TreeTask): GrownTree {
    this.#columns = share(task.columns, this.#rendezvous)
    this.#bins = []
    this.#open = []
    this.#closed = []
    const builder = new TreeBuilder(1)
    this.#plant({ id: builder.add(), depth: 0, start: 0, end: task.rows.length, sums: sumsOf(task) }, task)
    for (let leaves = 1; leaves < this.#limits.maxLeaves; leaves++) {
      const leaf = this.#takeBest()
      if (leaf === undefined) break
      this.#split(leaf, task, builder)
    }
    for (const { histograms } of this.#open) this.#histograms.give(histograms)
    const leaves = [...this.#closed, ...this.#open].map(({ id, sums, start, end }) => {
      const value = this.#limits.learningRate * leafValue(sums, this.#limits.l2)
      builder.setLeaf(id, [value])
      return { value, start, end }
    })
    const tree = builder.build()
    return { tree, leaves, bins: Uint8Array.from({ length: tree.nodes }, (_, node) => this.#bins[node] ?? 0) }
  }

  #plant (root: Leaf, { derivatives, rows }: TreeTask): void {
    if (!this.#maySplit(root)) {
      this.#closed.push(root)
      return
    }
    const histograms = this.#histograms.take()
    if (rows.length === this.#data.rows) this.#histograms.fillWhole(histograms, this.#columns, derivatives)
    else this.#histograms.fill(histograms, this.#columns, derivatives, rows, root.start, root.end)
    this.#examine([{ leaf: root, histograms }])
  }

  /** The first of equals. */
  #takeBest (): OpenLeaf | undefined {
    let best = 0
    this.#open.forEach(({ split }, i) => { if (split.gain > this.#open[best]!.split.gain) best = i })
    return this.#open.splice(best, 1)[0]
  }

  #split ({ id, depth, start, end, sums, split, histograms }: OpenLeaf, task: TreeTask, builder: TreeBuilder): void {
    const middle = partition(this.#data, split, task.rows, start, end, this.#moved)
    const [leftId, rightId] = builder.split(id, split.column, thresholdOf(this.#data, split), split.missingLeft)
    this.#bins[id] = split.bin
    const rest = {
      gradient: sums.gradient - split.left.gradient, hessian: sums.hessian - split.left.hessian, rows: sums.rows - split.left.rows,
    }
    const left = { id: leftId, depth: depth + 1, start, end: middle, sums: split.left }
    const right = { id: rightId, depth: depth + 1, start: middle, end, sums: rest }
    const [small, large] = middle - start <= end - middle ? [left, right] : [right, left]
    if (!this.#maySplit(large)) {
      this.#histograms.give(histograms)
      this.#closed.push(left, right)
      return
    }
    // A small child that cannot be split is counted all the same: what is left is the large one.
    const smallHistograms = this.#histograms.take()
    this.#histograms.fill(smallHistograms, this.#columns, task.derivatives, task.rows, small.start, small.end)
    this.#histograms.subtract(histograms, smallHistograms, this.#columns)
    this.#examine([{ leaf: small, histograms: smallHistograms }, { leaf: large, histograms }])
  }

  #maySplit ({ depth, sums: { rows } }: Leaf): boolean {
    return depth < this.#limits.maxDepth && rows >= 2 * this.#limits.minSamplesLeaf && rows > 1
  }

  /** Sorts leaves into those that can be split and those that cannot. */
  #examine (candidates: readonly Candidate[]): void {
    const splits = agreeOn(this.#rendezvous, candidates.map(({ leaf, histograms }) => this.#maySplit(leaf)
      ? this.#finder.find(histograms, this.#histograms, this.#columns, leaf.sums)
      : undefined))
    candidates.forEach(({ leaf, histograms }, i) => {
      const split = splits[i]
      if (split !== undefined) {
        this.#open.push({ ...leaf, split, histograms })
        return
      }
      this.#histograms.give(histograms)
      this.#closed.push(leaf)
    })
  }
}

/** The part of the columns that one of the threads looks at. */
function share (columns: Int32Array, { index, size }: Rendezvous): Int32Array {
  return columns.subarray(Math.floor(index * columns.length / size), Math.floor((index + 1) * columns.length / size))
}

function sumsOf ({ rows, derivatives: { gradients, hessians } }: TreeTask): NodeSums {
  let gradient = 0
  let hessian = 0
  for (const row of rows) {
    gradient += gradients[row]!
    hessian += hessians[row]!
  }
  return { gradient, hessian, rows: rows.length }
}

/**
 * Moves the rows that go left before those that go right, each in the order they had: rows that stand
 * together in memory are read faster.
 */
function partition (
  data: BinnedMatrix, { column, bin, missingLeft }: Split, rows: Int32Array, start: number, end: number, moved: Int32Array
): number {
  const first = column * data.rows
  let middle = start
  let right = 0
  for (let i = start; i < end; i++) {
    const row = rows[i]!
    const code = data.codes[first + row]!
    const goesLeft = code === missingBin ? missingLeft : code <= bin
    if (goesLeft) rows[middle++] = row
    else moved[right++] = row
  }
  rows.set(moved.subarray(0, right), middle)
  return middle
}
