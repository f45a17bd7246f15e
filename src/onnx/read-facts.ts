import { elementTypes } from './element-types.ts'
import type { TypeProto, ValueInfoProto } from './onnx_pb.ts'
import { type OnnxModel, constantsOf, domainOf, nodesOf } from './read.ts'

/** What a file says of itself. */
export interface ModelFacts {
  /** Program and version, '' where the file does not say. */
  readonly producer: string
  readonly description: string
  readonly irVersion: number
  /** Version by domain. */
  readonly opsets: Readonly<Record<string, number>>
  readonly inputs: readonly ValueFacts[]
  readonly outputs: readonly ValueFacts[]
  /** How many nodes by operator, the most frequent first. */
  readonly operators: Readonly<Record<string, number>>
  /** Values in its constants, those in other files included. */
  readonly parameters: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface ValueFacts {
  readonly name: string
  /** `float32`, or in words what is no tensor of a known type. */
  readonly type: string
  /** -1: not known; undefined: not even the number of dimensions is. */
  readonly shape: readonly (number | string)[] | undefined
}

export function modelFacts (model: OnnxModel): ModelFacts {
  const { graph, producerName, producerVersion, irVersion, docString, metadataProps } = model
  const constants = new Set(graph.initializer.map(({ name }) => name))
  return {
    producer: [producerName, producerVersion].filter(text => text !== '').join(' '),
    description: (docString || graph.docString).trim(),
    irVersion: Number(irVersion),
    opsets: Object.fromEntries(model.opsetImport.map(({ domain, version }) => [domainOf(domain), Number(version)])),
    // Before version 4 of the format, constants stood among the inputs too.
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(valueFacts),
    outputs: graph.output.map(valueFacts),
    operators: operatorCounts(model),
    parameters: [...constantsOf(model)].reduce((sum, { dims }) => sum + Number(dims.reduce((product, size) => product * size, 1n)), 0),
    metadata: Object.fromEntries(metadataProps.map(({ key, value }) => [key, value])),
  }
}

function valueFacts ({ name, type }: ValueInfoProto): ValueFacts {
  const shape = type?.value.case === 'tensorType' ? type.value.value.shape : undefined
  return { name, type: typeName(type), shape: shape?.dim.map(({ value }) => value.case === undefined ? -1 : typeof value.value === 'bigint' ? Number(value.value) : value.value || -1) }
}

function typeName (type: TypeProto | undefined): string {
  switch (type?.value.case) {
    case 'tensorType': return elementName(type.value.value.elemType)
    case 'sparseTensorType': return `sparse ${elementName(type.value.value.elemType)}`
    case 'sequenceType': return `list of ${typeName(type.value.value.elemType)}`
    case 'optionalType': return `optional ${typeName(type.value.value.elemType)}`
    case 'mapType': return `map from ${elementName(type.value.value.keyType)} to ${typeName(type.value.value.valueType)}`
    default: return 'unknown'
  }
}

const otherNames: Readonly<Record<number, string>> = { 0: 'unknown', 14: 'complex64', 15: 'complex128', 16: 'bfloat16', 17: 'float8', 18: 'float8', 19: 'float8', 20: 'float8', 21: 'uint4', 22: 'int4', 23: 'float4' }
const elementNames = new Map(Object.entries(elementTypes).map(([name, code]) => [code, name]))

function elementName (code: number): string {
  return elementNames.get(code) ?? otherNames[code] ?? `type ${code}`
}

function operatorCounts (model: OnnxModel): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { domain, opType } of nodesOf(model)) {
    const name = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Object.fromEntries([...counts].sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1)))
}
