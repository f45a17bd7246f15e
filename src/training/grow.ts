import { type BinnedMatrix, missingBin } from './bins.ts'
import { type Split, SplitFinder, type SplitLimits } from './best-split.ts'
import { type Samples, type Sums, nodeSums, outputsOf } from './histogram.ts'
import type { Random } from './random.ts'
import { type Tree, TreeBuilder } from './tree.ts'

export interface TreeLimits extends SplitLimits {
  readonly maxDepth: number
}

/** What is below every float32 that can be infinite: a number goes left of it, a missing value does not. */
const largestFloat32 = (2 - 2 ** -23) * 2 ** 127

interface Node { readonly id: number, readonly depth: number, readonly start: number, readonly end: number }

/**
 * Grows one tree over the rows of weight above 0. A leaf holds the share of each class, or the mean
 * of the values.
 *
 * @param scratch  memory for as many numbers as there are rows
 */
export function growTree (samples: Samples, limits: TreeLimits, random: Random, scratch: Int32Array = new Int32Array(samples.data.rows)): Tree {
  const builder = new TreeBuilder(outputsOf(samples.target))
  const finder = new SplitFinder(samples, limits, random)
  const rows = weightedRows(samples, scratch)
  const open: Node[] = [{ id: builder.add(), depth: 0, start: 0, end: rows.length }]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { id, depth, start, end } = node
    const sums = nodeSums(samples, rows, start, end)
    const done = depth >= limits.maxDepth || isPure(samples, rows, start, end)
    const split = done ? undefined : finder.find(rows, start, end, sums)
    if (split === undefined) {
      builder.setLeaf(id, means(sums, samples.classWeights))
      continue
    }
    const middle = partition(samples.data, split, rows, start, end)
    const [left, right] = builder.split(id, split.column, thresholdOf(samples.data, split), split.missingLeft)
    open.push({ id: right, depth: depth + 1, start: middle, end }, { id: left, depth: depth + 1, start, end: middle })
  }
  return builder.build()
}

function weightedRows ({ data, weights }: Samples, rows: Int32Array): Int32Array {
  let count = 0
  for (let row = 0; row < data.rows; row++) {
    if (weights[row]! > 0) rows[count++] = row
  }
  return rows.subarray(0, count)
}

function isPure ({ target }: Samples, rows: Int32Array, start: number, end: number): boolean {
  const wanted: ArrayLike<number> = target.kind === 'classes' ? target.classes : target.values
  const first = wanted[rows[start]!]
  for (let i = start + 1; i < end; i++) {
    if (wanted[rows[i]!] !== first) return false
  }
  return true
}

function means (sums: Sums, classWeights: Samples['classWeights']): Float64Array {
  const outputs = sums.length - 1
  if (classWeights === undefined) return sums.subarray(0, outputs).map(sum => sum / sums[outputs]!)
  const weighted = sums.subarray(0, outputs).map((sum, k) => sum * classWeights[k]!)
  const total = weighted.reduce((total, weight) => total + weight, 0)
  return weighted.map(weight => weight / total)
}

export function thresholdOf (data: BinnedMatrix, { column, bin }: Split): number {
  return data.thresholds[column]![bin] ?? largestFloat32
}

/** Moves the rows that go left before those that go right, each in an order that only the input decides. */
function partition (data: BinnedMatrix, { column, bin, missingLeft }: Split, rows: Int32Array, start: number, end: number): number {
  const first = column * data.rows
  let middle = start
  for (let i = start; i < end; i++) {
    const row = rows[i]!
    const code = data.codes[first + row]!
    const goesLeft = code === missingBin ? missingLeft : code <= bin
    if (!goesLeft) continue
    rows[i] = rows[middle]!
    rows[middle++] = row
  }
  return middle
}
