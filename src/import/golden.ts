import { parse } from 'csv-parse/sync'
import Type from 'typebox'
import { GoldenSchema } from '../artifact/golden.ts'
import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import type { Value } from '../row.ts'
import { readJson } from './read-json.ts'

/** A row with what another program says the model answers; what it does not say is absent. */
export interface ExpectedRow {
  readonly row: Readonly<Record<string, Value>>
  /** Classification: the index of the class. */
  readonly prediction?: number
  readonly probabilities?: readonly number[]
}

interface Target { readonly features?: readonly Feature[] | undefined, readonly labels?: readonly string[] | undefined }

/**
 * Reads `--golden`: CSV with a header, or JSON.
 *
 * @throws FatalError that names the line or the place
 */
export function parseGolden (bytes: Uint8Array, target: Target): ExpectedRow[] {
  if (target.features === undefined) throw new FatalError('golden rows need features, and the model is served as raw tensors: leave --golden out, or give --features and --task')
  const text = new TextDecoder().decode(bytes)
  const rows = /^\s*[[{]/.test(text) ? jsonRows(bytes, target) : csvRows(text, target)
  if (rows.length === 0) throw new FatalError('it has no rows')
  return rows
}

const ValueSchema = Type.Union([Type.Number(), Type.String(), Type.Boolean(), Type.Null()])
const PlainRowSchema = Type.Record(Type.String(), ValueSchema)
const ListedRowSchema = Type.Object({
  row: PlainRowSchema,
  prediction: Type.Optional(Type.Union([Type.Number(), Type.String()])),
  probabilities: Type.Optional(Type.Array(Type.Number())),
}, { additionalProperties: false })
const RowsSchema = Type.Array(Type.Union([ListedRowSchema, PlainRowSchema]))

function jsonRows (bytes: Uint8Array, { labels }: Target): ExpectedRow[] {
  // golden.json itself: its predictions are places already.
  if (/^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 100)))) return readJson(GoldenSchema, bytes).rows
  return readJson(RowsSchema, bytes).map((item, i) => {
    if (!('row' in item) || typeof item.row !== 'object' || item.row === null) return { row: item as ExpectedRow['row'] }
    const { row, prediction, probabilities } = item as { row: ExpectedRow['row'], prediction?: number | string, probabilities?: number[] }
    return {
      row,
      ...(prediction === undefined ? {} : { prediction: predictionOf(prediction, labels, `/${i}/prediction`) }),
      ...(probabilities === undefined ? {} : { probabilities }),
    }
  })
}

function csvRows (text: string, { features = [], labels }: Target): ExpectedRow[] {
  const [header = [], ...records] = parseCsv(text)
  const names = header.map(name => name.trim())
  const columns = new Map(features.map(feature => [feature.name, feature]))
  const expected = ['prediction', 'probabilities', ...(labels ?? []).map(label => `probability_${label}`)]
  const unknown = names.find(name => !columns.has(name) && !expected.includes(name))
  if (unknown !== undefined) {
    throw new FatalError(`its column "${unknown}" is neither a feature (${[...columns.keys()].join(', ')}) nor one of ${expected.join(', ')}`)
  }
  return records.map((record, i) => {
    const cells = new Map(names.map((name, k) => [name, record[k] ?? '']))
    const place = (name: string) => `row ${i + 1}, column "${name}"`
    const row = Object.fromEntries([...columns].filter(([name]) => cells.has(name)).map(([name, feature]) => [name, cellValue(cells.get(name)!, feature)]))
    const prediction = columns.has('prediction') ? '' : cells.get('prediction')?.trim() ?? ''
    const probabilities = cellProbabilities(cells, labels ?? [], place)
    return {
      row,
      ...(prediction === '' ? {} : { prediction: predictionOf(prediction, labels, place('prediction')) }),
      ...(probabilities === undefined ? {} : { probabilities }),
    }
  })
}

function parseCsv (text: string): string[][] {
  try {
    return parse(text, { bom: true, skip_empty_lines: true, record_delimiter: ['\r\n', '\n'] })
  } catch (error) {
    throw new FatalError(`is not valid CSV: ${(error as Error).message}`)
  }
}

function cellValue (cell: string, { type }: Feature): Value {
  if (type === 'string') return cell === '' ? null : cell
  const text = cell.trim()
  if (text === '' || text.toLowerCase() === 'nan') return null
  if (type === 'boolean') return /^(true|1|1\.0)$/i.test(text) || (/^(false|0|0\.0)$/i.test(text) ? false : text)
  return Number.isNaN(Number(text)) ? text : Number(text)
}

function cellProbabilities (cells: ReadonlyMap<string, string>, labels: readonly string[], place: (name: string) => string): number[] | undefined {
  const whole = cells.get('probabilities')?.trim()
  if (whole !== undefined && whole !== '') return numbers(whole.replace(/^\[|\]$/g, '').trim().split(/[\s,;]+/), place('probabilities'))
  const names = labels.map(label => `probability_${label}`)
  const present = names.filter(name => cells.has(name))
  if (present.length === 0) return undefined
  const missing = names.find(name => !cells.has(name))
  if (missing !== undefined) throw new FatalError(`it has the column "${present[0]}" but not "${missing}": give one for every class`)
  return names.map(name => numbers([cells.get(name)!], place(name))[0]!)
}

function numbers (texts: readonly string[], place: string): number[] {
  return texts.map(text => {
    if (text.trim() === '' || Number.isNaN(Number(text))) throw new FatalError(`${place}: ${JSON.stringify(text)} is not a number`)
    return Number(text)
  })
}

/** A class by name, else by place; other programs write the class 3 as 3.0 now and then. */
function predictionOf (given: string | number, labels: readonly string[] | undefined, place: string): number {
  const value = Number(given)
  if (labels === undefined) return numbers([String(given)], place)[0]!
  const named = [String(given), String(value)].map(name => labels.indexOf(name)).find(index => index >= 0)
  if (named !== undefined) return named
  if (Number.isInteger(value) && value >= 0 && value < labels.length) return value
  throw new FatalError(`${place}: ${JSON.stringify(given)} is none of the classes ${labels.join(', ')}`)
}
