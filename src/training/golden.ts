import type { Golden, GoldenRow } from '../artifact/golden.ts'
import type { Feature } from '../artifact/manifest.ts'
import type { Row } from '../row.ts'
import { predictClasses } from './forest.ts'
import type { Fitted } from './learner.ts'
import type { Target } from './matrix.ts'

const goldenRows = 20
/** So many of them have a missing value, where the data has that many. */
const incompleteRows = 4

/**
 * Rows of the training data with the model's own answers.
 *
 * @param answers the model's for all the rows
 */
export function makeGolden (features: readonly Feature[], rows: readonly Row[], target: Target, { outputs }: Pick<Fitted, 'outputs'>, answers: Float32Array): Golden {
  const classes = target.kind === 'classes' ? predictClasses(answers, outputs) : undefined
  return {
    schemaVersion: 1,
    rows: chooseRows(rows, target).map((row): GoldenRow => ({
      row: Object.fromEntries(features.map(({ name }, i) => [name, rows[row]![i]!])),
      ...(classes === undefined
        ? { prediction: answers[row]! }
        : { prediction: classes[row]!, probabilities: Array.from(answers.subarray(row * outputs, (row + 1) * outputs)) }),
    })),
  }
}

/** Evenly over the classes, or from the lowest to the highest value; ascending. */
function chooseRows (rows: readonly Row[], target: Target): number[] {
  const wanted: ArrayLike<number> = target.kind === 'classes' ? target.classes : target.values
  const byTarget = [...rows.keys()].sort((a, b) => wanted[a]! - wanted[b]! || a - b)
  const incomplete = spread(byTarget.filter(row => rows[row]!.includes(null)), incompleteRows)
  const others = groups(byTarget.filter(row => !incomplete.includes(row)), target)
  const left = Math.min(goldenRows, rows.length) - incomplete.length
  const chosen = others.flatMap((group, i) => spread(group, Math.floor((i + 1) * left / others.length) - Math.floor(i * left / others.length)))
  return [...incomplete, ...chosen].sort((a, b) => a - b)
}

function groups (rows: readonly number[], target: Target): number[][] {
  if (target.kind === 'values') return [[...rows]]
  return Array.from({ length: target.count }, (_, k) => rows.filter(row => target.classes[row] === k)).filter(group => group.length > 0)
}

/** At most `count` of the list, from its first to its last, at even distances. */
function spread (list: readonly number[], count: number): number[] {
  if (count >= list.length) return [...list]
  return Array.from({ length: count }, (_, i) => list[count === 1 ? 0 : Math.round(i * (list.length - 1) / (count - 1))]!)
}
