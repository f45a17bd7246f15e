import type { NodeProto } from './onnx_pb.ts'
import type { OnnxModel } from './read.ts'
import { attributeOf, constantOf } from './read-values.ts'

const passing = new Set(['Cast', 'Identity'])

/** How many columns a matrix input has, from the constants that it meets first; undefined where they do not say. */
export function columnsBehind (model: OnnxModel, input: string): number | undefined {
  const names = new Set([input])
  for (const node of model.graph.node) {
    const isFirst = names.has(node.input[0] ?? '')
    if (isFirst && passing.has(node.opType)) node.output.forEach(name => names.add(name))
    const columns = node.input.some(name => names.has(name)) ? byOperator[node.opType]?.(node, model, isFirst) : undefined
    if (columns !== undefined) return columns
  }
  return undefined
}

type ColumnsOf = (node: NodeProto, model: OnnxModel, isFirst: boolean) => number | undefined

const byOperator: Readonly<Record<string, ColumnsOf>> = {
  Scaler: node => several(countOf(node, 'offset')) ?? several(countOf(node, 'scale')),
  Imputer: node => several(countOf(node, 'imputed_value_floats')),
  LinearRegressor: node => countOf(node, 'coefficients') / Number(attributeOf(node, 'targets')?.i ?? 1n),
  LinearClassifier: node => countOf(node, 'coefficients') / Math.max(1, countOf(node, 'intercepts')),
  MatMul: (node, model, isFirst) => isFirst ? matrixRows(model, node, false) : undefined,
  Gemm: (node, model, isFirst) => isFirst && !isSet(node, 'transA') ? matrixRows(model, node, isSet(node, 'transB')) : undefined,
  Sub: termColumns,
  Add: termColumns,
  Mul: termColumns,
  Div: termColumns,
}

function termColumns ({ input }: NodeProto, model: OnnxModel, isFirst: boolean): number | undefined {
  const size = constantOf(model, input[isFirst ? 1 : 0] ?? '')?.dims.at(-1)
  return several(Number(size ?? 0))
}

function matrixRows (model: OnnxModel, { input }: NodeProto, transposed: boolean): number | undefined {
  const dims = constantOf(model, input[1] ?? '')?.dims
  return dims?.length === 2 ? Number(dims[transposed ? 1 : 0]) : undefined
}

/** One value may stand for every column. */
function several (count: number): number | undefined {
  return count > 1 ? count : undefined
}

function countOf (node: NodeProto, attribute: string): number {
  return attributeOf(node, attribute)?.floats.length ?? 0
}

function isSet (node: NodeProto, attribute: string): boolean {
  return attributeOf(node, attribute)?.i === 1n
}
