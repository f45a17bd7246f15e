import type { NodeProto } from './onnx_pb.ts'
import { type OnnxModel, nodesOf } from './read.ts'
import { attributeOf } from './read-values.ts'

export interface DeepestTree {
  /** The operator's name and, if it has one, the node's. */
  readonly node: string
  /** Levels below the root. */
  readonly depth: number
}

/** Of all tree ensembles in a graph; undefined where there is none. A tree that leads round and round is as deep as it has nodes. */
export function deepestTree (model: OnnxModel): DeepestTree | undefined {
  let deepest: DeepestTree | undefined
  for (const node of nodesOf(model)) {
    if (!node.opType.startsWith('TreeEnsemble')) continue
    const depth = node.opType === 'TreeEnsemble' ? depthByIndex(node) : depthById(node)
    if (depth > (deepest?.depth ?? -1)) deepest = { node: [node.opType, node.name].filter(Boolean).join(' '), depth }
  }
  return deepest
}

/** TreeEnsembleClassifier and TreeEnsembleRegressor: nodes are named by tree and by number within it. */
function depthById (node: NodeProto): number {
  const [trees, ids, yes, no] = ['nodes_treeids', 'nodes_nodeids', 'nodes_truenodeids', 'nodes_falsenodeids'].map(name => intsOf(node, name)) as [bigint[], bigint[], bigint[], bigint[]]
  const leaves = new Set((attributeOf(node, 'nodes_modes')?.strings ?? []).flatMap((mode, i) => String.fromCharCode(...mode) === 'LEAF' ? [i] : []))
  const places = new Map(ids.map((id, i) => [`${trees[i]}/${id}`, i]))
  const place = (tree: bigint | undefined, id: bigint | undefined): number => places.get(`${tree}/${id}`) ?? -1
  return longestPath(ids.length, i => leaves.has(i) ? [] : [place(trees[i], yes[i]), place(trees[i], no[i])])
}

/** TreeEnsemble: nodes by their place, leaves in lists of their own. */
function depthByIndex (node: NodeProto): number {
  const [yes, no, yesLeaf, noLeaf] = ['nodes_truenodeids', 'nodes_falsenodeids', 'nodes_trueleafs', 'nodes_falseleafs'].map(name => intsOf(node, name)) as [bigint[], bigint[], bigint[], bigint[]]
  return longestPath(yes.length, i => [yesLeaf[i] === 1n ? -1 : Number(yes[i]), noLeaf[i] === 1n ? -1 : Number(no[i])]) + 1
}

function intsOf (node: NodeProto, name: string): readonly bigint[] {
  return attributeOf(node, name)?.ints ?? []
}

/** Level by level from the nodes that nothing leads to; without recursion, which is what a deep tree would break. */
function longestPath (count: number, children: (node: number) => readonly number[]): number {
  const isChild = new Uint8Array(count)
  for (let i = 0; i < count; i++) for (const child of children(i)) if (child >= 0 && child < count) isChild[child] = 1
  let level = Array.from({ length: count }, (_, i) => i).filter(i => isChild[i] === 0)
  let depth = -1
  // More levels than nodes: it leads round and round.
  while (level.length > 0 && depth < count) {
    depth++
    level = [...new Set(level.flatMap(i => children(i)).filter(child => child >= 0 && child < count))]
  }
  return Math.max(0, depth)
}
