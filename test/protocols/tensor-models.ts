import { floats, model, node } from '../../src/onnx/build.ts'
import type { TensorType } from '../../src/tensor.ts'
import type { Files } from '../helpers/models.ts'

/** Gives back what it takes: [rows, 2] of one type. */
export function echoFiles (type: TensorType, input = 'X'): Files {
  const shape = ['rows', 2]
  return bare(model({ graph: { inputs: [{ name: input, type, shape }], outputs: [{ name: 'Y', type, shape }], nodes: [node('Identity', [input], ['Y'])] } }))
}

/** Two inputs and two outputs: the sum of each row of a with b, and the text that came along. */
export function sumFiles (): Files {
  return bare(model({
    graph: {
      inputs: [{ name: 'a', type: 'float32', shape: ['rows', 2] }, { name: 'tag', type: 'string', shape: ['rows'] }],
      outputs: [{ name: 'sum', type: 'float32', shape: ['rows'] }, { name: 'name', type: 'string', shape: ['rows'] }],
      nodes: [node('ReduceSum', ['a', 'axes'], ['sum'], { keepdims: 0n }), node('Identity', ['tag'], ['name'])],
      initializers: { axes: { type: 'int64', shape: [1], data: BigInt64Array.of(1n) } },
    },
  }))
}

/** One number for all rows: no output row by row. */
export function totalFiles (): Files {
  return bare(model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['rows', 2] }],
      outputs: [{ name: 'total', type: 'float32', shape: [] }],
      nodes: [node('ReduceSum', ['X'], ['total'], { keepdims: 0n })],
    },
  }))
}

/** Looks X up in a table of three: the runtime refuses what is not there. */
export function lookUpFiles (): Files {
  return bare(model({
    graph: {
      inputs: [{ name: 'X', type: 'int64', shape: ['rows'] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['rows'] }],
      nodes: [node('Gather', ['table', 'X'], ['Y'])],
      initializers: { table: floats([10, 20, 30]) },
    },
  }))
}

function bare (onnx: Uint8Array): Files {
  return { 'model.onnx': onnx }
}
