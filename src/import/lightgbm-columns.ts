import { type Section, countOf, fail, parseNumber, quote, wordsOf } from './lightgbm-text.ts'

/** What the header says of a column. */
export interface ColumnInfo {
  readonly name: string
  /** Smallest and largest value in training. */
  readonly range?: readonly [number, number]
  /** Codes seen in training; a column that has them is categorical. */
  readonly codes?: readonly number[]
}

export function readColumns (header: Section): ColumnInfo[] {
  const count = countOf(header, 'max_feature_idx', 0) + 1
  const names = wordsOf(header, 'feature_names')
  if (names.length !== count) fail(header, 'feature_names', `holds ${names.length} names, ${count} expected`)
  const infos = wordsOf(header, 'feature_infos')
  if (infos.length !== count) fail(header, 'feature_infos', `holds ${infos.length} values, ${count} expected`)
  return names.map((name, i) => ({ name, ...readInfo(header, infos[i]!, i) }))
}

/** `none`, `[smallest:largest]` or codes as `0:2:5`. */
function readInfo (header: Section, info: string, i: number): Omit<ColumnInfo, 'name'> {
  if (info === 'none') return {}
  const limits = /^\[([^:]+):([^:]+)\]$/.exec(info)
  const numbers = (limits === null ? info.split(':') : limits.slice(1)).map(parseNumber)
  if (!numbers.every(number => number !== undefined) || (limits === null && !numbers.every(Number.isInteger))) {
    fail(header, 'feature_infos', `value ${i} is ${quote(info)}, not none, [smallest:largest] or categories like 0:1:2`)
  }
  if (limits === null) return { codes: numbers }
  const [low, high] = numbers as [number, number]
  return Number.isFinite(low) && Number.isFinite(high) && low <= high ? { range: [low, high] } : {}
}
