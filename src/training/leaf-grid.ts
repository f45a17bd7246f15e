import type { Target } from './matrix.ts'
import type { Tree } from './tree.ts'

/** A float32 holds every whole number up to here. */
const steps = 2 ** 24
const smallestFloat32 = 2 ** -149

/**
 * Divides leaf values by the number of trees and rounds them to a grid so fine that a float32 holds
 * every sum of one leaf per tree exactly. The runtime adds float32, for one row in another order than
 * for many and with several threads in yet another: on the grid, none of that can change an answer.
 *
 * Probabilities still add up to exactly 1, as every leaf of a tree shares out the same whole number of
 * steps of 2^-24. A value is off by at most 2^-23 of the largest one for each tree, in practice far less.
 */
export function onGrid (kind: Target['kind'], trees: readonly Tree[]): Tree[] {
  return kind === 'classes'
    ? trees.map((tree, i) => classTree(tree, Math.floor((i + 1) * steps / trees.length) - Math.floor(i * steps / trees.length)))
    : valueTrees(trees)
}

function classTree (tree: Tree, share: number): Tree {
  const values = new Float64Array(tree.values.length)
  for (let node = 0; node < tree.nodes; node++) {
    if (tree.feature[node]! >= 0) continue
    const first = node * tree.outputs
    const parts = shareOut(tree.values.subarray(first, first + tree.outputs), share)
    parts.forEach((part, k) => { values[first + k] = part / steps })
  }
  return { ...tree, values }
}

/** Whole numbers in the given proportions that add up to `total`: what rounding down leaves goes to the largest remainders. */
function shareOut (proportions: Float64Array, total: number): number[] {
  const exact = Array.from(proportions, proportion => proportion * total)
  const parts = exact.map(Math.floor)
  const left = total - parts.reduce((sum, part) => sum + part, 0)
  const byRemainder = exact
    .map((value, k) => ({ k, remainder: value - parts[k]! }))
    .sort((a, b) => b.remainder - a.remainder || a.k - b.k)
  for (const { k } of byRemainder.slice(0, left)) parts[k]! += 1
  return parts
}

function valueTrees (trees: readonly Tree[]): Tree[] {
  let largest = 0
  for (const tree of trees) for (const value of tree.values) largest = Math.max(largest, Math.abs(value))
  // Rounding may add half a step per tree: one binary place is left for that.
  const step = largest === 0 ? 1 : Math.max(smallestFloat32, 2 ** (Math.ceil(Math.log2(largest)) + 1) / steps)
  return trees.map(tree => ({ ...tree, values: tree.values.map(value => Math.round(value / trees.length / step) * step) }))
}
