import type { Tree, TreeNode } from './ensemble-shape.ts'

/** The runtime walks a tree recursively when it loads one, and ends the process where its stack ends. */
const maxDepth = 1000

const maxCategories = 2 ** 24

export interface TreeFault { readonly node: number, readonly message: string }

/**
 * What keeps nodes from being a tree: a child that does not exist, is reached twice or is the root, a
 * feature that is none, a number that is not finite. Nodes that nothing leads to may be anything.
 */
export function treeFault ({ nodes }: Tree, features: number): TreeFault | undefined {
  if (nodes.length === 0) return { node: 0, message: 'is missing: a tree has at least one node' }
  const depths = new Map([[0, 0]])
  for (const [at, depth] of depths) {
    const node = nodes[at]!
    const message = nodeFault(node, nodes.length, features) ?? depthFault(depth)
    if (message !== undefined) return { node: at, message }
    if (node.kind === 'leaf') continue
    for (const child of [node.yes, node.no]) {
      if (depths.has(child)) return { node: at, message: `leads to node ${child}, where another branch leads already: that is no tree` }
      depths.set(child, depth + 1)
    }
  }
  return undefined
}

function depthFault (depth: number): string | undefined {
  return depth > maxDepth ? `stands more than ${maxDepth} levels below the root, which is deeper than the runtime takes` : undefined
}

function nodeFault (node: TreeNode, count: number, features: number): string | undefined {
  if (node.kind === 'leaf') return Number.isFinite(node.value) ? undefined : `is a leaf of ${node.value}, not of a finite number`
  const stranger = [node.yes, node.no].find(child => !isIndex(child, count))
  if (stranger !== undefined) return `leads to node ${stranger}, but the tree has nodes 0 to ${count - 1}`
  if (!isIndex(node.feature, features)) return `tests feature ${node.feature}, but there are features 0 to ${features - 1}`
  if (node.kind === 'split') return Number.isNaN(node.threshold) ? 'has the threshold NaN' : undefined
  const odd = node.categories.find(category => !isIndex(category, maxCategories))
  return odd === undefined ? undefined : `has the category ${odd}, but categories are whole numbers from 0 to ${maxCategories - 1}`
}

function isIndex (value: number, count: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < count
}
