import type { Feature, Manifest } from '../artifact/manifest.ts'
import type { Value } from '../row.ts'
import { compileCheck } from './check-value.ts'

/** A row by feature name, as a caller would send it. */
export type ExampleRow = Readonly<Record<string, Value>>

/** Two rows that the manifest's limits allow: its own examples, and the upper end of what training saw. */
export function exampleRows (features: readonly Feature[]): [ExampleRow, ExampleRow] {
  return [rowOf(features, exampleValue), rowOf(features, otherValue)]
}

/** The manifest's example where the limits allow it, else the first allowed value at hand. */
export function exampleValue (feature: Feature): Value {
  const { example, enum: members = [], range = [0, 1], minimum, maximum } = feature
  const middle = Number(((range[0] + range[1]) / 2).toPrecision(3))
  const ends = [minimum, maximum].flatMap(end => end === undefined ? [] : [Math.ceil(end), end, Math.floor(end)])
  const candidates = [example, ...members, middle, Math.round(middle), ...ends, true, 'text']
  return firstAllowed(feature, candidates) ?? example ?? null
}

/** What the model would answer for one row: the shape is right, the numbers are made up. */
export function examplePrediction ({ labels, outputs }: Manifest): Record<string, unknown> {
  if (labels === undefined) return { prediction: 12.3 }
  const rest = Number((0.1 / (labels.length - 1)).toPrecision(2))
  const probabilities = labels.map((_, i) => i > 0 ? rest : labels.length > 1 ? 0.9 : 1)
  return {
    prediction: 0,
    class_name: labels[0],
    ...(outputs?.probabilities === undefined ? {} : { probabilities }),
  }
}

/** Rows as text/csv with a header, quoted where RFC 4180 asks for it; a missing value is an empty field. */
export function toCsv (features: readonly Feature[], rows: readonly ExampleRow[]): string {
  const names = features.map(feature => feature.name)
  const lines = [names, ...rows.map(row => names.map(name => row[name] ?? ''))]
  return lines.map(line => `${line.map(quote).join(',')}\n`).join('')
}

export function toNdjson (rows: readonly object[]): string {
  return rows.map(row => `${JSON.stringify(row)}\n`).join('')
}

function otherValue (feature: Feature): Value {
  const { enum: members = [], range } = feature
  const seen = range === undefined ? [] : [range[1], Math.floor(range[1])]
  return firstAllowed(feature, [...seen, ...members.slice(1), false]) ?? exampleValue(feature)
}

function firstAllowed (feature: Feature, candidates: readonly (Value | undefined)[]): Value | undefined {
  const check = compileCheck({ ...feature, required: true })
  return candidates.find(candidate => check(candidate) === undefined)
}

function rowOf (features: readonly Feature[], value: (feature: Feature) => Value): ExampleRow {
  return Object.fromEntries(features.map(feature => [feature.name, value(feature)]))
}

function quote (value: Value): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
