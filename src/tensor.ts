/** The one shape in which numbers cross layers and threads. */
export interface Tensor {
  readonly type: TensorType
  /** Row-major; an empty shape is a scalar. */
  readonly shape: readonly number[]
  readonly data: TensorData
}

export type TensorType =
  | 'float32' | 'float64' | 'float16'
  | 'int8' | 'int16' | 'int32' | 'int64'
  | 'uint8' | 'uint16' | 'uint32' | 'uint64'
  | 'bool' | 'string'

/** float16 travels as its 16 bits, bool as 0 and 1, int64 and uint64 as bigint. */
export type TensorData =
  | Float32Array | Float64Array
  | Int8Array | Int16Array | Int32Array | BigInt64Array
  | Uint8Array | Uint16Array | Uint32Array | BigUint64Array
  | readonly string[]

/** What holds the data of each type but strings. */
export const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<Exclude<TensorType, 'string'>, unknown>

/** What a graph declares of one input or output; a string or -1 stands for a dimension known only at run time. */
export interface TensorSpec {
  readonly name: string
  readonly type: TensorType
  readonly shape: readonly (number | string)[]
}
