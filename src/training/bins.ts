import type { Matrix } from './matrix.ts'
import { ColumnSorter } from './sort-column.ts'

/** The code of a missing value; the codes below it are bins, ascending. */
export const missingBin = 255
const maxBins = missingBin

/** A matrix with every number replaced by the bin it falls into: what a histogram tree looks at. */
export interface BinnedMatrix {
  readonly rows: number
  readonly columns: number
  /** Column-major, `rows` codes per column; in shared memory, so that other threads see them without a copy. */
  readonly codes: Uint8Array
  /** Per column, ascending: x is in bin b or one below it exactly when x <= thresholds[b]. */
  readonly thresholds: readonly Float32Array[]
}

/**
 * Up to 255 bins per column: one per distinct value where there are that few, else of about equal
 * numbers of rows. Thresholds are float32, and lie so that comparing float32 with them tells the bins apart.
 *
 * @param chosen  the rows that it is about, where not all
 */
export function binMatrix ({ data, rows: all, columns }: Matrix, chosen?: Int32Array): BinnedMatrix {
  const rows = chosen?.length ?? all
  const codes = new Uint8Array(new SharedArrayBuffer(rows * columns))
  const sorter = new ColumnSorter(rows)
  const thresholds = Array.from({ length: columns }, (_, column) => {
    const count = sorter.sort(data, column, columns, rows, chosen)
    const sorted = sorter.sorted.subarray(0, count)
    const borders = columnThresholds(sorted)
    const codesOfColumn = codes.subarray(column * rows, (column + 1) * rows)
    if (count < rows) codesOfColumn.fill(missingBin)
    encode(sorted, sorter.rows, borders, codesOfColumn)
    return borders
  })
  return { rows, columns, codes, thresholds }
}

/** Sorted numbers fall into one bin after the other. */
function encode (sorted: Float32Array, rows: Uint32Array, thresholds: Float32Array, codes: Uint8Array): void {
  let bin = 0
  for (let i = 0; i < sorted.length; i++) {
    while (bin < thresholds.length && sorted[i]! > thresholds[bin]!) bin++
    codes[rows[i]!] = bin
  }
}

/** The same bins for rows that had no part in choosing them. */
export function binBy (thresholds: readonly Float32Array[], { data, columns }: Matrix, chosen: Int32Array): BinnedMatrix {
  const rows = chosen.length
  const codes = new Uint8Array(new SharedArrayBuffer(rows * columns))
  thresholds.forEach((borders, column) => {
    for (let row = 0; row < rows; row++) codes[column * rows + row] = binOf(borders, data[chosen[row]! * columns + column]!)
  })
  return { rows, columns, codes, thresholds }
}

function columnThresholds (sorted: Float32Array): Float32Array {
  const starts = firstStarts(sorted)
  return Float32Array.from(starts.length < maxBins ? starts : quantileStarts(sorted), i => between(sorted[i - 1]!, sorted[i]!))
}

/** Where a number begins that is larger than those before it; not more of them than there are bins. */
function firstStarts (sorted: Float32Array): number[] {
  const starts: number[] = []
  for (let i = 1; i < sorted.length && starts.length < maxBins; i++) {
    // -0 and 0 are sorted apart, and are the same number.
    if (sorted[i]! > sorted[i - 1]!) starts.push(i)
  }
  return starts
}

/** The starts of new values that are nearest above equal shares of the rows. */
function quantileStarts (sorted: Float32Array): number[] {
  const chosen: number[] = []
  let at = 1
  for (let share = 1; share < maxBins; share++) {
    at = Math.max(at, Math.ceil(share * sorted.length / maxBins))
    while (at < sorted.length && sorted[at]! <= sorted[at - 1]!) at++
    if (at === sorted.length) break
    if (chosen.at(-1) !== at) chosen.push(at)
  }
  return chosen
}

/** A float32 t with low <= t < high: half-way, unless rounding to float32 would reach `high`. */
function between (low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2)
  return middle >= low && middle < high ? middle : low
}

/** How many thresholds are below x: the first b with x <= thresholds[b]. */
function binOf (thresholds: Float32Array, x: number): number {
  if (Number.isNaN(x)) return missingBin
  let low = 0
  let high = thresholds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (x <= thresholds[middle]!) high = middle
    else low = middle + 1
  }
  return low
}
