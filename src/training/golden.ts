import type { Golden, GoldenRow } from '../artifact/golden.ts'
import type { Feature } from '../artifact/manifest.ts'
import type { Row, Value } from '../row.ts'
import { predictClasses } from './forest.ts'
import type { Fitted } from './learner.ts'
import type { Target } from './matrix.ts'
import type { Series } from './series.ts'

const goldenRows = 20
/** So many of them have a missing value, where the data has that many. */
const incompleteRows = 4

/** A row of the training data that is kept to be asked again. */
export interface Sample { readonly at: number, readonly values: Row }

/** Some rows: evenly over the classes, or from the lowest to the highest value; ascending. */
export function chooseSamples (values: readonly Series<Value>[], target: Target): Sample[] {
  const rows = target.kind === 'classes' ? target.classes.length : target.values.length
  return chooseRows(rows, row => values.some(series => series.at(row) === null), target)
    .map(at => ({ at, values: values.map(series => series.at(at)) }))
}

/**
 * Rows of the training data with the model's own answers.
 *
 * @param answers the model's for all the rows
 */
export function makeGolden (features: readonly Feature[], samples: readonly Sample[], target: Target, { outputs }: Pick<Fitted, 'outputs'>, answers: Float32Array): Golden {
  const classes = target.kind === 'classes' ? predictClasses(answers, outputs) : undefined
  return {
    schemaVersion: 1,
    rows: samples.map(({ at, values }): GoldenRow => ({
      row: Object.fromEntries(features.map(({ name }, i) => [name, values[i]!])),
      ...(classes === undefined
        ? { prediction: answers[at]! }
        : { prediction: classes[at]!, probabilities: Array.from(answers.subarray(at * outputs, (at + 1) * outputs)) }),
    })),
  }
}

function chooseRows (rows: number, isIncomplete: (row: number) => boolean, target: Target): number[] {
  const wanted: ArrayLike<number> = target.kind === 'classes' ? target.classes : target.values
  const byTarget = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => wanted[a]! - wanted[b]! || a - b)
  const incomplete = spread(byTarget.filter(isIncomplete), incompleteRows)
  const others = groups(byTarget.filter(row => !incomplete.includes(row)), target)
  const left = Math.min(goldenRows, rows) - incomplete.length
  const chosen = others.flatMap((group, i) => spread(group, Math.floor((i + 1) * left / others.length) - Math.floor(i * left / others.length)))
  return [...incomplete, ...chosen].sort((a, b) => a - b)
}

function groups (rows: Int32Array, target: Target): Int32Array[] {
  if (target.kind === 'values') return [rows]
  return Array.from({ length: target.count }, (_, k) => rows.filter(row => target.classes[row] === k)).filter(group => group.length > 0)
}

/** At most `count` of the list, from its first to its last, at even distances. */
function spread (list: Int32Array, count: number): number[] {
  if (count >= list.length) return [...list]
  return Array.from({ length: count }, (_, i) => list[count === 1 ? 0 : Math.round(i * (list.length - 1) / (count - 1))]!)
}
