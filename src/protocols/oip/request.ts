import type { Feature } from '../../artifact/manifest.ts'
import { ApiError } from '../../errors.ts'
import type { Tensor, TensorSpec } from '../../tensor.ts'
import type { Place as RowPlace } from '../asked.ts'
import { readBinaryData } from './binary-data.ts'
import type { InferBody } from './body.ts'
import { type Datatype, datatypeOf, datatypes, formats, isDatatype } from './datatypes.ts'
import { type Integers, hasLongIntegers, parseExactly } from './exact-integers.ts'
import { readJsonData } from './json-data.ts'
import { type Place, named, refuse, shown } from './refuse.ts'
import { dimensionsOf, readShape } from './shape.ts'

/** What a request is held against. */
export interface Signature {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

export interface InferRequest {
  /** The caller's own name for the request, given back in the answer. */
  readonly id: string | undefined
  readonly inputs: Readonly<Record<string, Tensor>>
  /** The names of the inputs in the caller's order, which keys that look like numbers would not keep. */
  readonly names: readonly string[]
  /** What is wanted, in this order. */
  readonly outputs: readonly WantedOutput[]
}

export interface WantedOutput {
  readonly name: string
  /** True: its bytes behind the JSON, not numbers in it. */
  readonly binary: boolean
}

type Members = Readonly<Record<string, unknown>>

/**
 * Decodes a request to infer. Whether the model has these inputs is for the one who runs it to say.
 *
 * @throws ApiError 400 with the first fault and its place
 */
export function readInferRequest (body: InferBody, signature: Signature): InferRequest {
  const request = parse(body.json)
  if (!isObject(request)) throw new ApiError('BAD_ENVELOPE', `The body must be an object with "inputs", not ${shown(request)}.`)
  const { id, inputs, parameters } = request
  if (id !== undefined && typeof id !== 'string') throw new ApiError('BAD_ENVELOPE', `/id must be a text, not ${shown(id)}.`)
  if (!Array.isArray(inputs)) throw new ApiError('BAD_ENVELOPE', `/inputs must be a list of tensors, not ${shown(inputs)}.`)
  const outputs = readOutputs(request['outputs'], readFlag(readParameters(parameters, { pointer: '' }), 'binary_data_output', { pointer: '' }) ?? false, signature)
  const tensors = new Inputs(body, signature).read(inputs)
  return { id, inputs: Object.fromEntries(tensors), names: [...tensors.keys()], outputs }
}

/** Where the caller wrote the value of a row that features in named columns have: `path` is `/features/i`. */
export function columnPlace ({ names }: InferRequest, features: readonly Feature[] = []): RowPlace {
  return (row, path) => {
    const feature = features[Number(/^\/features\/(\d+)$/.exec(path)?.[1])]
    const input = feature === undefined ? -1 : names.indexOf(feature.name)
    return input < 0 ? '/inputs' : `/inputs/${input}/data/${row}`
  }
}

function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new ApiError('NOT_JSON', json.trim() === '' ? 'The body is empty.' : `The body is not valid JSON: ${(error as Error).message}`)
  }
}

/** Reads tensors one after the other, each from where the one before it ended in the bytes behind the JSON. */
class Inputs {
  readonly #body: InferBody
  readonly #signature: Signature
  #used = 0
  #exact: { readonly lists: readonly Members[], readonly integers: Integers } | undefined

  constructor (body: InferBody, signature: Signature) {
    this.#body = body
    this.#signature = signature
  }

  read (list: readonly unknown[]): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>()
    list.forEach((input, i) => {
      const pointer = `/inputs/${i}`
      if (!isObject(input)) throw refuse({ pointer }, `must be an object, not ${shown(input)}`)
      const { name } = input
      if (typeof name !== 'string') throw refuse({ pointer: `${pointer}/name` }, `must be the name of an input, not ${shown(name)}`)
      if (tensors.has(name)) throw refuse({ pointer, name }, 'occurs twice')
      tensors.set(name, this.#readTensor(input, i, { pointer, name }))
    })
    const left = this.#body.binary.length - this.#used
    if (left > 0) throw new ApiError('BAD_ENVELOPE', `The body has ${left} bytes behind the JSON that belong to no input: name the size of each as its parameter binary_data_size.`)
    return tensors
  }

