import { type Datatype, datatypes } from '../../schemas/oip.ts'
import type { TensorType } from '../../tensor.ts'

export { type Datatype, datatypes } from '../../schemas/oip.ts'

type NumberArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

interface FixedWidth<Kind extends string, Numbers> {
  readonly kind: Kind
  readonly type: TensorType
  readonly bytes: number
  /** Zeros. */
  readonly allocate: (length: number) => Numbers
  /** A view; `offset` must be a multiple of `bytes`. */
  readonly view: (buffer: ArrayBufferLike, offset: number, length: number) => Numbers
}

interface Limits<Bound> { readonly minimum: Bound, readonly maximum: Bound }

/** How one datatype is held in memory. */
export type Format =
  | FixedWidth<'bool', Uint8Array>
  | FixedWidth<'integer', NumberArray> & Limits<number>
  | FixedWidth<'bigint', BigInt64Array | BigUint64Array> & Limits<bigint>
  | FixedWidth<'float', Float32Array | Float64Array>
  | FixedWidth<'half', Uint16Array>
  | { readonly kind: 'bytes', readonly type: 'string' }

interface ArrayType<Numbers> {
  new (length: number): Numbers
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Numbers
  readonly BYTES_PER_ELEMENT: number
}

function fixed<Kind extends string, Numbers> (kind: Kind, type: TensorType, ArrayOf: ArrayType<Numbers>): FixedWidth<Kind, Numbers> {
  return {
    kind,
    type,
    bytes: ArrayOf.BYTES_PER_ELEMENT,
    allocate: length => new ArrayOf(length),
    view: (buffer, offset, length) => new ArrayOf(buffer, offset, length),
  }
}

function integer (type: TensorType, ArrayOf: ArrayType<NumberArray>): FixedWidth<'integer', NumberArray> & Limits<number> {
  const bits = 8 * ArrayOf.BYTES_PER_ELEMENT
  const [minimum, maximum] = type.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
  return { ...fixed('integer', type, ArrayOf), minimum, maximum }
}

export const formats: Readonly<Record<Datatype, Format>> = {
  BOOL: fixed('bool', 'bool', Uint8Array),
  INT8: integer('int8', Int8Array),
  INT16: integer('int16', Int16Array),
  INT32: integer('int32', Int32Array),
  INT64: { ...fixed('bigint', 'int64', BigInt64Array), minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n },
  UINT8: integer('uint8', Uint8Array),
  UINT16: integer('uint16', Uint16Array),
  UINT32: integer('uint32', Uint32Array),
  UINT64: { ...fixed('bigint', 'uint64', BigUint64Array), minimum: 0n, maximum: 2n ** 64n - 1n },
  FP16: fixed('half', 'float16', Uint16Array),
  FP32: fixed('float', 'float32', Float32Array),
  FP64: fixed('float', 'float64', Float64Array),
  BYTES: { kind: 'bytes', type: 'string' },
}

const byType = new Map(datatypes.map(datatype => [formats[datatype].type, datatype]))

export function datatypeOf (type: TensorType): Datatype {
  return byType.get(type) as Datatype
}

export function isDatatype (text: unknown): text is Datatype {
  return typeof text === 'string' && Object.hasOwn(formats, text)
}
