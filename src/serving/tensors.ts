import type { Feature } from '../artifact/manifest.ts'
import type { Batch, Engine, Tensors } from '../engine/engine.ts'
import { ApiError } from '../errors.ts'
import type { RowSource } from '../schemas/decode.ts'
import type { Tensor, TensorSpec } from '../tensor.ts'
import type { Model } from './model.ts'
import { shortDecimal } from './short-decimal.ts'

/** True when the tensors are a model's features, each by its name, and not its own inputs. */
export function areFeatures ({ manifest: { features } }: Model, inputs: Tensors): boolean {
  const names = Object.keys(inputs)
  return features !== undefined && names.length > 0 && names.every(name => features.some(feature => feature.name === name))
}

/**
 * Holds tensors against what the graph takes.
 *
 * @throws ApiError BAD_ENVELOPE
 */
export function toBatch ({ inputs: own, columns }: Engine, inputs: Tensors): Batch {
  const names = Object.keys(inputs)
  const raw = columns !== undefined && names.every(name => columns.some(column => column.name === name))
  const specs = raw ? columns : own
  const unknown = names.find(name => !specs.some(spec => spec.name === name))
  if (unknown !== undefined) throw new ApiError('BAD_ENVELOPE', `The model has no input "${unknown}"; its inputs are ${listOf(specs)}.`)
  for (const spec of specs) checkTensor(spec, inputs[spec.name])
  // That rows of the model alone are independent was not tried where a preprocessor stands before it.
  return { inputs, rows: sharedRows(inputs) ?? 1, alone: columns !== undefined && !raw }
}

function checkTensor ({ name, type }: TensorSpec, tensor: Tensor | undefined): void {
  if (tensor === undefined) throw new ApiError('BAD_ENVELOPE', `The input "${name}" is missing.`)
  if (tensor.type !== type) throw new ApiError('BAD_ENVELOPE', `The input "${name}" takes ${type}, not ${tensor.type}.`)
  const values = tensor.shape.reduce((product, size) => product * size, 1)
  if (values !== tensor.data.length) {
    throw new ApiError('BAD_ENVELOPE', `The input "${name}" has ${tensor.data.length} values, its shape [${tensor.shape.join(', ')}] has room for ${values}.`)
  }
}

/** The first dimension where all tensors have the same one. */
function sharedRows (inputs: Tensors): number | undefined {
  const [first, ...others] = Object.values(inputs).map(({ shape }) => shape[0])
  return others.every(rows => rows === first) ? first : undefined
}

/**
 * The rows of named columns, each tensor [rows] or [rows, 1].
 *
 * @throws ApiError BAD_ENVELOPE, TOO_MANY_ROWS
 */
export function columnsToRows (features: readonly Feature[], inputs: Tensors, maxRows: number): RowSource {
  const rows = Object.values(inputs)[0]?.shape[0] ?? 0
  if (rows > maxRows) throw new ApiError('TOO_MANY_ROWS', `The request has more than ${maxRows} rows. Send them in several requests.`)
  const columns = features.map(({ name }) => inputs[name] === undefined ? undefined : readColumn(name, inputs[name], rows))
  return {
    rows: Array.from({ length: rows }, (_, row) => ({ features: columns.map(values => values?.(row) ?? null) })),
    single: false,
    unreadable: new Map(),
    unreadableCode: 'INVALID_INPUT',
    // Where the caller wrote it, its protocol knows: /3/features/0 is row 3 of the first feature.
    pointer: row => `/${row}`,
    note: () => '',
  }
}

function readColumn (name: string, { type, shape, data }: Tensor, rows: number): (row: number) => unknown {
  if (shape[0] !== rows || data.length !== rows || shape.length > 2) {
    throw new ApiError('BAD_ENVELOPE', `The column "${name}" has the shape [${shape.join(', ')}]; all columns must be [rows] or [rows, 1], with the same number of rows.`)
  }
  switch (type) {
    case 'float16': throw new ApiError('BAD_ENVELOPE', `The column "${name}" is float16; send a feature as float32, float64, an integer, bool or string.`)
    case 'string': return row => data[row]
    case 'bool': return row => data[row] === 1
    // What was 5.1 before it was a float32 is looked up and told as 5.1.
    case 'float32': return row => missingIfNaN(shortDecimal(data[row] as number))
    default: return row => missingIfNaN(Number(data[row]))
  }
}

function missingIfNaN (x: number): number | null {
  return Number.isNaN(x) ? null : x
}

function listOf (specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => name).join(', ') || 'none'
}
