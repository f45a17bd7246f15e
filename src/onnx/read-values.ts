import { elementTypes } from './element-types.ts'
import type { AttributeProto, NodeProto, TensorProto } from './onnx_pb.ts'
import type { OnnxModel } from './read.ts'

const utf8 = new TextDecoder()

export function attributeOf (node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find(attribute => attribute.name === name)
}

/** Which node of the graph makes a value. */
export function producers ({ graph }: OnnxModel): Map<string, NodeProto> {
  return new Map(graph.node.flatMap(node => node.output.map(name => [name, node] as const)))
}

/** A value's constant: an initializer, or what a Constant node holds. */
export function constantOf ({ graph }: OnnxModel, name: string): TensorProto | undefined {
  const initializer = graph.initializer.find(tensor => tensor.name === name)
  if (initializer !== undefined) return initializer
  const node = graph.node.find(({ opType, output }) => opType === 'Constant' && output.includes(name))
  return node && attributeOf(node, 'value')?.t
}

/** The values of a vector of texts or integers that stands in the file; undefined for another tensor. */
export function listOf (tensor: TensorProto): readonly (string | bigint)[] | undefined {
  const { dataType, rawData, dims } = tensor
  if (dims.length !== 1) return undefined
  if (dataType === elementTypes.string) return tensor.stringData.map(bytes => utf8.decode(bytes))
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength)
  if (dataType === elementTypes.int64) {
    return rawData.length === 0 ? tensor.int64Data : Array.from({ length: rawData.length >> 3 }, (_, i) => view.getBigInt64(i * 8, true))
  }
  if (dataType === elementTypes.int32) {
    return rawData.length === 0 ? tensor.int32Data.map(BigInt) : Array.from({ length: rawData.length >> 2 }, (_, i) => BigInt(view.getInt32(i * 4, true)))
  }
  return undefined
}

/** The values of an attribute that lists texts or integers; undefined where it is absent or empty. */
export function attributeList (node: NodeProto, names: readonly string[]): readonly (string | bigint)[] | undefined {
  for (const name of names) {
    const attribute = attributeOf(node, name)
    if (attribute === undefined) continue
    if (attribute.strings.length > 0) return attribute.strings.map(bytes => utf8.decode(bytes))
    if (attribute.ints.length > 0) return attribute.ints
  }
  return undefined
}
