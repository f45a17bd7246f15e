import { fromBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type GraphDefinition, floats, model, node } from '../../src/onnx/build.ts'
import { ModelProtoSchema } from '../../src/onnx/onnx_pb.ts'
import { openModel, runModel } from './session.ts'
import type { Tensor, TensorType } from '../../src/tensor.ts'

function identity (type: TensorType): GraphDefinition {
  return {
    inputs: [{ name: 'X', type, shape: ['N', 2] }],
    outputs: [{ name: 'Y', type, shape: ['N', 2] }],
    nodes: [node('Identity', ['X'], ['Y'])],
  }
}

const tensors: Tensor[] = [
  { type: 'float32', shape: [1, 2], data: Float32Array.of(1.5, -2) },
  { type: 'float64', shape: [1, 2], data: Float64Array.of(0.1, 1e300) },
  { type: 'int64', shape: [1, 2], data: BigInt64Array.of(2n ** 62n, -1n) },
  { type: 'uint8', shape: [1, 2], data: Uint8Array.of(0, 255) },
  { type: 'string', shape: [1, 2], data: ['ä', ''] },
]

test.each(tensors)('a graph of $type runs', async tensor => {
  const session = await openModel(model({ graph: identity(tensor.type) }))
  const { Y } = await runModel(session, { X: tensor })
  expect(Y?.dims).toEqual([1, 2])
  expect(Y?.data).toEqual(tensor.data)
})

test.each(tensors)('a constant of $type keeps its values', async constant => {
  const bytes = model({
    graph: {
      inputs: [],
      outputs: [{ name: 'Y', type: constant.type, shape: [1, 2] }],
      nodes: [node('Identity', ['C'], ['Y'])],
      initializers: { C: constant },
    },
  })
  const { Y } = await runModel(await openModel(bytes), {})
  expect(Y?.data).toEqual(constant.data)
})

test('attributes take their type from their value', async () => {
  const bytes = model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['N', 2] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['N', 3] }],
      nodes: [
        node('Transpose', ['W'], ['V'], { perm: Int32Array.of(1, 0) }),
        node('Gemm', ['X', 'V'], ['H'], { alpha: 0.5, transB: 0n }),
        node('Constant', [], ['one'], { value: floats([1], []) }),
        node('Add', ['H', 'one'], ['Y']),
      ],
      initializers: { W: floats([1, 0, 0, 1, 2, 2], [3, 2]) },
    },
  })
  const { Y } = await runModel(await openModel(bytes), { X: floats([2, 4], [1, 2]) })
  expect(Array.from(Y?.data as Float32Array)).toEqual([2, 3, 7])
})

test('the same definition gives the same bytes, signed by modelport', () => {
  const definition = { graph: identity('float32'), opset: 15, metadata: { trained: 'today' } }
  const bytes = model(definition)
  expect(model(definition)).toEqual(bytes)
  const proto = fromBinary(ModelProtoSchema, bytes)
  expect(proto).toMatchObject({ producerName: 'modelport', irVersion: 8n, metadataProps: [{ key: 'trained', value: 'today' }] })
  expect(proto.opsetImport).toMatchObject([{ domain: '', version: 15n }, { domain: 'ai.onnx.ml', version: 3n }])
})
