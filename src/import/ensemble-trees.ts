import type { Attribute } from '../onnx/build.ts'
import type { Tensor } from '../tensor.ts'
import type { Split, Tree, TreeNode } from './ensemble.ts'

const modes = { '<': 'BRANCH_LT', '<=': 'BRANCH_LEQ', '>': 'BRANCH_GT', '>=': 'BRANCH_GTE' } as const satisfies Record<Split['test'], string>

/** The attributes of a TreeEnsembleRegressor of float64, for at least one tree. */
export function treeAttributes (trees: readonly Tree[]): Record<string, Attribute> {
  const rows = trees.flatMap(treeRows)
  const leaves = rows.filter(row => row.leaf !== undefined)
  return {
    nodes_treeids: Int32Array.from(rows, row => row.tree),
    nodes_nodeids: Int32Array.from(rows, row => row.id),
    nodes_featureids: Int32Array.from(rows, row => row.feature),
    nodes_modes: rows.map(row => row.mode),
    nodes_values_as_tensor: doubles(rows.map(row => row.threshold)),
    nodes_truenodeids: Int32Array.from(rows, row => row.yes),
    nodes_falsenodeids: Int32Array.from(rows, row => row.no),
    nodes_missing_value_tracks_true: Int32Array.from(rows, row => row.missingYes),
    target_treeids: Int32Array.from(leaves, row => row.tree),
    target_nodeids: Int32Array.from(leaves, row => row.id),
    target_ids: Int32Array.from(leaves, row => row.output),
    target_weights_as_tensor: doubles(leaves.map(row => row.leaf!)),
  }
}

interface Row {
  readonly tree: number
  readonly id: number
  readonly mode: string
  readonly feature: number
  readonly threshold: number
  readonly yes: number
  readonly no: number
  readonly missingYes: 0 | 1
  readonly output: number
  readonly leaf?: number
}

/** Nodes in the order of a walk from the root, numbered so. */
function treeRows ({ output, nodes }: Tree, tree: number): Row[] {
  const order = reachable(nodes)
  const ids = new Map(order.map((at, id) => [at, id]))
  const none = { feature: 0, threshold: 0, yes: 0, no: 0, missingYes: 0 } as const
  return order.map((at, id): Row => {
    const node = nodes[at]!
    if (node.kind === 'leaf') return { tree, id, output, mode: 'LEAF', ...none, leaf: node.value }
    if (node.kind === 'member') throw new Error('not yet')
    const { feature, threshold, missing } = node
    return {
      tree,
      id,
      output,
      mode: modes[node.test],
      feature,
      threshold,
      yes: ids.get(node.yes)!,
      no: ids.get(node.no)!,
      missingYes: missing === 'yes' ? 1 : 0,
    }
  })
}

/** Indices of what the root leads to, itself first. */
function reachable (nodes: readonly TreeNode[]): number[] {
  const order = new Set([0])
  for (const at of order) {
    const node = nodes[at]!
    if (node.kind !== 'leaf') order.add(node.yes).add(node.no)
  }
  return [...order]
}

/**
 * What keeps nodes from being a tree: a child that does not exist, is reached twice or is the root, a
 * feature that is none, a number that is not finite. Nodes that nothing leads to may be anything.
 */
export function treeFault (tree: Tree, features: number): { readonly node: number, readonly message: string } | undefined {
  const { nodes } = tree
  if (nodes.length === 0) return { node: 0, message: 'is missing: a tree has at least one node' }
  const parents = new Map<number, number>([[0, -1]])
  const order = [0]
  for (const at of order) {
    const node = nodes[at]!
    const message = nodeFault(node, nodes.length, features)
    if (message !== undefined) return { node: at, message }
    if (node.kind === 'leaf') continue
    for (const child of [node.yes, node.no]) {
      if (parents.has(child)) return { node: at, message: `leads to node ${child}, which ${child === 0 ? 'is the root' : `node ${parents.get(child)} leads to as well`}` }
      parents.set(child, at)
      order.push(child)
    }
  }
  return undefined
}

function nodeFault (node: TreeNode, count: number, features: number): string | undefined {
  if (node.kind === 'leaf') return Number.isFinite(node.value) ? undefined : `is a leaf of ${node.value}, not of a finite number`
  const stranger = [node.yes, node.no].find(child => !(Number.isInteger(child) && child >= 0 && child < count))
  if (stranger !== undefined) return `leads to node ${stranger}, but the tree has nodes 0 to ${count - 1}`
  if (!(Number.isInteger(node.feature) && node.feature >= 0 && node.feature < features)) {
    return `tests feature ${node.feature}, but there are features 0 to ${features - 1}`
  }
  if (node.kind === 'split') return Number.isNaN(node.threshold) ? 'has the threshold NaN' : undefined
  const odd = node.categories.find(category => !(Number.isInteger(category) && category >= 0 && category < 2 ** 24))
  return odd === undefined ? undefined : `has the category ${odd}: categories are whole numbers from 0 to ${2 ** 24 - 1}`
}

function doubles (values: readonly number[]): Tensor {
  return { type: 'float64', shape: [values.length], data: Float64Array.from(values) }
}
