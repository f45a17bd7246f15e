import { FatalError } from '../errors.ts'
import type { ColumnInfo } from './lightgbm-columns.ts'
import { type LightgbmText, quote } from './lightgbm-text.ts'

/** What the codes of a column stand for: index = code. */
export interface Categories {
  readonly type: 'string' | 'number' | 'boolean'
  readonly values: readonly (string | number | boolean)[]
}

const pandasKey = 'pandas_categorical:'

/**
 * The categories of a pandas DataFrame that the model was trained on, by index of the column.
 *
 * The file has one list per column of categories in the order of the columns, but not which columns
 * these are. Where that cannot be told the columns take codes, and a notice says so.
 */
export function readPandas ({ rest }: LightgbmText, columns: readonly ColumnInfo[]): { categories: Map<number, Categories>, notices: string[] } {
  const lists = readLists(rest.findLast(line => line.startsWith(pandasKey))?.slice(pandasKey.length) ?? 'null')
  const categories = new Map<number, Categories>()
  if (lists.length === 0) return { categories, notices: [] }
  const chosen = [parameterColumns(rest), columns.flatMap(({ codes }, i) => codes === undefined ? [] : [i])]
    .find(candidate => candidate.length === lists.length && candidate.every((at, i) => fits(columns[at], lists[i]!)))
  if (chosen === undefined) {
    return { categories, notices: [`pandas_categorical has ${lists.length} lists, and the file does not say of which features: they take category codes (0, 1, …) instead`] }
  }
  const notices: string[] = []
  chosen.forEach((at, i) => {
    const found = toCategories(lists[i]!)
    if (found !== undefined) categories.set(at, found)
    else notices.push(`the categories of ${quote(columns[at]!.name)} are not all text, numbers or truth values: it takes category codes (0, 1, …) instead`)
  })
  return { categories, notices }
}

function readLists (json: string): unknown[][] {
  let lists: unknown
  try {
    lists = JSON.parse(json)
  } catch {
    throw new FatalError(`pandas_categorical: is not JSON: ${quote(json)}`)
  }
  if (lists === null) return []
  if (Array.isArray(lists) && lists.every(list => Array.isArray(list))) return lists
  throw new FatalError(`pandas_categorical: must be null or a list of lists, found ${quote(json)}`)
}

/** Columns that training was told are categorical, from the line `[categorical_feature: 0,3]`. */
function parameterColumns (rest: readonly string[]): number[] {
  const [, list = ''] = rest.map(line => /^\[categorical_feature: ([\d,]+)\]$/.exec(line.trim())).find(match => match !== null) ?? []
  return list.split(',').filter(word => word !== '').map(Number).sort((a, b) => a - b)
}

/** No code without a category. A column of one value only has no codes. */
function fits (column: ColumnInfo | undefined, list: readonly unknown[]): boolean {
  return column !== undefined && column.range === undefined && (column.codes ?? []).every(code => code < list.length)
}

function toCategories (list: readonly unknown[]): Categories | undefined {
  if (list.length === 0 || new Set(list).size < list.length) return undefined
  if (list.every(value => typeof value === 'string')) return { type: 'string', values: list }
  if (list.every(value => typeof value === 'number')) return { type: 'number', values: list }
  if (list.every(value => typeof value === 'boolean')) return { type: 'boolean', values: list }
  return undefined
}
