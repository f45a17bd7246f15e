import type { Column } from './pipeline.ts'
import { type Statement, identifier, list, literal, literals } from './sql.ts'

const nouns: Readonly<Record<Column['type'], string>> = { text: 'a text', id: 'an id', integer: 'a whole number', number: 'a number', time: 'a time' }

/**
 * Makes typed columns of the texts in `raw`, in the table `typed`: with `_row`, the number of the row,
 * and `_step` and `_reason`, which say why a row is dropped. Here those are the rows that hold what
 * is not of a column's type.
 */
export function typeStatement (columns: readonly Column[], missing: readonly string[]): Statement {
  const trimmed = columns.map(({ name }) => `${trimSql(identifier(name))} AS ${identifier(name)}`)
  const texts = columns.map(column => `CASE WHEN lower(${identifier(column.name)}) NOT IN (${[...new Set(['', ...missing])].map(literal).join(', ')}) THEN ${identifier(column.name)} END AS ${textName(column)}`)
  const parsed = columns.flatMap(column => [textName(column), `${parseSql(column)} AS ${identifier(column.name)}`])
  const faults = columns.filter(({ type }) => type !== 'text' && type !== 'id').map(column =>
    `CASE WHEN ${textName(column)} IS NOT NULL AND ${identifier(column.name)} IS NULL THEN ${literal(`${column.name} is not ${nouns[column.type]}`)} END`)
  const fault = faults.length === 0 ? 'CAST(NULL AS VARCHAR)' : `nullif(concat_ws('; ', ${faults.join(', ')}), '')`
  return {
    name: 'type',
    sql: `CREATE TABLE typed AS
WITH trimmed AS (SELECT
  ${list(['rowid AS _row', ...trimmed])}
FROM raw), texts AS (SELECT
  ${list(['_row', ...texts])}
FROM trimmed), parsed AS (SELECT
  ${list(['_row', ...parsed])}
FROM texts), judged AS (SELECT *,
  ${fault} AS _reason
FROM parsed)
SELECT
  ${list(['_row', ...columns.map(({ name }) => identifier(name)), "CASE WHEN _reason IS NOT NULL THEN 'unreadable' END AS _step", '_reason'])}
FROM judged`,
  }
}

/** No column is called like that: their names have no space. */
function textName ({ name }: Column): string {
  return identifier(`${name} text`)
}

/** NULL where the text is not of the type. */
function parseSql (column: Column): string {
  const text = textName(column)
  switch (column.type) {
    case 'text': return inCase(text, column.case)
    case 'id': return inCase(`regexp_replace(${text}, '^(-?\\d+)\\.0+$', '\\1')`, column.case)
    case 'number': return finite(numberSql(text, column.decimal))
    // A cast to BIGINT would round. Beyond 2^53 a double skips whole numbers.
    case 'integer': return `CASE WHEN trunc(${numberSql(text, column.decimal)}) = ${numberSql(text, column.decimal)} AND abs(${numberSql(text, column.decimal)}) <= 9007199254740992 THEN CAST(${numberSql(text, column.decimal)} AS BIGINT) END`
    case 'time': return timeSql(text, column.formats)
    default: return column.type satisfies never
  }
}

function inCase (sql: string, to: Column['case']): string {
  return to === undefined ? sql : `${to}(${sql})`
}

function numberSql (text: string, decimal: Column['decimal']): string {
  return `TRY_CAST(${decimal === '.' ? text : `replace(replace(${text}, '.', ''), ',', '.')`} AS DOUBLE)`
}

function finite (sql: string): string {
  return `CASE WHEN isfinite(${sql}) THEN ${sql} END`
}

/** trim looks at every character for each that it is to remove, and few texts have a blank at an end. */
function trimSql (text: string): string {
  return `CASE WHEN regexp_matches(${text}, '^[ \\t\\r\\n\\x{A0}]|[ \\t\\r\\n\\x{A0}]$') THEN trim(${text}, E' \\t\\r\\n' || chr(160)) ELSE ${text} END`
}

/** A year such as 10 is a date read by the wrong format, and strptime takes "infinity" for the first day of 1900. */
function timeSql (text: string, formats: readonly string[]): string {
  const attempts = [
    ...formats.includes('iso') ? [guarded(text, '^0*[12]\\d{3}', `TRY_CAST(${text} AS TIMESTAMP)`)] : [],
    ...groupFormats(formats.filter(format => format !== 'iso')).map(({ patterns, shape }) => {
      const sql = `try_strptime(${text}, ${literals(patterns)})`
      return shape === undefined ? sql : guarded(text, shape, sql)
    }),
  ].map(sql => `CASE WHEN ${sql} BETWEEN TIMESTAMP '1900-01-02' AND TIMESTAMP '2199-12-31' THEN ${sql} END`)
  return attempts.length > 1 ? `coalesce(${attempts.join(', ')})` : attempts[0]!
}

/** Reading a time in vain costs ten times as much as reading one, and more than to see that it would be in vain. */
function guarded (text: string, shape: string, sql: string): string {
  return `CASE WHEN regexp_matches(${text}, ${literal(shape)}) THEN ${sql} END`
}

interface FormatGroup { readonly patterns: string[], readonly shape: string | undefined }

/** In the order of the formats: each that has a shape by itself, those between them as one. */
function groupFormats (formats: readonly string[]): FormatGroup[] {
  const groups: FormatGroup[] = []
  for (const format of formats) {
    const shape = shortYearShape(format)
    const last = groups.at(-1)
    if (shape === undefined && last !== undefined && last.shape === undefined) last.patterns.push(format)
    else groups.push({ patterns: [format], shape })
  }
  return groups
}

/**
 * What a text looks like, up to a year of two digits, that such a format can read: where most years have four digits, as is
 * usual, all of them would be tried in vain. Undefined for formats with other years, or of which that cannot be told.
 */
function shortYearShape (format: string): string | undefined {
  const [, before] = /^((?:%[mdHMS]|[^%])*)%y(?:[^%\d]|$)/.exec(format) ?? []
  if (before === undefined) return undefined
  const parts = Array.from(before.matchAll(/%[mdHMS]|\s+|[^%\s]/g), ([part]) => part.startsWith('%') ? '\\d{1,2}' : part.trim() === '' ? '\\s*' : part.replace(/[\\^$.|?*+()[\]{}/]/, '\\$&'))
  return `^\\s*${parts.join('')}\\d{1,2}(\\D|$)`
}
