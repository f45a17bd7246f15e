import { FatalError } from '../errors.ts'
import type { Value } from '../row.ts'
import { checkNames } from './features.ts'
import { readColumn } from './columns.ts'
import type { Target } from './matrix.ts'
import { pick } from './series.ts'
import type { Table } from './table.ts'
import type { TrainingPlan } from './training-file.ts'

export interface LabelledTable {
  /** The rows whose target is known. */
  readonly table: Table
  readonly target: Target
  /** Classification: class names, index = class. */
  readonly labels: readonly string[]
  readonly droppedRows: number
}

/** A number with more distinct values than this is taken for a quantity, not for a class. */
const maxNumberedClasses = 20
const maxClasses = 200
const leastRows = 10

/** @throws FatalError when the target cannot be learned */
export function readTarget (table: Table, plan: TrainingPlan): LabelledTable {
  const { column, labels } = plan.target
  checkNames(table, [column])
  const { kind, values, hasMissing, distinct: distinctOf } = readColumn(table, column)
  const distinct = distinctOf()
  const known = Int32Array.from({ length: values.length }, (_, row) => row).filter(row => values.at(row) !== null)
  if (known.length < leastRows) throw new FatalError(`"${column}" is known in ${known.length} rows: at least ${leastRows} are needed`)
  if (distinct.length === 1) throw new FatalError(`"${column}" is ${JSON.stringify(distinct[0])} in every row: there is nothing to learn`)
  const isQuantity = kind === 'number' && !(distinct.length <= maxNumberedClasses && distinct.every(Number.isInteger))
  const present = Array.from(known, row => values.at(row) as Exclude<Value, null>)
  const learned = (plan.task ?? (isQuantity ? 'regression' : 'classification')) === 'regression'
    ? { target: valueTarget(present, column), labels: [] }
    : classTarget(present, labels ?? distinct.map(String), column)
  if (!hasMissing) return { ...learned, table, droppedRows: 0 }
  return { ...learned, table: { ...table, rows: known.length, cells: table.cells.map(cells => pick(cells, known)) }, droppedRows: values.length - known.length }
}

function valueTarget (values: readonly Value[], column: string): Target {
  // The model answers in float32, and adds up trees on a grid that needs a bit of room.
  const wrong = values.find(value => typeof value !== 'number' || Math.abs(value) > 1e38)
  if (wrong !== undefined) throw new FatalError(`"${column}" holds ${JSON.stringify(wrong)}: a regression learns numbers up to 1e38`)
  return { kind: 'values', values: Float64Array.from(values as readonly number[]) }
}

function classTarget (values: readonly Value[], labels: readonly string[], column: string): Pick<LabelledTable, 'target' | 'labels'> {
  if (labels.length > maxClasses) throw new FatalError(`"${column}" has ${labels.length} classes: at most ${maxClasses} can be learned. A quantity needs the task regression`)
  const classes = Int32Array.from(values, value => labels.indexOf(String(value)))
  const unknown = classes.indexOf(-1)
  if (unknown >= 0) throw new FatalError(`"${column}" holds ${JSON.stringify(values[unknown])}, which is not among the labels ${labels.join(', ')}`)
  const unseen = labels.find((_, k) => !classes.includes(k))
  if (unseen !== undefined) throw new FatalError(`"${column}" never holds the label "${unseen}"`)
  return { target: { kind: 'classes', classes, count: labels.length }, labels }
}