  #readTensor (input: Members, i: number, place: Place): Tensor {
    const datatype = readDatatype(input, place)
    const shape = readShape(input['shape'], place)
    const spec = this.#signature.inputs.find(({ name }) => name === place.name)
    if (spec !== undefined) holdAgainst(spec, datatype, shape)
    const { type } = formats[datatype]
    const parameters = readParameters(input['parameters'], place)
    if (parameters['shared_memory_region'] !== undefined) throw refuse(place, 'is in shared memory, which this server does not read; send its data')
    const size = parameters['binary_data_size']
    if (size === undefined) return { type, shape, data: this.#readJson(input, i, { datatype, shape }, place) }
    if (input['data'] !== undefined) throw refuse(place, 'has both data and binary_data_size; send one of them')
    return { type, shape, data: readBinaryData({ datatype, shape, bytes: this.#take(size, place) }, place) }
  }

  #readJson (input: Members, i: number, { datatype, shape }: { datatype: Datatype, shape: readonly number[] }, place: Place): Tensor['data'] {
    if (input['data'] === undefined) throw refuse(place, 'has neither data nor the parameter binary_data_size')
    const { kind } = formats[datatype]
    if (kind !== 'bigint' || !(this.#exact !== undefined || hasLongIntegers(this.#body.json))) {
      return readJsonData({ datatype, shape, data: input['data'] }, place)
    }
    this.#exact ??= exactInputs(this.#body.json)
    return readJsonData({ datatype, shape, data: this.#exact.lists[i]?.['data'] }, place, this.#exact.integers)
  }

  #take (size: unknown, place: Place): Buffer {
    const at = { ...place, pointer: `${place.pointer}/parameters/binary_data_size` }
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw refuse(at, `must be a number of bytes, not ${shown(size)}`)
    const { binary } = this.#body
    const left = binary.length - this.#used
    if ((size as number) > left) {
      throw refuse(at, `is ${shown(size)}, and the body has ${left} bytes left behind its JSON; Inference-Header-Content-Length says where the JSON ends`)
    }
    const from = this.#used
    this.#used += size as number
    return binary.subarray(from, this.#used)
  }
}

function readDatatype ({ datatype }: Members, place: Place): Datatype {
  if (isDatatype(datatype)) return datatype
  throw refuse({ ...place, pointer: `${place.pointer}/datatype` }, `must be one of ${datatypes.join(', ')}, not ${shown(datatype)}`)
}

/** What the runtime would refuse in words of its own. Of a graph that declares no dimensions it takes any. */
function holdAgainst ({ name, type, shape }: TensorSpec, datatype: Datatype, given: readonly number[]): void {
  const expected = datatypeOf(type)
  if (expected !== datatype) throw new ApiError('BAD_ENVELOPE', `The input ${shown(name)} takes ${expected}, not ${datatype}.`)
  const sizes = dimensionsOf(shape)
  const fits = sizes.length === 0 || (sizes.length === given.length && sizes.every((size, i) => size === -1 || size === given[i]))
  if (!fits) throw new ApiError('BAD_ENVELOPE', `The input ${shown(name)} takes the shape [${sizes.join(', ')}], not [${given.join(', ')}]; -1 is any size.`)
}

/** The same text has been parsed before, and its inputs were objects. */
function exactInputs (json: string): { lists: readonly Members[], integers: Integers } {
  const { body, integers } = parseExactly(json)
  return { lists: (body as { inputs: Members[] }).inputs, integers }
}

function readOutputs (list: unknown, binaryUnlessTold: boolean, { outputs }: Signature): WantedOutput[] {
  const all = outputs.map(({ name }) => name)
  if (list === undefined || (Array.isArray(list) && list.length === 0)) return all.map(name => ({ name, binary: binaryUnlessTold }))
  if (!Array.isArray(list)) throw new ApiError('BAD_ENVELOPE', `/outputs must be a list, not ${shown(list)}.`)
  const wanted = new Map<string, WantedOutput>()
  list.forEach((output: unknown, i) => {
    const pointer = `/outputs/${i}`
    if (!isObject(output)) throw refuse({ pointer }, `must be an object with a name, not ${shown(output)}`)
    const { name } = output
    if (typeof name !== 'string') throw refuse({ pointer: `${pointer}/name` }, `must be the name of an output, not ${shown(name)}`)
    const place = { pointer, name }
    if (!all.includes(name)) throw refuse(place, `is no output of the model; its outputs are ${named(all)}`)
    if (wanted.has(name)) throw refuse(place, 'occurs twice')
    const parameters = readParameters(output['parameters'], place)
    for (const unsupported of ['classification', 'shared_memory_region']) {
      if (parameters[unsupported] !== undefined) throw refuse({ ...place, pointer: `${pointer}/parameters/${unsupported}` }, 'is not supported by this server')
    }
    wanted.set(name, { name, binary: readFlag(parameters, 'binary_data', place) ?? binaryUnlessTold })
  })
  return [...wanted.values()]
}

/** Those that this server does not know are left alone: clients send their own. */
function readParameters (parameters: unknown, place: Place): Members {
  if (parameters === undefined || parameters === null) return {}
  if (!isObject(parameters)) throw refuse({ ...place, pointer: `${place.pointer}/parameters` }, `must be an object, not ${shown(parameters)}`)
  return parameters
}

function readFlag (parameters: Members, name: string, place: Place): boolean | undefined {
  const flag = parameters[name]
  if (flag === undefined || typeof flag === 'boolean') return flag
  throw refuse({ ...place, pointer: `${place.pointer}/parameters/${name}` }, `must be true or false, not ${shown(flag)}`)
}

function isObject (value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
