import { model, node } from '../../src/onnx/build.ts'
import type { TensorType } from '../../src/tensor.ts'
import type { TestApp } from '../helpers/app.ts'
import type { Files } from '../helpers/models.ts'

/** One tensor of a request; `bytes` go behind the JSON. */
export interface TestTensor { name?: string, datatype: string, shape: readonly number[], data?: unknown, bytes?: Uint8Array, parameters?: object }

export interface TestRequest { id?: unknown, inputs: readonly TestTensor[], outputs?: unknown, parameters?: unknown }

export interface TestAnswer {
  status: number
  headers: Headers
  /** The JSON, which stands before the bytes if there are some. */
  body: any // eslint-disable-line @typescript-eslint/no-explicit-any
  /** The bytes of each output that was sent as such. */
  binary: Record<string, Buffer>
}

/** A request as a client writes it: the JSON, then the bytes of each input. */
export function writeRequest ({ inputs, ...others }: TestRequest): { json: Buffer, body: Buffer } {
  const listed = inputs.map(({ name = 'x', bytes, parameters, ...tensor }) => ({
    name,
    ...tensor,
    ...(bytes === undefined && parameters === undefined ? {} : { parameters: { ...(bytes === undefined ? {} : { binary_data_size: bytes.length }), ...parameters } }),
  }))
  const json = Buffer.from(JSON.stringify({ ...others, inputs: listed }))
  return { json, body: Buffer.concat([json, ...inputs.flatMap(({ bytes }) => bytes ?? [])]) }
}

/** Posts to a model as tritonclient does: without naming the type of the body. */
export async function infer (server: TestApp, path: string, request: TestRequest, headers: Record<string, string> = {}): Promise<TestAnswer> {
  const { json, body } = writeRequest(request)
  return await post(server, path, body, { ...(body.length > json.length ? { 'inference-header-content-length': String(json.length) } : {}), ...headers })
}

export async function post (server: TestApp, path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<TestAnswer> {
  const response = await fetch(`${server.url}/v2/models/${path}/infer`, { method: 'POST', body: body as Uint8Array<ArrayBuffer>, headers: { authorization: `Bearer ${server.token}`, ...headers } })
  return readAnswer(response.status, response.headers, Buffer.from(await response.arrayBuffer()))
}

function readAnswer (status: number, headers: Headers, bytes: Buffer): TestAnswer {
  let at = Number(headers.get('inference-header-content-length') ?? bytes.length)
  const body = JSON.parse(bytes.subarray(0, at).toString()) as { outputs?: { name: string, parameters?: { binary_data_size: number } }[] }
  const binary: Record<string, Buffer> = {}
  for (const { name, parameters } of body.outputs ?? []) {
    if (parameters === undefined) continue
    binary[name] = bytes.subarray(at, at += parameters.binary_data_size)
  }
  return { status, headers, body, binary }
}

/** The elements of BYTES as they travel: each behind its length. */
export function frame (...texts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(texts.flatMap(text => {
    const bytes = Buffer.from(text as string)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return [length, bytes]
  }))
}

/** Answers as `y` what it was sent as `x`, of any shape: a graph that declares no dimensions leaves them open. */
export function echoFiles (type: TensorType): Files {
  return { 'model.onnx': model({ graph: { inputs: [{ name: 'x', type, shape: [] }], outputs: [{ name: 'y', type, shape: [] }], nodes: [node('Identity', ['x'], ['y'])] } }) }
}

export const echoTypes = {
  BOOL: 'bool',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<string, TensorType>

export type EchoDatatype = keyof typeof echoTypes

/** An echo for every datatype, each a model of that name. */
export function echoModels (): Record<string, Files> {
  return Object.fromEntries(Object.entries(echoTypes).map(([datatype, type]) => [`${datatype}/1`, echoFiles(type)]))
}
