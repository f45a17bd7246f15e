import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { FatalError } from '../errors.ts'
import { type GraphProto, type ModelProto, ModelProtoSchema, type NodeProto, type TensorProto } from './onnx_pb.ts'

/** A file as protobuf, with a graph in it. */
export type OnnxModel = ModelProto & { graph: GraphProto }

/**
 * Parses an ONNX file; constants stay views into the bytes.
 *
 * @throws FatalError with a short reason when it is none
 */
export function readModel (bytes: Uint8Array): OnnxModel {
  let model: ModelProto
  try {
    model = fromBinary(ModelProtoSchema, bytes)
  } catch (error) {
    throw new FatalError('it is not an ONNX file, or it was cut off or damaged on its way', { cause: error })
  }
  const { graph, opsetImport, irVersion } = model
  if (graph === undefined || irVersion === 0n || opsetImport.length === 0) {
    throw new FatalError('it is not an ONNX file: it has no graph, or does not say which operators it is made of')
  }
  return Object.assign(model, { graph })
}

/** The bytes of a model that was changed. */
export function writeModel (model: OnnxModel): Uint8Array {
  return toBinary(ModelProtoSchema, model)
}

/** "ai.onnx" for the standard operators, which files call ''. */
export function domainOf (domain: string): string {
  return domain === '' ? 'ai.onnx' : domain
}

/** Every node: the graph's own, those of graphs within its nodes, and those of its functions. */
export function * nodesOf ({ graph, functions }: OnnxModel): Generator<NodeProto> {
  yield * nodesWithin(graph.node)
  for (const { node } of functions) yield * nodesWithin(node)
}

/** Every constant of those graphs and nodes. */
export function * constantsOf (model: OnnxModel): Generator<TensorProto> {
  yield * model.graph.initializer
  for (const { attribute } of nodesOf(model)) {
    for (const { t, tensors, g, graphs } of attribute) {
      if (t !== undefined) yield t
      yield * tensors
      for (const graph of g === undefined ? graphs : [g, ...graphs]) yield * graph.initializer
    }
  }
}

function * nodesWithin (nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node
    for (const { g, graphs } of node.attribute) {
      for (const graph of g === undefined ? graphs : [g, ...graphs]) yield * nodesWithin(graph.node)
    }
  }
}
