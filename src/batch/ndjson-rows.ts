import { FatalError } from '../errors.ts'
import type { InputRow, Wanted } from './input-row.ts'

/** A longer line is no row, and would take up the memory. */
const maxLineLength = 8 * 2 ** 20

/** @throws FatalError for a line without an end */
export async function * ndjsonRows (chunks: AsyncIterable<string>, file: string, wanted: Wanted): AsyncGenerator<readonly InputRow[]> {
  const read = compileRow(wanted)
  let rest = ''
  let line = 1
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() as string
    if (rest.length > maxLineLength) throw new FatalError(`${file}: line ${line + lines.length} is longer than ${maxLineLength} characters; NDJSON has one row on each line`)
    yield toRows(lines, line, read)
    line += lines.length
  }
  yield toRows([rest], line, read)
}

type ReadRow = (line: number, value: unknown) => InputRow

function toRows (lines: readonly string[], first: number, read: ReadRow): InputRow[] {
  return lines.flatMap((text, i) => {
    if (text.trim() === '') return []
    try {
      return read(first + i, JSON.parse(text))
    } catch {
      return { line: first + i, row: undefined, fault: 'is not valid JSON', kept: [], given: text.replace(/\r$/, '') }
    }
  })
}

/** What is neither a feature nor kept is left out, as a column of CSV is. */
function compileRow ({ features, keep, notice }: Wanted): ReadRow {
  const known = new Set([...features.map(({ name }) => name), 'features'])
  const takesOver = new Set(keep)
  return (line, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { line, row: value, fault: undefined, kept: keep.map(() => null), given: value }
    let row: object = value
    let surplus = false
    for (const key in value) surplus ||= !known.has(key)
    if (surplus) {
      row = Object.fromEntries(Object.entries(value).filter(([key]) => {
        if (!known.has(key) && !takesOver.has(key)) notice(`${JSON.stringify(key)} is no feature of the model and is left out; --keep takes it over`)
        return known.has(key)
      }))
    }
    return { line, row, fault: undefined, kept: keep.map(name => member(value, name)), given: value }
  }
}

/** Of the row itself, or of the features in it. */
function member (value: object, name: string): unknown {
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name]
  const { features } = value as { features?: unknown }
  const isNamed = typeof features === 'object' && features !== null && Object.hasOwn(features, name)
  return isNamed ? (features as Record<string, unknown>)[name] : null
}
