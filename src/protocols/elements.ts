import type { TensorData, TensorType } from '../tensor.ts'
import { toHalf } from './oip/half.ts'

/** Reads one JSON value as an element, or says what is wrong with it. */
export interface ElementKind {
  readonly expected: string
  readonly allocate: (length: number) => TensorData
  /** @returns undefined where the value is no such element */
  readonly read: (value: unknown) => number | bigint | string | undefined
}

/** How JSON values become the elements of a tensor of one type. Nothing is converted but what loses nothing. */
export const elementKinds: Readonly<Record<TensorType, ElementKind>> = {
  float16: { expected: 'a number that float16 can hold, or null for NaN', allocate: length => new Uint16Array(length), read: value => mapNumber(float(value, 65_504), toHalf) },
  float32: { expected: 'a number that float32 can hold, or null for NaN', allocate: length => new Float32Array(length), read: value => float(value, 3.4028234663852886e38) },
  float64: { expected: 'a number, or null for NaN', allocate: length => new Float64Array(length), read: value => float(value, Number.MAX_VALUE) },
  int8: integers(length => new Int8Array(length), -128, 127),
  int16: integers(length => new Int16Array(length), -32_768, 32_767),
  int32: integers(length => new Int32Array(length), -2_147_483_648, 2_147_483_647),
  uint8: integers(length => new Uint8Array(length), 0, 255),
  uint16: integers(length => new Uint16Array(length), 0, 65_535),
  uint32: integers(length => new Uint32Array(length), 0, 4_294_967_295),
  int64: bigIntegers(length => new BigInt64Array(length), -(2n ** 63n), 2n ** 63n - 1n),
  uint64: bigIntegers(length => new BigUint64Array(length), 0n, 2n ** 64n - 1n),
  bool: { expected: 'true or false', allocate: length => new Uint8Array(length), read: value => typeof value === 'boolean' ? Number(value) : undefined },
  string: { expected: 'a text of characters without U+0000, or {"b64": …} of such a text in UTF-8', allocate: length => new Array<string>(length), read: text },
}

function float (value: unknown, largest: number): number | undefined {
  if (value === null) return NaN
  if (typeof value !== 'number') return undefined
  return Number.isFinite(value) && Math.abs(value) > largest ? undefined : value
}

function mapNumber (value: number | undefined, map: (value: number) => number): number | undefined {
  return value === undefined ? undefined : map(value)
}

function integers (allocate: ElementKind['allocate'], least: number, most: number): ElementKind {
  return {
    expected: `a whole number from ${least} to ${most}`,
    allocate,
    read: value => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined,
  }
}

/** A JSON number beyond 2^53 may be another one than the caller wrote. */
function bigIntegers (allocate: ElementKind['allocate'], least: bigint, most: bigint): ElementKind {
  return {
    expected: `a whole number from ${least} to ${most}, beyond 2^53 as a text of digits`,
    allocate,
    read: value => {
      if (typeof value === 'string' ? !/^-?\d{1,20}$/.test(value) : !Number.isSafeInteger(value)) return undefined
      const integer = BigInt(value as string | number)
      return integer >= least && integer <= most ? integer : undefined
    },
  }
}

/** The runtime cuts a text at U+0000 without a word, and half of a surrogate pair is no character. */
function text (value: unknown): string | undefined {
  const found = typeof value === 'string' ? value : fromBase64(value)
  return found === undefined || /\0|\p{Surrogate}/u.test(found) ? undefined : found
}

/** True for `{"b64": "…"}`, which is how a value of bytes stands in JSON. */
export function isBase64 (value: unknown): value is { b64: string } {
  return typeof value === 'object' && value !== null && 'b64' in value && typeof value.b64 === 'string' && Object.keys(value).length === 1
}

function fromBase64 (value: unknown): string | undefined {
  if (!isBase64(value) || !/^[\w+/-]*={0,2}$/.test(value.b64)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value.b64, 'base64'))
  } catch {
    return undefined
  }
}
