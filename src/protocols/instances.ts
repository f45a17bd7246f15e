import type { Feature } from '../artifact/manifest.ts'
import { listNames } from '../schemas/faults.ts'
import { type AskedRows, type Signature, checkRowCount } from './asked.ts'
import { Faults, escapePointer, isObject, wrongShape } from './faults.ts'

/**
 * Rows one by one: objects by feature name, lists in the order of the features, or bare values where
 * there is one feature. A value may stand in a list of its own, as clients of tensors send it.
 *
 * @param pointer where the list stands in the body
 * @throws ApiError BAD_ENVELOPE, TOO_MANY_ROWS, INVALID_INPUT for no rows
 */
export function instanceRows (instances: unknown, pointer: string, { maxRows }: Pick<Signature, 'maxRows'>): AskedRows {
  if (!Array.isArray(instances)) throw wrongShape(pointer, 'must be a list of rows')
  checkRowCount(instances.length, maxRows, pointer)
  return { kind: 'rows', rows: instances.map(instanceRow), place: (row, path) => `${pointer}/${row}${withoutFeatures(path, instances[row])}` }
}

function instanceRow (instance: unknown): unknown {
  if (Array.isArray(instance)) return { features: instance.map(unwrapped) }
  if (!isObject(instance)) return { features: [instance] }
  const isWrapped = Object.values(instance).some(Array.isArray) && !Object.hasOwn(instance, 'features')
  return isWrapped ? Object.fromEntries(Object.entries(instance).map(([name, value]) => [name, unwrapped(value)])) : instance
}

function unwrapped (value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] as unknown : value
}

/** The row reader knows a list as `features`; the caller wrote no such word. */
function withoutFeatures (path: string, instance: unknown): string {
  if (isObject(instance)) return path
  const rest = path.replace(/^\/features/, '')
  return Array.isArray(instance) ? rest : ''
}

/**
 * Rows given column by column: `{name: [value, …], …}`, every list as long as the others.
 *
 * @throws ApiError BAD_ENVELOPE, TOO_MANY_ROWS; INVALID_INPUT for columns that are no features, or too few
 */
export function columnRows (columns: Record<string, unknown>, pointer: string, { features = [], maxRows }: Signature): AskedRows {
  checkColumnNames(Object.keys(columns), features, pointer, name => `${pointer}/${escapePointer(name)}`)
  const entries = Object.entries(columns)
  const rows = columnLength(entries, pointer)
  checkRowCount(rows, maxRows, pointer)
  return {
    kind: 'rows',
    rows: Array.from({ length: rows }, (_, row) => Object.fromEntries(entries.map(([name, values]) => [name, unwrapped((values as unknown[])[row])]))),
    place: (row, path) => `${pointer}${path}/${row}`,
  }
}

function columnLength (entries: readonly (readonly [string, unknown])[], pointer: string): number {
  let length: number | undefined
  for (const [name, values] of entries) {
    const path = `${pointer}/${escapePointer(name)}`
    if (!Array.isArray(values)) throw wrongShape(path, 'must be a list, one value for each row')
    length ??= values.length
    if (values.length !== length) throw wrongShape(path, `has ${values.length} values, the columns before it have ${length}`)
  }
  return length ?? 0
}

/** @throws ApiError INVALID_INPUT for a name that is no feature or stands twice, and for a required feature that is not there */
export function checkColumnNames (names: readonly string[], features: readonly Feature[], pointer: string, placeOf: (name: string, i: number) => string): void {
  const faults = new Faults()
  const known = new Set(features.map(({ name }) => name))
  const seen = new Set<string>()
  names.forEach((name, i) => {
    if (!known.has(name)) faults.add(placeOf(name, i), `is not a feature; the features are ${listNames(features)}`)
    else if (seen.has(name)) faults.add(placeOf(name, i), 'stands twice')
    seen.add(name)
  })
  for (const { name, required } of features) {
    if (required !== false && !seen.has(name)) faults.add(pointer, `lacks ${name}, which is required`)
  }
  faults.refuse('INVALID_INPUT', 'The columns do not fit the features of the model.')
}
