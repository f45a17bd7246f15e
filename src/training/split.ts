import type { Target } from './matrix.ts'
import { random, shuffle } from './random.ts'

export interface Split {
  readonly train: Int32Array
  readonly test: Int32Array
}

/** Streams of the seed that the trees of a forest, which count from 0, do not reach. */
const holdoutStream = -1
const foldStream = -2
/** For what boosting holds back of its rows. */
export const validationStream = -3

/** Holds back a share of the rows, the same share of every class. */
export function holdout (target: Target, share: number, seed: number, stream = holdoutStream): Split {
  const inTest = new Uint8Array(rowsOf(target))
  for (const group of shuffledGroups(target, seed, stream)) {
    for (const row of group.subarray(0, Math.round(group.length * share))) inTest[row] = 1
  }
  return part(inTest, 1)
}

/** Parts the rows into folds, each class evenly; each fold is the test of one split. */
export function folds (target: Target, count: number, seed: number): Split[] {
  const fold = new Uint8Array(rowsOf(target))
  let next = 0
  for (const group of shuffledGroups(target, seed, foldStream)) {
    for (const row of group) fold[row] = next++ % count
  }
  return Array.from({ length: count }, (_, i) => part(fold, i))
}

function rowsOf (target: Target): number {
  return target.kind === 'classes' ? target.classes.length : target.values.length
}

/** The rows of each class, or all rows, in random order. */
function shuffledGroups (target: Target, seed: number, stream: number): Int32Array[] {
  const source = random(seed, stream)
  const rows = Int32Array.from({ length: rowsOf(target) }, (_, row) => row)
  const groups = target.kind === 'classes'
    ? Array.from({ length: target.count }, (_, k) => rows.filter(row => target.classes[row] === k))
    : [rows]
  for (const group of groups) shuffle(group, source)
  return groups
}

function part (marks: Uint8Array, test: number): Split {
  const rows = Int32Array.from(marks, (_, row) => row)
  return { train: rows.filter(row => marks[row] !== test), test: rows.filter(row => marks[row] === test) }
}
