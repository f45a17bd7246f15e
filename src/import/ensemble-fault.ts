import type { Tree, TreeNode } from './ensemble-shape.ts'

/** The runtime walks a tree recursively when it loads one, and ends the process where its stack ends. */
export const maxDepth = 1000

const maxCategories = 2 ** 24

/** Of a node: a child, the feature, the threshold or the leaf's value, the set, or where it stands. */
export type FaultyPart = 'yes' | 'no' | 'feature' | 'value' | 'categories' | 'depth'

export interface TreeFault {
  readonly node: number
  readonly part: FaultyPart
  /** To be read behind the node's name. */
  readonly message: string
}

type Fault = Omit<TreeFault, 'node'>

/**
 * What keeps nodes from being a tree: a child that does not exist, is reached twice or is the root, a
 * feature that is none, a number that is not finite. Nodes that nothing leads to may be anything.
 */
export function treeFault ({ nodes }: Tree, features: number): TreeFault | undefined {
  if (nodes.length === 0) return { node: 0, part: 'depth', message: 'is missing: a tree has at least one node' }
  const depths = new Map([[0, 0]])
  for (const [at, depth] of depths) {
    const node = nodes[at]!
    const fault = nodeFault(node, nodes.length, features) ?? depthFault(depth)
    if (fault !== undefined) return { node: at, ...fault }
    if (node.kind === 'leaf') continue
    for (const part of ['yes', 'no'] as const) {
      const next = node[part]
      if (depths.has(next)) return { node: at, part, message: `leads to node ${next}, where another branch leads already: that is no tree` }
      depths.set(next, depth + 1)
    }
  }
  return undefined
}

function depthFault (depth: number): Fault | undefined {
  if (depth <= maxDepth) return undefined
  return { part: 'depth', message: `stands more than ${maxDepth} levels below the root, which is deeper than the runtime takes` }
}

function nodeFault (node: TreeNode, count: number, features: number): Fault | undefined {
  if (node.kind === 'leaf') {
    return Number.isFinite(node.value) ? undefined : { part: 'value', message: `is a leaf of ${node.value}, not of a finite number` }
  }
  const part = (['yes', 'no'] as const).find(part => !isIndex(node[part], count))
  if (part !== undefined) return { part, message: `leads to node ${node[part]}, but the tree has nodes 0 to ${count - 1}` }
  if (!isIndex(node.feature, features)) return { part: 'feature', message: `tests feature ${node.feature}, but there are features 0 to ${features - 1}` }
  if (node.kind === 'split') return Number.isNaN(node.threshold) ? { part: 'value', message: 'has the threshold NaN' } : undefined
  const odd = node.categories.find(category => !isIndex(category, maxCategories))
  return odd === undefined
    ? undefined
    : { part: 'categories', message: `has the category ${odd}, but categories are whole numbers from 0 to ${maxCategories - 1}` }
}

function isIndex (value: number, count: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < count
}
