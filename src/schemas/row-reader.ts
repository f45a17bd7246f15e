import type { Feature } from '../artifact/manifest.ts'
import type { Fault } from '../errors.ts'
import type { Row, Value } from '../row.ts'
import { type CheckValue, compileCheck, rangeWarning } from './check-value.ts'

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
  /** Where the value of a feature stands in this input: a JSON pointer relative to the row. */
  place: (input: unknown, feature: number) => string
}

/** More names than this in a message help nobody. */
const maxNames = 20

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
    place: (input, feature) => placeOf(fields, input, feature),
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
  let present = 0
  for (let i = 0; i < fields.length; i++) {
    const { name, check, pointer } = fields[i] as Field
    const value = input[name]
    if (value !== undefined) present++
    const message = check(value)
    if (message !== undefined) faults.push({ path: path + pointer, message })
    row[i] = (value ?? null) as Value
  }
  let keys = 0
  for (const _ in input) keys++
  if (keys !== present) pushUnknown(fields, known, input, path, faults)
  return row
}

function pushUnknown (fields: readonly Field[], known: ReadonlySet<string>, input: object, path: string, faults: Fault[]): void {
  for (const key of Object.keys(input)) {
    if (!known.has(key)) faults.push({ path: `${path}/${escapePointer(key)}`, message: `is not a feature; the features are ${listNames(fields)}` })
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
    if (message !== undefined) faults.push({ path: `/features/${i}`, message: `${name} ${message}` })
  }
  return input as Row
}

function collectWarnings (fields: readonly Field[], row: Row, input: unknown, warnings: Fault[]): void {
  for (let i = 0; i < fields.length; i++) {
    const message = rangeWarning((fields[i] as Field).feature, row[i] ?? null)
    if (message !== undefined) warnings.push({ path: placeOf(fields, input, i), message })
  }
}

function placeOf (fields: readonly Field[], input: unknown, index: number): string {
  const pointer = fields[index]?.pointer ?? ''
  if (!isObject(input) || !Object.hasOwn(input, 'features')) return pointer
  return Array.isArray(input['features']) ? `/features/${index}` : `/features${pointer}`
}

function listNames (fields: readonly Field[]): string {
  const names = fields.slice(0, maxNames).map(field => field.name).join(', ')
  return fields.length > maxNames ? `${names} and ${fields.length - maxNames} more` : names
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 6901. */
function escapePointer (key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
