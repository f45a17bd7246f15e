import type { Row, Value } from '../row.ts'
import { type Tensor, type TensorSpec, arrayTypes } from '../tensor.ts'
import type { EncoderFeature, EncodingFault } from './compile.ts'
import type { Feed, Filling } from './feed.ts'

/** What the columns need to know of a feature. */
export interface ColumnFeature extends EncoderFeature { readonly required?: boolean | undefined }

/** Typed arrays differ in their element; to fill one, this much is enough. */
type Numbers = Float64Array
type Type = Exclude<keyof typeof arrayTypes, 'float16'>

interface Column {
  readonly name: string
  readonly type: Type | 'string'
  /** The graph takes [rows] or [rows, 1]. */
  readonly flat: boolean
  /** Its place in the row. */
  readonly feature: number
}

/**
 * Every feature in an input of its own, by name, as it is: for graphs that do the preprocessing themselves.
 *
 * @throws Error that names the input and the feature which do not fit
 */
export function columnsFeed (features: readonly ColumnFeature[], inputs: readonly TensorSpec[]): Feed {
  const extra = features.find(({ name }) => !inputs.some(input => input.name === name))
  if (extra !== undefined) throw new Error(`the model has no input for the feature "${extra.name}"; its inputs are ${inputs.map(({ name }) => name).join(', ')}`)
  const columns = inputs.map(input => compileColumn(input, features))
  return { begin: rows => new ColumnsFilling(columns, rows) }
}

function compileColumn ({ name, type, shape }: TensorSpec, features: readonly ColumnFeature[]): Column {
  const index = features.findIndex(feature => feature.name === name)
  const feature = features[index]
  if (feature === undefined) throw new Error(`no feature is called "${name}", as an input of the model is`)
  if (type === 'float16') throw new Error(`the input "${name}" is float16, which no feature can be; let the graph cast it`)
  if ((type === 'string') !== (feature.type === 'string')) throw new Error(`the input "${name}" is ${type}, the feature a ${feature.type}`)
  if (feature.required === false && !['string', 'float32', 'float64'].includes(type)) {
    throw new Error(`the feature "${name}" may be missing, and its input is ${type}, which has no missing value`)
  }
  const width = shape.length < 2 ? 1 : shape.slice(1).reduce((product: number, size) => product * (typeof size === 'number' && size >= 0 ? size : 1), 1)
  if (width !== 1) throw new Error(`the input "${name}" has the shape [${shape.join(', ')}], a feature gives [rows, 1]`)
  // A rank of 0 is what graphs say that know nothing of their shapes.
  return { name, type, flat: shape.length === 1, feature: index }
}

class ColumnsFilling implements Filling {
  readonly #columns: readonly Column[]
  readonly #data: readonly (Numbers | string[])[]

  constructor (columns: readonly Column[], rows: number) {
    this.#columns = columns
    this.#data = columns.map(({ type }) => type === 'string' ? new Array<string>(rows).fill('') : new arrayTypes[type](rows) as Numbers)
  }

  write (row: Row, i: number, fault?: EncodingFault): void {
    for (let k = 0; k < this.#columns.length; k++) {
      const { type, feature } = this.#columns[k] as Column
      const value = row[feature] ?? null
      const message = type === 'string'
        ? writeText(this.#data[k] as string[], i, value)
        : writeNumber(this.#data[k] as Numbers, i, value, type)
      if (message !== undefined) fault?.(feature, message)
    }
  }

  tensors (rows: number): Record<string, Tensor> {
    return Object.fromEntries(this.#columns.map(({ name, type, flat }, k) => {
      const data = this.#data[k] as Numbers
      const part = data.length === rows ? data : type === 'string' ? data.slice(0, rows) : data.subarray(0, rows)
      return [name, { type, shape: flat ? [rows] : [rows, 1], data: part }]
    }))
  }
}

function writeText (out: string[], i: number, value: Value): string | undefined {
  const text = value === null ? '' : String(value)
  out[i] = text
  // The runtime would cut the text there, without a word.
  return text.includes('\0') ? 'must not contain the character U+0000' : undefined
}

function writeNumber (out: Numbers, i: number, value: Value, type: Type): string | undefined {
  const x = value === null ? NaN : Number(value)
  if (type === 'float32' || type === 'float64') {
    out[i] = x
    return Number.isFinite(x) && !Number.isFinite(out[i]) ? 'is too large for the model\'s input type' : undefined
  }
  if (!Number.isSafeInteger(x)) return 'must be a whole number: the model takes no other'
  if (type === 'int64' || type === 'uint64') {
    const exact: unknown = out
    ;(exact as BigInt64Array)[i] = BigInt(x)
    return x < 0 && type === 'uint64' ? outside(type) : undefined
  }
  out[i] = x
  // What does not fit comes back as another number.
  return out[i] === x ? undefined : outside(type)
}

function outside (type: Type): string {
  return `is outside of what the model's input, ${type}, can hold`
}
