import { create, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto, AttributeProtoSchema, type GraphProto, GraphProtoSchema, ModelProtoSchema,
  NodeProtoSchema, type TensorProto, TensorProtoSchema, type ValueInfoProto, ValueInfoProtoSchema,
} from './onnx_pb.ts'
import { attributeTypes, elementTypes } from './element-types.ts'
import type { Tensor, TensorSpec } from '../tensor.ts'

/**
 * An attribute's value; its JavaScript type decides the ONNX type: a bigint is an INT, a number a
 * FLOAT, a Float32Array FLOATS, an Int32Array or BigInt64Array INTS.
 */
export type Attribute =
  | bigint | number | string | Tensor | GraphDefinition
  | Float32Array | BigInt64Array | Int32Array | readonly string[]

export interface NodeDefinition {
  readonly op: string
  /** Names of values; '' leaves an optional input out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** 'ai.onnx.ml' for trees and their like; unset: the standard operators. */
  readonly domain?: string
  readonly name?: string
}

/** A list of maps from a class to its probability, one a row: what ZipMap gives. */
export interface MapsSpec {
  readonly name: string
  readonly mapsFrom: 'int64' | 'string'
}

/** A constant whose bytes stand in a file beside the model. */
export interface ExternalTensor extends Pick<Tensor, 'type' | 'shape'> {
  /** `location`, `offset` and `length` by those names. */
  readonly external: Readonly<Record<string, string>>
}

/** Nodes stand in an order in which every value is made before it is used. */
export interface GraphDefinition {
  readonly name?: string
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly (TensorSpec | MapsSpec)[]
  readonly nodes: readonly NodeDefinition[]
  /** Constants by name. */
  readonly initializers?: Readonly<Record<string, Tensor | ExternalTensor>>
}

export interface ModelDefinition {
  readonly graph: GraphDefinition
  /** Version of the standard operators; 17 unless told. */
  readonly opset?: number
  /** Version of the domain ai.onnx.ml; 3 unless told. */
  readonly mlOpset?: number
  readonly irVersion?: number
  /** Free text by key, kept in the file. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** The bytes of an ONNX file; the same definition gives the same bytes. */
export function model (definition: ModelDefinition): Uint8Array {
  const { graph, opset = 17, mlOpset = 3, irVersion = 8, metadata = {} } = definition
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      { domain: 'ai.onnx.ml', version: BigInt(mlOpset) },
    ],
    producerName: 'modelport',
    graph: graphProto(graph),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  }))
}

/** One node, written short: `node('MatMul', ['X', 'W'], ['Y'])`. */
export function node (
  op: string, inputs: readonly string[], outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {}, domain = ''
): NodeDefinition {
  return { op, inputs, outputs, attributes, domain }
}

/** A float32 tensor, written short; without a shape it is a vector. */
export function floats (values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { type: 'float32', shape, data: Float32Array.from(values) }
}

function graphProto (graph: GraphDefinition): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name ?? 'graph',
    node: graph.nodes.map(({ op, inputs, outputs, attributes = {}, domain = '', name }) => create(NodeProtoSchema, {
      opType: op,
      input: [...inputs],
      output: [...outputs],
      ...(domain === '' ? {} : { domain }),
      ...(name === undefined ? {} : { name }),
      attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
    })),
    initializer: Object.entries(graph.initializers ?? {}).map(([name, tensor]) => tensorProto(tensor, name)),
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
  })
}

function valueInfo (spec: TensorSpec | MapsSpec): ValueInfoProto {
  if ('mapsFrom' in spec) return mapsInfo(spec)
  const { name, type, shape } = spec
  const dim = shape.map(size => {
    if (size === -1) return {}
    return typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } }
  })
  return create(ValueInfoProtoSchema, {
    name, type: { value: { case: 'tensorType', value: { elemType: elementTypes[type], shape: { dim } } } },
  })
}

function mapsInfo ({ name, mapsFrom }: MapsSpec): ValueInfoProto {
  const value = { value: { case: 'tensorType' as const, value: { elemType: elementTypes.float32, shape: {} } } }
  const map = { value: { case: 'mapType' as const, value: { keyType: elementTypes[mapsFrom], valueType: value } } }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'sequenceType', value: { elemType: map } } } })
}

function attributeProto (name: string, value: Attribute): AttributeProto {
  return create(AttributeProtoSchema, { name, ...attributeValue(value) })
}

function attributeValue (value: Attribute) {
  if (typeof value === 'bigint') return { type: attributeTypes.INT, i: value }
  if (typeof value === 'number') return { type: attributeTypes.FLOAT, f: value }
  if (typeof value === 'string') return { type: attributeTypes.STRING, s: utf8(value) }
  if (value instanceof Float32Array) return { type: attributeTypes.FLOATS, floats: Array.from(value) }
  if (value instanceof Int32Array) return { type: attributeTypes.INTS, ints: Array.from(value, BigInt) }
  if (value instanceof BigInt64Array) return { type: attributeTypes.INTS, ints: Array.from(value) }
  if ('nodes' in value) return { type: attributeTypes.GRAPH, g: graphProto(value) }
  if ('data' in value) return { type: attributeTypes.TENSOR, t: tensorProto(value) }
  return { type: attributeTypes.STRINGS, strings: value.map(utf8) }
}

function tensorProto (tensor: Tensor | ExternalTensor, name?: string): TensorProto {
  return create(TensorProtoSchema, {
    ...(name === undefined ? {} : { name }), dataType: elementTypes[tensor.type], dims: tensor.shape.map(BigInt), ...contentOf(tensor),
  })
}

function contentOf (tensor: Tensor | ExternalTensor) {
  if ('external' in tensor) return { dataLocation: 1, externalData: Object.entries(tensor.external).map(([key, value]) => ({ key, value })) }
  const { data } = tensor
  return ArrayBuffer.isView(data)
    // ONNX is little-endian, and so is every machine that the inference runtime is built for.
    ? { rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() }
    : { stringData: data.map(utf8) }
}

function utf8 (text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
