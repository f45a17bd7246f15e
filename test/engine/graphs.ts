import { floats, model, node, type NodeDefinition } from '../../src/onnx/build.ts'
import type { Batch } from '../../src/engine/engine.ts'
import type { Tensor, TensorSpec, TensorType } from '../../src/tensor.ts'

export function spec (name: string, shape: readonly (number | string)[], type: TensorType = 'float32'): TensorSpec {
  return { name, type, shape }
}

/** x [n, width] → y, as the nodes say. */
export function graph (nodes: readonly NodeDefinition[], initializers: Record<string, Tensor> = {}, width = 4): Uint8Array {
  return model({ graph: { inputs: [spec('x', ['n', width])], outputs: [spec('y', ['n', 'm'])], nodes, initializers } })
}

/** y = x W, with W [4, 3]: every answer depends on its own row only. */
export function linear (): Uint8Array {
  return graph([node('MatMul', ['x', 'W'], ['y'])], { W: floats(waves(12), [4, 3]) })
}

/** y = x W^depth, with W [width, width]: work as heavy as wanted in a small file. */
export function deep (width: number, depth: number): Uint8Array {
  const names = Array.from({ length: depth - 1 }, (_, i) => `h${i}`)
  const nodes = [...names, 'y'].map((name, i) => node('MatMul', [names[i - 1] ?? 'x', 'W'], [name]))
  return graph(nodes, { W: floats(waves(width * width).map(value => value / width), [width, width]) }, width)
}

/** y = the row of a table that the index in x names: an index outside is an error while the graph runs. */
export function lookup (): Uint8Array {
  return model({
    graph: {
      inputs: [spec('x', ['n'], 'int64')],
      outputs: [spec('y', ['n', 2])],
      nodes: [node('Gather', ['table', 'x'], ['y'])],
      initializers: { table: floats([0, 1, 10, 11, 20, 21], [3, 2]) },
    },
  })
}

/** y = x - mean of x over the rows: rows depend on each other although the shapes do not say so. */
export function centred (): Uint8Array {
  return graph([node('ReduceMean', ['x'], ['mean'], { axes: BigInt64Array.of(0n), keepdims: 1n }), node('Sub', ['x', 'mean'], ['y'])])
}

export function waves (length: number): number[] {
  return Array.from({ length }, (_, i) => Math.sin(i + 1))
}

export function rows (values: readonly (readonly number[])[], width = values[0]?.length ?? 0): Batch {
  return { inputs: { x: floats(values.flat(), [values.length, width]) }, rows: values.length }
}

export function indices (...values: readonly number[]): Batch {
  return { inputs: { x: { type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) } }, rows: values.length }
}
