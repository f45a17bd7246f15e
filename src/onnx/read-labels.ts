import type { NodeProto } from './onnx_pb.ts'
import { type OnnxModel, nodesOf } from './read.ts'
import { attributeList, attributeOf, constantOf, listOf, producers } from './read-values.ts'

/** The classes that a model tells apart, in the order of its probabilities: texts, or integers. */
export type Classes = readonly (string | bigint)[]

const labelAttributes = ['classlabels_strings', 'classlabels_int64s', 'classlabels_ints']
/** What only changes a value's type or shape. */
const passing = new Set(['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Normalizer'])

/** The classes of the node that an output comes from; undefined where it comes from none that names them. */
export function classesBehind (model: OnnxModel, output: string): Classes | undefined {
  const node = nodeBehind(model, output)
  return node && classesOf(model, node)
}

/** The operator that an output comes from, past those that only change its type or shape. */
export function operatorBehind (model: OnnxModel, output: string): string | undefined {
  return nodeBehind(model, output)?.opType
}

function nodeBehind (model: OnnxModel, output: string): NodeProto | undefined {
  const made = producers(model)
  const seen = new Set<string>()
  for (let name = output; !seen.has(name);) {
    seen.add(name)
    const node = made.get(name)
    if (node === undefined || !passing.has(node.opType)) return node
    name = node.input[0] ?? ''
  }
  return undefined
}

/** The classes that every classifier within the model names; undefined where there is none, or they differ. */
export function commonClasses (model: OnnxModel): Classes | undefined {
  const lists = [...nodesOf(model)].flatMap(node => attributeList(node, labelAttributes) === undefined ? [] : [attributeList(node, labelAttributes)!])
  const [first] = lists
  return lists.every(list => list.join('\0') === first?.join('\0')) ? first : undefined
}

/** Of a ZipMap or a classifier. */
export function namedClasses (node: NodeProto): Classes | undefined {
  return attributeList(node, labelAttributes)
}

function classesOf (model: OnnxModel, node: NodeProto): Classes | undefined {
  const named = namedClasses(node)
  if (named !== undefined) return named
  switch (node.opType) {
    // A list of classes from which the index of the best one picks.
    case 'ArrayFeatureExtractor':
    case 'Gather': return constantList(model, node.input[0] ?? '')
    case 'LabelEncoder': return encodedClasses(node)
    default: return undefined
  }
}

function constantList (model: OnnxModel, name: string): Classes | undefined {
  const cast = model.graph.node.find(({ opType, output }) => opType === 'Cast' && output.includes(name))
  const constant = constantOf(model, cast?.input[0] ?? name)
  return constant && listOf(constant)
}

/** A LabelEncoder that turns 0, 1, 2 … into names. */
function encodedClasses (node: NodeProto): Classes | undefined {
  const keys = attributeOf(node, 'keys_int64s')?.ints ?? []
  const values = attributeList(node, ['values_strings', 'values_int64s']) ?? []
  const isCounted = keys.length > 0 && keys.length === values.length && keys.every((key, i) => key === BigInt(i))
  return isCounted ? values : undefined
}
