import { isUtf8 } from 'node:buffer'
import type { Tensor, TensorData } from '../../tensor.ts'
import { type Datatype, formats } from './datatypes.ts'
import { type Place, refuse } from './refuse.ts'
import { countOf } from './shape.ts'

/** A BYTES element begins with its length as a uint32. */
const lengthBytes = 4

export interface BinaryTensor {
  readonly datatype: Datatype
  readonly shape: readonly number[]
  /** Exactly the bytes of this tensor, little-endian, as every machine that the inference runtime is built for. */
  readonly bytes: Buffer
}

/**
 * Numbers out of bytes: a view of them, or a copy where they do not lie at a multiple of their size.
 *
 * @throws ApiError 400 for bytes that do not fill the shape, a BOOL that is neither 0 nor 1, a text that is not UTF-8
 */
export function readBinaryData ({ datatype, shape, bytes }: BinaryTensor, place: Place): TensorData {
  const format = formats[datatype]
  const count = countOf(shape)
  if (format.kind === 'bytes') return readTexts(bytes, count, place)
  if (bytes.length !== count * format.bytes) {
    throw refuse(place, `must have ${count * format.bytes} bytes for ${datatype} of the shape [${shape.join(', ')}]; binary_data_size is ${bytes.length}`)
  }
  const { buffer, byteOffset } = bytes.byteOffset % format.bytes === 0 ? bytes : new Uint8Array(bytes)
  const data = format.view(buffer, byteOffset, count)
  if (format.kind === 'bool') refuseOtherBools(bytes, place)
  return data
}

function refuseOtherBools (bytes: Buffer, place: Place): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] as number > 1) throw refuse(place, `must be 0 or 1 in each byte of a BOOL; byte ${i} is ${bytes[i]}`)
  }
}

function readTexts (bytes: Buffer, count: number, place: Place): string[] {
  if (bytes.length < count * lengthBytes) {
    throw refuse(place, `must have at least ${count * lengthBytes} bytes for ${count} elements of BYTES; binary_data_size is ${bytes.length}`)
  }
  const texts: string[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < lengthBytes) throw refuse(place, `ends before element ${i} of ${count}`)
    const length = bytes.readUInt32LE(at)
    at += lengthBytes
    if (length > bytes.length - at) throw refuse(place, `has ${bytes.length - at} bytes left for element ${i}, which says that it has ${length}`)
    const text = bytes.subarray(at, at + length)
    if (!isUtf8(text)) throw refuse(place, `must have texts in UTF-8; element ${i} is not`)
    if (text.includes(0)) throw refuse(place, `has the character U+0000 in element ${i}, at which the runtime would cut it`)
    texts.push(text.toString())
    at += length
  }
  if (at < bytes.length) throw refuse(place, `has ${bytes.length - at} bytes more than its ${count} elements`)
  return texts
}

/** The bytes of a tensor: numbers as they lie in memory, not copied. */
export function writeBinaryData ({ data }: Pick<Tensor, 'data'>): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const sizes = data.map(text => Buffer.byteLength(text))
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + lengthBytes + size, 0))
  let at = 0
  data.forEach((text, i) => {
    at = bytes.writeUInt32LE(sizes[i] as number, at)
    at += bytes.write(text, at)
  })
  return bytes
}
