import { create } from '@bufbuild/protobuf'
import { attributeTypes, elementTypes } from './element-types.ts'
import { AttributeProtoSchema, NodeProtoSchema, TensorProtoSchema, ValueInfoProtoSchema } from './onnx_pb.ts'
import { type OnnxModel, domainOf } from './read.ts'
import { importStandard } from './read-zipmap.ts'

/** The first version in which Equal compares int64 as it does today. */
const leastOpset = 7

/**
 * Adds an output that gives the index of the class, int64 [rows], and leaves the others as they are.
 * Changes `model`.
 *
 * @param from `classes`: the output holds integers, each one of these classes; else a matrix of scores, of which the highest wins
 * @returns the new output's name; undefined where the model's operators are too old for it
 */
export function addClassIndex (model: OnnxModel, from: string, classes?: readonly bigint[]): string | undefined {
  importStandard(model)
  const opset = model.opsetImport.find(({ domain }) => domainOf(domain) === 'ai.onnx')?.version ?? 0n
  if (opset < leastOpset) return undefined
  const { graph } = model
  const name = freeName(model)
  const at = (part: string) => `${name}/${part}`
  if (classes !== undefined) {
    graph.initializer.push(int64(at('column'), [2], [-1n, 1n]), int64(at('classes'), [1, classes.length], classes))
    graph.node.push(
      create(NodeProtoSchema, { opType: 'Cast', input: [from], output: [at('int64')], attribute: [int('to', elementTypes.int64)] }),
      create(NodeProtoSchema, { opType: 'Reshape', input: [at('int64'), at('column')], output: [at('labels')] }),
      create(NodeProtoSchema, { opType: 'Equal', input: [at('labels'), at('classes')], output: [at('equal')] }),
      create(NodeProtoSchema, { opType: 'Cast', input: [at('equal')], output: [at('scores')], attribute: [int('to', elementTypes.float32)] })
    )
  }
  graph.node.push(create(NodeProtoSchema, {
    opType: 'ArgMax', input: [classes === undefined ? from : at('scores')], output: [name], attribute: [int('axis', 1), int('keepdims', 0)],
  }))
  graph.output.push(create(ValueInfoProtoSchema, {
    name, type: { value: { case: 'tensorType', value: { elemType: elementTypes.int64, shape: { dim: [{}] } } } },
  }))
  return name
}

function freeName ({ graph }: OnnxModel): string {
  const taken = new Set([...graph.input, ...graph.initializer].map(({ name }) => name).concat(graph.node.flatMap(({ output }) => output)))
  let name = 'class_index'
  while (taken.has(name)) name += '_'
  return name
}

function int (name: string, value: number) {
  return create(AttributeProtoSchema, { name, type: attributeTypes.INT, i: BigInt(value) })
}

function int64 (name: string, dims: readonly number[], values: readonly bigint[]) {
  return create(TensorProtoSchema, { name, dataType: elementTypes.int64, dims: dims.map(BigInt), int64Data: [...values] })
}
