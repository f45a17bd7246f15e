import type { OnnxModel } from '../onnx/read.ts'
import { columnsBehind } from '../onnx/read-width.ts'
import type { TensorSpec } from '../tensor.ts'
import type { Column, Columns } from './features.ts'

/** Why a graph's inputs are no columns of a row, in words that follow "its inputs". */
export interface NoColumns { readonly reason: string }

export interface GraphColumns extends Columns {
  /** Several columns make an input that is no matrix of float numbers alone: a graph before the model has to join them. */
  readonly joined?: boolean
}

/** What callers should know of inputs that take one row a run. */
export function batchNotices (inputs: readonly TensorSpec[]): string[] {
  const fixed = inputs.find(({ shape: [rows] }) => rows === 1)
  if (fixed === undefined) return []
  return [`it takes one row a run (${shapeText(fixed)}): the rows of a request run one after another; leave the first dimension open when you export it, and they run together`]
}

/** An image's pixels are no columns that anybody names. */
const maxJoined = 1000

/**
 * How callers' rows can fill a graph's inputs: one matrix, or one column an input, as skl2onnx makes
 * them; or matrices of several columns each.
 *
 * @param width how many features there are, where a person says so
 */
export function columnsOf (inputs: readonly TensorSpec[], model: OnnxModel, width: number | undefined): GraphColumns | NoColumns {
  const fixed = inputs.find(({ shape: [rows] }) => typeof rows === 'number' && rows > 1)
  if (fixed !== undefined && inputs.some(({ shape }) => shape.length > 1)) {
    return { reason: `take exactly ${fixed.shape[0]} rows (${shapeText(fixed)}): export the model with a first dimension that is left open` }
  }
  const [only, ...others] = inputs
  if (only === undefined) return { reason: 'are none' }
  if (others.length === 0 && isFloat(only) && (only.shape.length === 2 || only.shape.length === 0)) return matrixColumns(only, model, width)
  const odd = inputs.find(input => columnOf(input) === undefined)
  if (odd === undefined) return { columns: inputs.map(input => columnOf(input)!), byPlace: false }
  const joined = inputs.map(joinedColumns)
  if (joined.every(columns => columns !== undefined)) return { columns: joined.flat(), byPlace: true, joined: true }
  return { reason: `are neither one matrix of numbers nor one column each (${shapeText(odd)}): export the model with one input [N, 1] per column, or give a --preprocessor` }
}

function matrixColumns (input: TensorSpec, model: OnnxModel, width: number | undefined): Columns | NoColumns {
  const [, declared] = input.shape
  const size = typeof declared === 'number' && declared > 0 ? declared : columnsBehind(model, input.name) ?? width
  if (size === undefined) return { reason: `do not say how many columns they have (${shapeText(input)}): name them with --features` }
  const names = size === 1 && isFeatureName(input.name) ? [input.name] : Array.from({ length: size }, (_, i) => `f${i}`)
  return { columns: names.map(name => ({ name, type: 'number', also: ['integer', 'boolean'] })), byPlace: true }
}

const columnTypes: Readonly<Partial<Record<TensorSpec['type'], Pick<Column, 'type' | 'also'>>>> = {
  float32: { type: 'number', also: ['integer', 'boolean'] },
  float64: { type: 'number', also: ['integer', 'boolean'] },
  int64: { type: 'integer', also: ['boolean'] },
  int32: { type: 'integer', also: ['boolean'] },
  bool: { type: 'boolean', also: [] },
  string: { type: 'string', also: [] },
}

function columnOf ({ name, type, shape }: TensorSpec): Column | undefined {
  const found = columnTypes[type]
  const isColumn = shape.length === 2 && (shape[1] === 1 || shape[1] === -1 || typeof shape[1] === 'string')
  return isColumn && found !== undefined ? { name, ...found } : undefined
}

/** Of an input with several columns, or one. */
function joinedColumns (input: TensorSpec): Column[] | undefined {
  const { name, type, shape: [, columns, ...others] } = input
  const found = columnTypes[type]
  if (found === undefined || others.length > 0 || typeof columns !== 'number' || columns < 1 || columns > maxJoined) return undefined
  return columns === 1 ? [{ name, ...found }] : Array.from({ length: columns }, (_, i) => ({ name: `${name}_${i}`, ...found }))
}

function isFloat ({ type }: TensorSpec): boolean {
  return type === 'float32' || type === 'float64'
}

function isFeatureName (name: string): boolean {
  return name !== '' && name.length <= 256 && name !== 'X' && name !== 'input' && name !== 'float_input'
}

function shapeText ({ name, type, shape }: TensorSpec): string {
  return `"${name}", ${type} [${shape.map(size => size === -1 ? '?' : size).join(', ')}]`
}
