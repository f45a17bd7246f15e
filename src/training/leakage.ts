import type { Value } from '../row.ts'
import type { Target } from './matrix.ts'
import { findRow, type Series } from './series.ts'

/** In fewer rows, a column that tells the target is chance. */
const leastRows = 20
/** A value that tells its row's class by itself stands for so many rows, on average. */
const rowsPerValue = 10
/** What two columns have in common that differ only by rounding or unit. */
const sameThing = 0.9999

/**
 * Whether one column tells the target of every row in which it is known: then it may be the answer itself
 * under another name, or a consequence of it.
 *
 * @param values one per row, null where it is missing
 */
export function tellsTarget (values: Series<Value>, target: Target): boolean {
  const known = knownRows(values)
  if (known < leastRows || known * 2 < values.length) return false
  if (isCode(values, known, target.kind === 'classes' ? target.classes : target.values)) return true
  if (findRow(values, value => value !== null && typeof value !== 'number') >= 0) return false
  const numbers = values as Series<number | null>
  return target.kind === 'classes' ? isParted(numbers, target.classes) : isSameThing(numbers, target.values)
}

function knownRows (values: Series<Value>): number {
  let known = 0
  for (let row = 0; row < values.length; row++) if (values.at(row) !== null) known++
  return known
}

/** Few values, each of which always comes with the same answer. @param known  rows that have a value */
function isCode (values: Series<Value>, known: number, answers: ArrayLike<number>): boolean {
  const byValue = new Map<Value, number>()
  for (let row = 0; row < values.length; row++) {
    const value = values.at(row)
    if (value === null) continue
    const first = byValue.get(value)
    if (first !== undefined && first !== answers[row]) return false
    byValue.set(value, answers[row]!)
    if (byValue.size * rowsPerValue > known) return false
  }
  return new Set(byValue.values()).size > 1
}

/** Numbers between which borders can be drawn, one less than there are classes: no class begins before another has ended. */
function isParted (values: Series<number | null>, classes: Int32Array): boolean {
  const ranges = new Map<number, { lowest: number, highest: number }>()
  for (let row = 0; row < values.length; row++) {
    const value = values.at(row)
    if (value === null) continue
    const range = ranges.get(classes[row]!)
    if (range === undefined) ranges.set(classes[row]!, { lowest: value, highest: value })
    else if (value < range.lowest) range.lowest = value
    else if (value > range.highest) range.highest = value
  }
  const ascending = [...ranges.values()].sort((a, b) => a.lowest - b.lowest)
  return ascending.length > 1 && ascending.every(({ lowest }, i) => i === 0 || ascending[i - 1]!.highest < lowest)
}

function isSameThing (values: Series<number | null>, wanted: Float64Array): boolean {
  const rows = Int32Array.from({ length: values.length }, (_, row) => row).filter(row => values.at(row) !== null)
  return Math.abs(correlation(Float64Array.from(rows, row => values.at(row)!), Float64Array.from(rows, row => wanted[row]!))) > sameThing
}

function correlation (x: ArrayLike<number>, y: ArrayLike<number>): number {
  const count = x.length
  let meanX = 0
  let meanY = 0
  for (let i = 0; i < count; i++) {
    meanX += x[i]! / count
    meanY += y[i]! / count
  }
  let both = 0
  let squaresX = 0
  let squaresY = 0
  for (let i = 0; i < count; i++) {
    both += (x[i]! - meanX) * (y[i]! - meanY)
    squaresX += (x[i]! - meanX) ** 2
    squaresY += (y[i]! - meanY) ** 2
  }
  return squaresX === 0 || squaresY === 0 ? 0 : both / Math.sqrt(squaresX * squaresY)
}
