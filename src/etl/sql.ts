import { FatalError } from '../errors.ts'

/** One statement of a pipeline, as `--explain` prints it and as it runs. */
export interface Statement {
  readonly name: string
  readonly sql: string
}

/** A column's or table's name, whatever is in it. */
export function identifier (name: string): string {
  return `"${whole(name).replaceAll('"', '""')}"`
}

export function literal (text: string): string {
  return `'${whole(text).replaceAll("'", "''")}'`
}

export function literals (texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`
}

export function list (parts: readonly string[]): string {
  return parts.join(',\n  ')
}

/** A statement ends at U+0000, whatever stands behind it. */
function whole (text: string): string {
  if (text.includes('\0')) throw new FatalError(`${JSON.stringify(text)} cannot stand in SQL: it has the character U+0000`)
  return text
}
