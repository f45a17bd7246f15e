import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterEach, expect, test } from 'vitest'
import { RunError, type Session } from '../../src/engine/graph.ts'
import { openSession } from '../../src/engine/session.ts'
import { model, node } from '../../src/onnx/build.ts'
import { ModelProtoSchema, TypeProtoSchema } from '../../src/onnx/onnx_pb.ts'
import type { Tensor } from '../../src/tensor.ts'
import { graph, indices, linear, lookup, rows, spec } from './graphs.ts'

let session: Session | undefined
afterEach(async () => {
  await session?.release()
  session = undefined
})

test.each<Tensor>([
  { type: 'float32', shape: [1, 2], data: Float32Array.of(1.5, NaN) },
  { type: 'float64', shape: [1, 2], data: Float64Array.of(1e300, -0) },
  { type: 'float16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0xffff) },
  { type: 'int8', shape: [1, 2], data: Int8Array.of(-128, 127) },
  { type: 'int16', shape: [1, 2], data: Int16Array.of(-32768, 1) },
  { type: 'int32', shape: [1, 2], data: Int32Array.of(-1, 2 ** 31 - 1) },
  { type: 'int64', shape: [1, 2], data: BigInt64Array.of(-(2n ** 63n), 1n) },
  { type: 'uint8', shape: [1, 2], data: Uint8Array.of(0, 255) },
  { type: 'uint16', shape: [1, 2], data: Uint16Array.of(0, 65535) },
  { type: 'uint32', shape: [1, 2], data: Uint32Array.of(0, 2 ** 32 - 1) },
  { type: 'uint64', shape: [1, 2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
  { type: 'bool', shape: [1, 2], data: Uint8Array.of(0, 1) },
  { type: 'string', shape: [1, 2], data: ['', 'añ😀'] },
  { type: 'float32', shape: [0, 2], data: new Float32Array(0) },
])('$type tensors of shape $shape go in and come out as they are', async tensor => {
  session = await openSession(model({
    graph: { inputs: [spec('x', ['n', 2], tensor.type)], outputs: [spec('y', ['n', 2], tensor.type)], nodes: [node('Identity', ['x'], ['y'])] },
  }))
  expect(session.inputs).toEqual([{ name: 'x', type: tensor.type, shape: ['n', 2] }])
  const { outputs, runMs } = await session.run({ x: tensor })
  expect(outputs).toEqual({ y: tensor })
  expect(runMs).toBeGreaterThan(0)
})

test('a dimension without a name is -1', async () => {
  session = await openSession(model({
    graph: { inputs: [spec('x', [-1, 2])], outputs: [spec('y', [-1, 2])], nodes: [node('Relu', ['x'], ['y'])] },
  }))
  expect(session.outputs).toEqual([{ name: 'y', type: 'float32', shape: [-1, 2] }])
})

test.each<[string, Uint8Array, string]>([
  ['an empty file', new Uint8Array(0), 'the file is empty'],
  ['a text', new TextEncoder().encode('not a model'), 'protobuf parsing failed'],
  ['half a model', linear().slice(0, 100), 'protobuf parsing failed'],
  ['an unknown operator', graph([node('Frobnicate', ['x'], ['y'])]), 'No Op registered for Frobnicate'],
  ['an output that is a sequence', withSequenceOutput(), 'the output "y" is a sequence, a map or optional'],
])('refuses %s with a reason on one line', async (_name, bytes, reason) => {
  const refused = openSession(bytes)
  await expect(refused).rejects.toThrow(reason)
  await expect(refused).rejects.toThrow(/^[^\n]{1,300}$/)
  await expect(refused).rejects.not.toThrow(/\/onnxruntime|\.cc:/)
})

test('what the runtime refuses to run is a RunError, and the next run is fine', async () => {
  session = await openSession(lookup())
  await expect(session.run(indices(0, 7).inputs)).rejects.toThrow(RunError)
  await expect(session.run(rows([[1]]).inputs)).rejects.toThrow(RunError)
  await expect(session.run({})).rejects.toThrow(RunError)
  await expect(session.run({ x: { type: 'int64', shape: [3], data: BigInt64Array.of(1n) } })).rejects.toThrow(RunError)
  const { outputs } = await session.run(indices(2).inputs)
  expect(outputs['y']?.data).toEqual(Float32Array.of(20, 21))
})

/** The builder writes tensors only, as most exporters do. */
function withSequenceOutput (): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, graph([node('SequenceConstruct', ['x'], ['y'])]))
  const output = proto.graph?.output[0]
  if (output?.type === undefined) throw new Error('the graph lost its output')
  output.type = create(TypeProtoSchema, { value: { case: 'sequenceType', value: { elemType: output.type } } })
  return toBinary(ModelProtoSchema, proto)
}

test('text whose case a graph changes needs a locale of the system, and the refusal says which', async () => {
  const upper = model({
    graph: {
      inputs: [{ name: 'x', type: 'string', shape: ['N'] }],
      outputs: [{ name: 'y', type: 'string', shape: ['N'] }],
      nodes: [node('StringNormalizer', ['x'], ['y'], { case_change_action: 'UPPER', is_case_sensitive: 1n })],
    },
  })
  const opened = await openSession(upper).catch((error: Error) => error)
  if (opened instanceof Error) {
    expect(opened.message).toMatch(/lacks the locale en_US\.UTF-8: install it/)
  } else {
    const { outputs } = await opened.run({ x: { type: 'string', shape: [1], data: ['straße ж'] } })
    expect(outputs['y']?.data).toEqual(['STRAßE Ж'])
    await opened.release()
  }
})
