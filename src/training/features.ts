import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import type { Preprocessor, Step } from '../preprocess/spec.ts'
import type { Value } from '../row.ts'
import { type Column, readColumn } from './columns.ts'
import { findRow, type Series } from './series.ts'
import type { Table } from './table.ts'
import type { ColumnHint, TrainingPlan } from './training-file.ts'

/** What the API asks for, and how it becomes numbers. */
export interface Features {
  readonly features: readonly Feature[]
  readonly columns: readonly Preprocessor['columns'][number][]
  /** The training data as the API would be sent it: each feature's values. */
  readonly values: readonly Series<Value>[]
  /** What the data calls each feature. */
  readonly sources: readonly string[]
  /** Columns that were left out unasked, and those that look as if they should be; and why. */
  readonly notices: readonly string[]
}

/** A text column of more distinct values is more likely to name rows than to describe them. */
const maxCategories = 100
/** In fewer rows, numbers that are all different are nothing special. */
const leastRowsOfIds = 30

/** @throws FatalError when a hint names a column that is not there or does not fit its values */
export function readFeatures (table: Table, plan: TrainingPlan): Features {
  const hints = plan.columns ?? {}
  checkNames(table, [...Object.keys(hints), ...plan.drop ?? []])
  const notices: string[] = []
  const kept: Kept[] = []
  for (const source of table.columns) {
    if (source === plan.target.column || plan.drop?.includes(source)) continue
    const hint = hints[source]
    const column = readColumn(table, source, hint)
    // A column that the training file speaks of is wanted.
    const distinct = column.distinct()
    const fault = hint === undefined ? uselessness(column, distinct) : undefined
    if (fault === undefined) kept.push({ column, hint: hint ?? {}, ...summary(column, distinct) })
    else notices.push(`the column "${source}" is left out: ${fault}`)
    if (hint === undefined && looksLikeId(column, distinct)) notices.push(`the column "${source}" is another whole number in every row, as an id is: drop it if it says nothing else`)
  }
  if (kept.length === 0) throw new FatalError(`${table.source} has no column to learn from`)
  const example = exampleRow(kept)
  return {
    features: kept.map((column, i) => featureOf(column, example[i])),
    columns: kept.map(({ column, hint, categories }) => ({ feature: hint.name ?? column.source, steps: stepsOf(categories, hint) })),
    sources: kept.map(({ column }) => column.source),
    values: kept.map(({ column }) => column.values),
    notices,
  }
}

type Distinct = ReturnType<Column['distinct']>

/** A column that is learned from. */
interface Kept {
  readonly column: Column
  readonly hint: ColumnHint
  /** Undefined where it is no category. */
  readonly categories: Distinct | undefined
  /** Of numbers, where there are any. */
  readonly range: [number, number] | undefined
  readonly lowest: Distinct[number] | undefined
}

/** There may be as many different numbers as rows: only what is needed of them is kept. */
function summary ({ kind }: Column, distinct: Distinct): Pick<Kept, 'categories' | 'range' | 'lowest'> {
  const isNumber = kind === 'number' || kind === 'integer'
  return {
    categories: kind === 'category' ? distinct : undefined,
    range: isNumber && distinct.length > 0 ? [distinct[0] as number, distinct.at(-1) as number] : undefined,
    lowest: distinct[0],
  }
}

/** @throws FatalError naming the columns there are */
export function checkNames (table: Table, names: readonly string[]): void {
  const unknown = names.filter(name => !table.columns.includes(name))
  if (unknown.length === 0) return
  throw new FatalError(`${table.source} has no column ${unknown.map(name => `"${name}"`).join(', ')}; it has ${table.columns.join(', ')}`)
}

function uselessness ({ kind, values, hasMissing }: Column, distinct: Distinct): string | undefined {
  if (distinct.length === 0) return 'every value is missing'
  if (distinct.length === 1 && !hasMissing) return `it holds ${JSON.stringify(distinct[0])} in every row`
  if (kind === 'category' && (distinct.length > maxCategories || distinct.length > values.length / 2)) {
    return `${distinct.length} different texts in ${values.length} rows look like names, not categories`
  }
  return undefined
}

/** Whole numbers, all different and close together, or by that name. */
function looksLikeId ({ source, kind, values }: Column, distinct: Distinct): boolean {
  if (kind !== 'number' || distinct.length < values.length || values.length < leastRowsOfIds) return false
  if (!distinct.every(Number.isSafeInteger)) return false
  const spread = Number(distinct.at(-1)) - Number(distinct[0])
  return spread < 2 * values.length || /(^|[^A-Za-z])(id|ID|Id)$|[a-z]I[dD]$/.test(source)
}

/** The first complete row, so that the examples belong together. */
function exampleRow (kept: readonly Kept[]): (Distinct[number] | undefined)[] {
  const rows = kept[0]!.column.values.length
  let complete = 0
  while (complete < rows && kept.some(({ column: { values } }) => values.at(complete) === null)) complete++
  return kept.map(({ column: { values }, lowest }) => (complete < rows ? values.at(complete) : null) ?? lowest)
}

/** What is undefined here does not reach the manifest's JSON. */
function featureOf ({ column, hint, categories, range }: Kept, example: Feature['example']): Feature {
  checkLimits(column, hint)
  const { source, kind, hasMissing } = column
  // Callers may send other categories only where the model was told what to make of them.
  const isClosed = kind === 'category' && hint.unknown !== 'ignore'
  return {
    name: hint.name ?? source,
    type: kind === 'category' ? categoryType(categories ?? []) : kind,
    unit: hint.unit,
    description: hint.description,
    example: hint.example ?? example,
    minimum: hint.minimum,
    maximum: hint.maximum,
    range,
    enum: isClosed ? categories as (string | number)[] : undefined,
    required: hasMissing ? false : undefined,
  }
}

function categoryType (distinct: Distinct): Feature['type'] {
  if (!distinct.every(value => typeof value === 'number')) return 'string'
  return distinct.every(Number.isSafeInteger) ? 'integer' : 'number'
}

/** Rows that the API would refuse may not be learned from. */
function checkLimits ({ source, kind, values }: Column, { minimum = -Infinity, maximum = Infinity }: ColumnHint): void {
  if (kind === 'category' || kind === 'boolean') return
  const row = findRow(values, value => value !== null && ((value as number) < minimum || (value as number) > maximum))
  if (row >= 0) throw new FatalError(`${source}, row ${row + 1}: ${values.at(row)} is outside of the limits that the training file sets`)
}

/** Trees take numbers, missing values and categories' codes as they are, so nothing is scaled or imputed. */
function stepsOf (distinct: Distinct | undefined, { unknown = 'error' }: ColumnHint): Step[] {
  if (distinct === undefined) return []
  return [{ ordinal: { categories: [...distinct], unknown: unknown === 'ignore' ? 'missing' : unknown } }]
}
