import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Tensor, TensorSpec } from '../tensor.ts'
import { shortDecimal } from './short-decimal.ts'

/** What the model says of each row. */
export interface Answers {
  /** Classification: the index of the class; regression: the value. NaN where the model gives no number. */
  readonly predictions: Float64Array
  /** Row by row, one number per label; undefined where the model gives none. */
  readonly probabilities: readonly (readonly number[])[] | undefined
}

export type ReadAnswers = (outputs: Readonly<Record<string, Tensor>>, rows: number) => Answers

/**
 * Compiles how a version's outputs become answers.
 *
 * @throws ArtifactError SIGNATURE_MISMATCH when the manifest names an output that the model does not have
 */
export function compileAnswers (manifest: Manifest, specs: readonly TensorSpec[]): ReadAnswers {
  const { label, probabilities, value } = manifest.outputs ?? {}
  for (const name of [label, probabilities, value]) {
    if (name !== undefined && !specs.some(spec => spec.name === name)) {
      throw new ArtifactError('SIGNATURE_MISMATCH', `the model has no output "${name}"; its outputs are ${specs.map(spec => spec.name).join(', ')}`)
    }
  }
  if (manifest.task === 'regression') {
    return (outputs, rows) => ({ predictions: readValues(outputs, value, rows), probabilities: undefined })
  }
  const labels = manifest.labels ?? []
  return (outputs, rows) => {
    const table = probabilities === undefined ? undefined : readProbabilities(outputs, probabilities, rows, labels.length)
    const predictions = label === undefined ? argmax(table ?? [], rows) : readClasses(outputs, label, rows, labels)
    return { predictions, probabilities: table }
  }
}

function readValues (outputs: Readonly<Record<string, Tensor>>, name: string | undefined, rows: number): Float64Array {
  const { type, data } = outputOf(outputs, name, rows, 1)
  const values = new Float64Array(rows)
  for (let i = 0; i < rows; i++) values[i] = tidy(Number(data[i]), type)
  return values
}

function readProbabilities (outputs: Readonly<Record<string, Tensor>>, name: string, rows: number, classes: number): number[][] {
  const given = outputOf(outputs, name, rows)
  const columns = given.data.length / rows
  if (columns === 1 && classes === 2) return binaryProbabilities(given, rows)
  const { type, data } = outputOf(outputs, name, rows, classes)
  const table: number[][] = []
  for (let i = 0; i < rows; i++) {
    const row: number[] = []
    for (let k = 0; k < classes; k++) row.push(tidy(Number(data[i * classes + k]), type))
    table.push(row)
  }
  return table
}

/** A graph that ends in one sigmoid gives only the probability of the second class. */
function binaryProbabilities ({ type, data }: Tensor, rows: number): number[][] {
  return Array.from({ length: rows }, (_, i) => {
    const p = tidy(Number(data[i]), type)
    return [tidy(Math.fround(1 - p), 'float32'), p]
  })
}

function readClasses (outputs: Readonly<Record<string, Tensor>>, name: string, rows: number, labels: readonly string[]): Float64Array {
  const { data } = outputOf(outputs, name, rows, 1)
  const classes = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    const value = data[i]
    const index = typeof value === 'string' ? labels.indexOf(value) : Number(value)
    classes[i] = Number.isInteger(index) && index >= 0 && index < labels.length ? index : NaN
  }
  return classes
}

function argmax (table: readonly (readonly number[])[], rows: number): Float64Array {
  const classes = new Float64Array(rows)
  table.forEach((row, i) => {
    let best = 0
    row.forEach((p, k) => { if (p > (row[best] ?? NaN)) best = k })
    classes[i] = best
  })
  return classes
}

/** What a run really gave: a graph's declared shapes are sometimes wrong. */
function outputOf (outputs: Readonly<Record<string, Tensor>>, name: string | undefined, rows: number, columns?: number): Tensor {
  const tensor = name === undefined ? undefined : outputs[name]
  const sound = tensor !== undefined && (columns === undefined ? tensor.data.length % rows === 0 : tensor.data.length === rows * columns)
  if (!sound) {
    const expected = columns === undefined ? `[${rows}, …]` : `[${rows}, ${columns}]`
    throw new ArtifactError('SIGNATURE_MISMATCH', `the output "${name}" of ${rows} rows has the shape [${tensor?.shape.join(', ')}], not ${expected}`)
  }
  return tensor
}

function tidy (x: number, type: Tensor['type']): number {
  return type === 'float32' ? shortDecimal(x) : x
}
