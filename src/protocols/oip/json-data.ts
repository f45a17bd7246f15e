import type { TensorData } from '../../tensor.ts'
import { type Datatype, type Format, formats } from './datatypes.ts'
import { type Integers, plainIntegers } from './exact-integers.ts'
import { toHalf } from './half.ts'
import { type Place, refuse, shown } from './refuse.ts'
import { countOf, nestedPointer } from './shape.ts'

/** The values of one tensor in row-major order, and how to tell where one stands. */
interface Values {
  readonly list: readonly unknown[]
  /** @param message  continues the place of the i-th value */
  readonly refuse: (i: number, message: string) => Error
}

export interface JsonTensor {
  readonly datatype: Datatype
  readonly shape: readonly number[]
  /** As parsed: flat, or nested as the shape says. */
  readonly data: unknown
}

/**
 * Numbers out of JSON, every one checked for its datatype.
 *
 * @param integers  how values beyond 2^53 were kept in `data`; unset: they were not
 * @throws ApiError 400 for data that does not fill the shape, or the first value that is not of the datatype
 */
export function readJsonData ({ datatype, shape, data }: JsonTensor, place: Place, integers: Integers = plainIntegers): TensorData {
  const values = flatten(data, shape, place)
  const format = formats[datatype]
  switch (format.kind) {
    case 'bool': return readBools(values, format)
    case 'integer': return readIntegers(values, format, datatype)
    case 'bigint': return readBigints(values, format, datatype, integers)
    case 'float': return format.type === 'float32' ? readFloats(values, format, maxFloat32) : readFloats(values, format, Number.MAX_VALUE)
    case 'half': return readHalves(values, format)
    case 'bytes': return readTexts(values)
    default: return format satisfies never
  }
}

/** Checks all sizes before anything is made of the data. */
function flatten (data: unknown, shape: readonly number[], place: Place): Values {
  const at = { ...place, pointer: `${place.pointer}/data` }
  const refuseAt: RefuseAt = (path, message) => refuse({ ...at, pointer: at.pointer + path }, message)
  // One value alone is what other libraries write for a scalar.
  if (shape.length === 0 && !Array.isArray(data)) return { list: [data], refuse: (_, message) => refuse(at, message) }
  if (!Array.isArray(data)) throw refuse(at, `must be a list, not ${shown(data)}`)
  if (shape.length > 1 && Array.isArray(data[0])) {
    checkNesting(data, shape, [], refuseAt)
    return { list: data.flat(shape.length - 1) as unknown[], refuse: (i, message) => refuseAt(nestedPointer(shape, i), message) }
  }
  const count = countOf(shape)
  if (data.length !== count) throw refuse(at, `must have ${count} values for the shape [${shape.join(', ')}], not ${data.length}`)
  return { list: data, refuse: (i, message) => refuseAt(`/${i}`, message) }
}

type RefuseAt = (path: string, message: string) => Error

/** @param indices  where the list stands in the lists around it */
function checkNesting (list: unknown, shape: readonly number[], indices: number[], refuseAt: RefuseAt): void {
  const depth = indices.length
  if (!Array.isArray(list) || list.length !== shape[depth]) {
    const found = Array.isArray(list) ? `one of ${list.length}` : shown(list)
    throw refuseAt(indices.map(index => `/${index}`).join(''), `must be a list of ${shape[depth]}, as the shape [${shape.join(', ')}] says, not ${found}`)
  }
  if (depth + 1 === shape.length) return
  for (let i = 0; i < list.length; i++) {
    indices.push(i)
    checkNesting(list[i], shape, indices, refuseAt)
    indices.pop()
  }
}

type OfKind<Kind extends Format['kind']> = Extract<Format, { kind: Kind }>

function readBools ({ list, refuse }: Values, { allocate }: OfKind<'bool'>): TensorData {
  const data = allocate(list.length)
  list.forEach((value, i) => {
    if (value !== true && value !== false && value !== 0 && value !== 1) throw refuse(i, `must be true or false, not ${shown(value)}`)
    data[i] = Number(value)
  })
  return data
}

function readIntegers ({ list, refuse }: Values, { allocate, minimum, maximum }: OfKind<'integer'>, datatype: Datatype): TensorData {
  const data = allocate(list.length)
  for (let i = 0; i < list.length; i++) {
    const value = list[i]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
      throw refuse(i, `must be a whole number from ${minimum} to ${maximum} (${datatype}), not ${shown(value)}`)
    }
    data[i] = value
  }
  return data
}

function readBigints ({ list, refuse }: Values, { allocate, minimum, maximum }: OfKind<'bigint'>, datatype: Datatype, integers: Integers): TensorData {
  const data = allocate(list.length)
  for (let i = 0; i < list.length; i++) {
    const value = integers.of(list[i])
    if (value === undefined || value < minimum || value > maximum) {
      throw refuse(i, `must be a whole number from ${minimum} to ${maximum} (${datatype}), in digits, not ${shown(integers.written(list[i]))}`)
    }
    data[i] = value
  }
  return data
}

const maxFloat32 = (2 - 2 ** -23) * 2 ** 127

function readFloats ({ list, refuse }: Values, { allocate, type }: OfKind<'float'>, maximum: number): TensorData {
  const data = allocate(list.length)
  for (let i = 0; i < list.length; i++) {
    const value = list[i]
    if (value === null) data[i] = NaN
    else if (typeof value !== 'number') throw refuse(i, `must be a number or null, not ${shown(value)}`)
    // What is beyond the largest float32 by less than half a step is still that one.
    else if (Math.abs(value) > maximum && !Number.isFinite(Math.fround(value))) throw refuse(i, `is too large for ${type}`)
    else data[i] = value
  }
  return data
}

function readHalves ({ list, refuse }: Values, { allocate }: OfKind<'half'>): TensorData {
  const data = allocate(list.length)
  for (let i = 0; i < list.length; i++) {
    const value = list[i] === null ? NaN : list[i]
    if (typeof value !== 'number') throw refuse(i, `must be a number or null, not ${shown(value)}`)
    const bits = toHalf(value)
    if ((bits & 0x7fff) === 0x7c00) throw refuse(i, `must be from -65504 to 65504 (FP16), not ${value}`)
    data[i] = bits
  }
  return data
}

function readTexts ({ list, refuse }: Values): TensorData {
  for (let i = 0; i < list.length; i++) {
    const value = list[i]
    if (typeof value !== 'string') throw refuse(i, `must be a text, not ${shown(value)}`)
    if (value.includes('\0')) throw refuse(i, 'has the character U+0000, at which the runtime would cut it')
    if (/\p{Surrogate}/u.test(value)) throw refuse(i, 'has half of a surrogate pair, which is no character')
  }
  return list as string[]
}
