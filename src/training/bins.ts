import type { Matrix } from './matrix.ts'

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
 */
export function binMatrix (matrix: Matrix): BinnedMatrix {
  return binBy(Array.from({ length: matrix.columns }, (_, column) => columnThresholds(sortedColumn(matrix, column))), matrix)
}

/** The same bins for rows that had no part in choosing them. */
export function binBy (thresholds: readonly Float32Array[], { data, rows, columns }: Matrix): BinnedMatrix {
  const codes = new Uint8Array(new SharedArrayBuffer(rows * columns))
  thresholds.forEach((borders, column) => {
    for (let row = 0; row < rows; row++) codes[column * rows + row] = binOf(borders, data[row * columns + column]!)
  })
  return { rows, columns, codes, thresholds }
}

function sortedColumn ({ data, rows, columns }: Matrix, column: number): Float32Array {
  const values = new Float32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) {
    const x = data[row * columns + column]!
    if (!Number.isNaN(x)) values[count++] = x
  }
  return values.subarray(0, count).sort()
}

function columnThresholds (sorted: Float32Array): Float32Array {
  const starts: number[] = []
  for (let i = 1; i < sorted.length; i++) {
    // -0 and 0 are sorted apart, and are the same number.
    if (sorted[i]! > sorted[i - 1]!) starts.push(i)
  }
  const chosen = starts.length < maxBins ? starts : quantileStarts(starts, sorted.length)
  return Float32Array.from(chosen, i => between(sorted[i - 1]!, sorted[i]!))
}

/** The starts of new values that are nearest above equal shares of the rows. */
function quantileStarts (starts: readonly number[], rows: number): number[] {
  const chosen: number[] = []
  let at = 0
  for (let share = 1; share < maxBins; share++) {
    const wanted = share * rows / maxBins
    while (at < starts.length && starts[at]! < wanted) at++
    if (at === starts.length) break
    if (chosen.at(-1) !== starts[at]) chosen.push(starts[at]!)
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
