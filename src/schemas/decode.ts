import type { Feature } from '../artifact/manifest.ts'
import { ApiError, type ErrorCode, type Fault } from '../errors.ts'
import { type CsvHeader, type Lines, decodeCsv } from './csv.ts'

/** A request's body, not yet held against any model. */
export type PredictInput =
  | { readonly type: 'json', readonly body: unknown }
  /** Without `header` the first line is one. */
  | { readonly type: 'csv', readonly text: string, readonly header?: CsvHeader }
  | { readonly type: 'ndjson', readonly text: string }
  /** Rows that a protocol has found in its own body; `pointer` says where there row i stands. */
  | { readonly type: 'rows', readonly rows: readonly unknown[], readonly pointer: (row: number) => string }

/** The rows of a request, each still in the caller's form. */
export interface RowSource {
  readonly rows: readonly unknown[]
  /** True when the body was one row, which is answered without a list. */
  readonly single: boolean
  /** Rows that could not even be read, by index. */
  readonly unreadable: ReadonlyMap<number, Fault>
  /** What a request with such rows is refused with. */
  readonly unreadableCode: ErrorCode
  /** JSON pointer to row i; `''` where the body is the row. */
  readonly pointer: (row: number) => string
  /** What tells a person where row i is, behind a message; `''` where the pointer does. */
  readonly note: (row: number) => string
}

/**
 * Finds the rows in a body.
 *
 * @throws ApiError BAD_ENVELOPE, NOT_JSON, TOO_MANY_ROWS; INVALID_INPUT for a CSV header that does not fit the features
 */
export function decodeRows (input: PredictInput, features: readonly Feature[], maxRows: number): RowSource {
  const source = decode(input, features, maxRows)
  if (source.rows.length > maxRows) {
    throw new ApiError('TOO_MANY_ROWS', `The request has more than ${maxRows} rows. Send them in several requests.`)
  }
  if (source.rows.length === 0) {
    throw new ApiError('INVALID_INPUT', 'The request has no rows.', { errors: [{ path: input.type === 'json' ? '/instances' : '', message: 'must have at least one row' }] })
  }
  return source
}

function decode (input: PredictInput, features: readonly Feature[], maxRows: number): RowSource {
  switch (input.type) {
    case 'json': return decodeJson(input.body)
    case 'csv': return lines(decodeCsv(input.text, features, maxRows, input.header), 'INVALID_INPUT')
    case 'ndjson': return lines(decodeNdjson(input.text, maxRows), 'NOT_JSON')
    case 'rows': return { ...jsonRows(input.rows, false), pointer: input.pointer }
    default: return input satisfies never
  }
}

const none: ReadonlyMap<number, Fault> = new Map()

function decodeJson (body: unknown): RowSource {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError('BAD_ENVELOPE', 'The body must be one row, as an object, or {"instances": [row, …]}.')
  }
  if (!Object.hasOwn(body, 'instances')) return jsonRows([body], true)

  const { instances, ...others } = body as Record<string, unknown>
  const [other] = Object.keys(others)
  if (other !== undefined) throw new ApiError('BAD_ENVELOPE', `"instances" must stand alone in the body; "${other}" is beside it.`)
  if (!Array.isArray(instances)) throw new ApiError('BAD_ENVELOPE', '"instances" must be a list of rows.')
  return jsonRows(instances, false)
}

function jsonRows (rows: readonly unknown[], single: boolean): RowSource {
  return { rows, single, unreadable: none, unreadableCode: 'INVALID_INPUT', pointer: single ? nothing : instancePointer, note: nothing }
}

function lines ({ rows, lineNumbers, unreadable }: Lines, unreadableCode: ErrorCode): RowSource {
  return { rows, single: false, unreadable, unreadableCode, pointer: instancePointer, note: row => ` (line ${lineNumbers[row]})` }
}

/** Reads no further than the first row too many: millions of short lines would hold up everybody. */
function decodeNdjson (text: string, maxRows: number): Lines {
  const rows: unknown[] = []
  const lineNumbers: number[] = []
  const unreadable = new Map<number, Fault>()
  let end = -1
  for (let lineNumber = 1; end < text.length && rows.length <= maxRows; lineNumber++) {
    const start = end + 1
    const newline = text.indexOf('\n', start)
    end = newline === -1 ? text.length : newline
    const line = text.slice(start, end)
    if (line.trim() === '') continue
    try {
      rows.push(JSON.parse(line))
    } catch {
      unreadable.set(rows.length, { path: '', message: 'is not valid JSON' })
      rows.push(undefined)
    }
    lineNumbers.push(lineNumber)
  }
  return { rows, lineNumbers, unreadable }
}

function nothing (): string {
  return ''
}

function instancePointer (row: number): string {
  return `/instances/${row}`
}
