import { allocate } from '../engine/batch.ts'
import { type Engine, RunError } from '../engine/engine.ts'
import type { Tensor, TensorData, TensorSpec, TensorType } from '../tensor.ts'

/** What a graph gave for a few rows. */
export interface Sample {
  readonly rows: number
  readonly outputs: Readonly<Record<string, Tensor>>
}

const anyRows = 3

/**
 * Runs a few made-up rows.
 *
 * @param width of a matrix whose columns the graph leaves open
 * @returns undefined where the graph does not take them
 */
export async function runSample (engine: Engine, width: number): Promise<Sample | undefined> {
  const rows = engine.inputs.every(({ shape: [first] }) => typeof first === 'string' || first === -1 || first === undefined) ? anyRows : 1
  const inputs = Object.fromEntries(engine.inputs.map(({ name, type, shape }): [string, Tensor] => {
    const sizes = (shape.length === 0 ? [-1, width] : shape).map((size, i) => typeof size === 'number' && size >= 0 ? size : i === 0 ? rows : i === 1 ? width : 1)
    return [name, { type, shape: sizes, data: made(type, sizes.reduce((product, size) => product * size, 1)) }]
  }))
  try {
    const { outputs } = await engine.run({ inputs, rows, alone: true })
    return { rows, outputs }
  } catch (error) {
    if (error instanceof RunError) return undefined
    throw error
  }
}

/** How many values an output has for each row; undefined where that is not known, or not the same. */
export function perRow ({ name, shape }: TensorSpec, sample: Sample | undefined): number | undefined {
  const tensor = sample?.outputs[name]
  if (sample !== undefined && tensor !== undefined) {
    const count = tensor.data.length / sample.rows
    return Number.isInteger(count) ? count : undefined
  }
  return shape.slice(1).reduce((product: number | undefined, size) => typeof size === 'number' && size >= 0 && product !== undefined ? product * size : undefined, 1)
}

const tolerance = 1e-3

/** False where a row of the sample is no distribution over the classes; a single column is the second class's. */
export function areProbabilities ({ name }: TensorSpec, sample: Sample | undefined, classes: number): boolean {
  const data = sample?.outputs[name]?.data
  if (sample === undefined || data === undefined) return true
  const columns = data.length / sample.rows
  const values = Array.from(data as ArrayLike<number>)
  if (values.some(p => p < -tolerance || p > 1 + tolerance)) return false
  if (columns === 1 && classes === 2) return true
  return Array.from({ length: sample.rows }, (_, i) => values.slice(i * columns, (i + 1) * columns).reduce((sum, p) => sum + p, 0))
    .every(sum => Number.isNaN(sum) || Math.abs(sum - 1) <= tolerance)
}

/** Zeros, but for floats: rows that are all alike would say little of scores. */
function made (type: TensorType, length: number): TensorData {
  const data = allocate(type, length)
  if (data instanceof Float32Array || data instanceof Float64Array) data.forEach((_, i) => { data[i] = Math.sin(i) * 3 })
  return data
}
