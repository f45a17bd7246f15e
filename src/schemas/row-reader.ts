import type { Feature } from '../artifact/manifest.ts'
import type { Fault } from '../errors.ts'
import type { Row, Value } from '../row.ts'
import { type CheckValue, compileCheck, rangeWarning } from './check-value.ts'
import { listNames } from './faults.ts'

/** What a model's manifest makes of a caller's row. */
export interface RowReader {
  readonly features: readonly Feature[]
  /**
   * Reads one row in any of its forms: `{name: value, …}`, `{"features": [value, …]}` or
   * `{"features": {name: value, …}}`.
   *
   * @param faults every fault of the row is added here, its path relative to the row
   * @returns the row in the order of `features`; meaningless when a fault was added
   */
  read: (input: unknown, faults: Fault[]) => Row
  /** Adds the values that the limits allow and the training data did not have, paths relative to the row. */
  warn: (row: Row, input: unknown, warnings: Fault[]) => void
  /** A fault of a feature's value where it stands in this input, its path relative to the row. */
  fault: (input: unknown, feature: number, message: string) => Fault
}

interface Field {
  readonly name: string
  readonly feature: Feature
  readonly check: CheckValue
  readonly pointer: string
}

export function compileRowReader (features: readonly Feature[]): RowReader {
  const fields = features.map(feature => ({ name: feature.name, feature, check: compileCheck(feature), pointer: `/${escapePointer(feature.name)}` }))
  const known = new Set(features.map(feature => feature.name))
  const ranged = features.some(feature => feature.range !== undefined)
  return {
    features,
    read: (input, faults) => readRow(fields, known, input, faults),
    warn: (row, input, warnings) => {
      if (ranged) collectWarnings(fields, row, input, warnings)
    },
    fault: (input, feature, message) => faultOf(fields, input, feature, message),
  }
}

function readRow (fields: readonly Field[], known: ReadonlySet<string>, input: unknown, faults: Fault[]): Row {
  if (!isObject(input)) {
    faults.push({ path: '', message: 'must be an object: {"name": value, …} or {"features": …}' })
    return []
  }
  if (!Object.hasOwn(input, 'features')) return readObject(fields, known, input, '', faults)

  for (const key of Object.keys(input)) {
    if (key !== 'features') faults.push({ path: `/${escapePointer(key)}`, message: 'may not stand beside "features"' })
  }
  const { features } = input
  if (Array.isArray(features)) return readArray(fields, features, faults)
  if (isObject(features)) return readObject(fields, known, features, '/features', faults)
  faults.push({ path: '/features', message: `must be a list of ${fields.length} values or an object by feature name` })
  return []
}

function readObject (fields: readonly Field[], known: ReadonlySet<string>, input: Record<string, unknown>, path: string, faults: Fault[]): Row {
  const row = new Array<Value>(fields.length)
  for (let i = 0; i < fields.length; i++) {
    const { name, check, pointer } = fields[i] as Field
    const value = input[name]
    const message = check(value)
    if (message !== undefined) faults.push({ path: path + pointer, message })
    row[i] = (value ?? null) as Value
  }
  let unknown = false
  for (const key in input) unknown ||= !known.has(key)
  if (unknown) pushUnknown(fields, known, input, path, faults)
  return row
}

function pushUnknown (fields: readonly Field[], known: ReadonlySet<string>, input: object, path: string, faults: Fault[]): void {
  const message = `is not a feature; the features are ${listNames(fields)}`
  for (const key of Object.keys(input)) {
    if (!known.has(key)) faults.push({ path: `${path}/${escapePointer(key)}`, message })
  }
}

function readArray (fields: readonly Field[], input: readonly unknown[], faults: Fault[]): Row {
  if (input.length !== fields.length) {
    faults.push({ path: '/features', message: `must have exactly ${fields.length} values (${listNames(fields)}), not ${input.length}` })
    return []
  }
  for (let i = 0; i < fields.length; i++) {
    const { name, check } = fields[i] as Field
    const message = check(input[i])
    if (message !== undefined) faults.push(listedFault(i, name, message))
  }
  return input as Row
}

function collectWarnings (fields: readonly Field[], row: Row, input: unknown, warnings: Fault[]): void {
  for (let i = 0; i < fields.length; i++) {
    const message = rangeWarning((fields[i] as Field).feature, row[i] ?? null)
    if (message !== undefined) warnings.push(faultOf(fields, input, i, message))
  }
}

function faultOf (fields: readonly Field[], input: unknown, index: number, message: string): Fault {
  const { name, pointer } = fields[index] as Field
  if (!isObject(input) || !Object.hasOwn(input, 'features')) return { path: pointer, message }
  return Array.isArray(input['features']) ? listedFault(index, name, message) : { path: `/features${pointer}`, message }
}

/** In a list nothing else tells which feature it is. */
function listedFault (index: number, name: string, message: string): Fault {
  return { path: `/features/${index}`, message: `${name} ${message}` }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 6901. */
function escapePointer (key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
