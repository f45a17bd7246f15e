import type { Feature } from '../artifact/manifest.ts'
import { type AskedRows, type Signature, checkRowCount } from './asked.ts'
import { Faults, escapePointer, isObject, wrongShape } from './faults.ts'
import { checkColumnNames } from './instances.ts'

/** A DataFrame as pandas' `to_dict(orient="split")` writes it; its index says nothing of the values. */
export interface SplitFrame { readonly columns: readonly string[] | undefined, readonly data: readonly (readonly unknown[])[] }

/** @throws ApiError BAD_ENVELOPE */
export function splitFrame (frame: unknown, pointer: string, { maxRows }: Pick<Signature, 'maxRows'>): SplitFrame {
  if (!isObject(frame)) throw wrongShape(pointer, 'must be an object: {"columns": […], "data": [[…], …]}')
  const { columns = undefined, data } = frame
  if (columns !== undefined && !(Array.isArray(columns) && columns.every(name => typeof name === 'string'))) {
    throw wrongShape(`${pointer}/columns`, 'must be a list of names')
  }
  if (!Array.isArray(data)) throw wrongShape(`${pointer}/data`, 'must be a list of rows, each a list of values')
  checkRowCount(data.length, maxRows, `${pointer}/data`)
  checkWidths(data, columns?.length, `${pointer}/data`)
  return { columns, data: data as unknown[][] }
}

function checkWidths (data: readonly unknown[], width: number | undefined, pointer: string): void {
  const faults = new Faults()
  data.forEach((row, i) => {
    if (!Array.isArray(row)) faults.add(`${pointer}/${i}`, 'must be a list of values')
    else if (width !== undefined && row.length !== width) faults.add(`${pointer}/${i}`, `has ${row.length} values, there are ${width} columns`)
  })
  faults.refuse('BAD_ENVELOPE', 'The rows of the frame do not fit its columns.')
}

/**
 * The rows of a frame whose columns are features; without columns they stand in the order of the features.
 *
 * @throws ApiError INVALID_INPUT for columns that are no features, or too few
 */
export function splitRows ({ columns, data }: SplitFrame, pointer: string, { features = [] }: Signature): AskedRows {
  const place = (row: number, path: string): string => `${pointer}/data/${row}${path}`
  if (columns === undefined || isInOrder(columns, features)) {
    return { kind: 'rows', rows: data.map(values => ({ features: values })), place: (row, path) => place(row, path.replace(/^\/features/, '')) }
  }
  checkColumnNames(columns, features, `${pointer}/columns`, (_name, i) => `${pointer}/columns/${i}`)
  const indexes = new Map(columns.map((name, i) => [escaped(name), `/${i}`]))
  return {
    kind: 'rows',
    rows: data.map(values => Object.fromEntries(columns.map((name, i) => [name, values[i]]))),
    place: (row, path) => place(row, indexes.get(path) ?? path),
  }
}

function isInOrder (columns: readonly string[], features: readonly Feature[]): boolean {
  return columns.length === features.length && columns.every((name, i) => name === features[i]?.name)
}

function escaped (name: string): string {
  return `/${escapePointer(name)}`
}
