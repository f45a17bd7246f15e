import type { Preprocessor, Step } from '../../src/preprocess/spec.ts'
import type { Row, Value } from '../../src/row.ts'

/** What a row becomes: its numbers as doubles, not yet rounded to the tensor's type, and the features at fault. */
export interface Encoded { numbers: number[], faulty: number[] }

/**
 * preprocessor.json as the specification reads, one step after the other, with no thought of speed:
 * what the compiled encoder is held against.
 */
export function encodeByTheBook (spec: Preprocessor, names: readonly string[], row: Row): Encoded {
  const numbers: number[] = []
  const faulty: number[] = []
  for (const { feature, steps } of spec.columns) {
    const index = names.indexOf(feature)
    const value = row[index] ?? null
    const { cells, isMissing } = encodeColumn(steps, value)
    const column = cells.map(cell => cell === 'refused' ? NaN : cell)
    const stored = spec.output.type === 'float32' ? column.map(Math.fround) : column
    numbers.push(...column)
    if (cells.includes('refused') || (!isMissing && !stored.every(Number.isFinite))) faulty.push(index)
  }
  return { numbers, faulty }
}

type Cell = number | 'refused'

/** @returns `isMissing` when there was no value, or one that counts as none */
function encodeColumn (steps: readonly Step[], value: Value): { cells: Cell[], isMissing: boolean } {
  let cells: (Value | 'refused')[] = [value]
  let countsAsNone = value === null
  for (const step of steps) {
    const [cell = null] = cells
    if (cell === 'refused' && !('oneHot' in step)) continue
    cells = applyStep(step, cell)
    if ('ordinal' in step && !isMissing(cell) && cells[0] === null) countsAsNone = true
  }
  return { cells: cells.map(cell => cell === null ? NaN : cell === 'refused' ? cell : Number(cell)), isMissing: countsAsNone }
}

function isMissing (cell: Value): boolean {
  return cell === null || Number.isNaN(cell)
}

function applyStep (step: Step, cell: Value): (Value | 'refused')[] {
  if ('impute' in step) return [isMissing(cell) ? step.impute : cell]
  if ('oneHot' in step) return oneHot(step.oneHot, cell)
  if (isMissing(cell)) return [null]
  if ('ordinal' in step) return ordinal(step.ordinal, cell)
  return [arithmetic(step, Number(cell))]
}

function oneHot ({ categories, unknown }: { categories: Value[], unknown: string }, cell: Value): Cell[] {
  if (isMissing(cell)) return categories.map(() => NaN)
  if (unknown === 'error' && !categories.includes(cell)) return categories.map(() => 'refused')
  return categories.map(category => category === cell ? 1 : 0)
}

function ordinal ({ categories, unknown }: { categories: Value[], unknown: number | 'missing' | 'error' }, cell: Value): (Value | 'refused')[] {
  if (categories.includes(cell)) return [categories.indexOf(cell)]
  return [unknown === 'error' ? 'refused' : unknown === 'missing' ? null : unknown]
}

function arithmetic (step: Step, x: number): number {
  if ('clip' in step) return x < step.clip[0] ? step.clip[0] : x > step.clip[1] ? step.clip[1] : x
  if ('log1p' in step) return Math.log1p(x)
  if ('standardize' in step) return (x - step.standardize.mean) / step.standardize.scale
  if ('minmax' in step) return (x - step.minmax.min) / (step.minmax.max - step.minmax.min)
  if ('bucketize' in step) return step.bucketize.filter(edge => edge <= x).length
  throw new Error(`unknown step ${JSON.stringify(step)}`)
}
