import type { Attribute } from '../onnx/build.ts'
import type { Tensor } from '../tensor.ts'
import type { Columns } from './ensemble-columns.ts'
import type { CategorySplit, Leaf, Split, Tree, TreeNode } from './ensemble-shape.ts'

/** The operator's numbers for its tests. */
const modes = { '<=': 0, '<': 1, '>=': 2, '>': 3, member: 6 } as const satisfies Record<Split['test'] | 'member', number>

/** The operator keeps leaves apart from the nodes that test: `at` counts within one of the two lists. */
interface Place { readonly isLeaf: boolean, readonly at: number }

interface Inner {
  readonly node: Split | CategorySplit
  readonly yes: Place
  readonly no: Place
}

interface Lists {
  readonly inner: Inner[]
  readonly leaves: { readonly output: number, readonly value: number }[]
  /** Each tree's first node, among `inner`. */
  readonly roots: number[]
}

/** The attributes of a TreeEnsemble of float64 for at least one tree. */
export function treeAttributes (trees: readonly Tree[], { columnOf }: Pick<Columns, 'columnOf'>): Record<string, Attribute> {
  const { inner, leaves, roots } = lists(trees)
  return {
    tree_roots: Int32Array.from(roots),
    nodes_featureids: Int32Array.from(inner, ({ node }) => columnOf(node)),
    nodes_modes: { type: 'uint8', shape: [inner.length], data: Uint8Array.from(inner, ({ node }) => modes[node.kind === 'member' ? 'member' : node.test]) },
    nodes_splits: doubles(inner.map(({ node }) => node.kind === 'member' ? 0 : node.threshold)),
    nodes_missing_value_tracks_true: Int32Array.from(inner, ({ node }) => node.missing === 'yes' ? 1 : 0),
    nodes_truenodeids: Int32Array.from(inner, ({ yes }) => yes.at),
    nodes_trueleafs: Int32Array.from(inner, ({ yes }) => yes.isLeaf ? 1 : 0),
    nodes_falsenodeids: Int32Array.from(inner, ({ no }) => no.at),
    nodes_falseleafs: Int32Array.from(inner, ({ no }) => no.isLeaf ? 1 : 0),
    leaf_targetids: Int32Array.from(leaves, ({ output }) => output),
    leaf_weights: doubles(leaves.map(({ value }) => value)),
    ...membership(inner),
  }
}

/** The sets of the category splits in their order, each ended by NaN. */
function membership (inner: readonly Inner[]): Record<string, Attribute> {
  const sets = inner.flatMap(({ node }) => node.kind === 'member' ? [node.categories] : [])
  return sets.length === 0 ? {} : { membership_values: doubles(sets.flatMap(set => [...set, NaN])) }
}

function lists (trees: readonly Tree[]): Lists {
  const all: Lists = { inner: [], leaves: [], roots: [] }
  for (const tree of trees) {
    all.roots.push(all.inner.length)
    const [root] = tree.nodes
    if (root?.kind === 'leaf') addLeafTree(all, tree.output, root)
    else addTree(all, tree)
  }
  return all
}

/** As the operator wants a tree without a test: both ways lead to its leaf. */
function addLeafTree ({ inner, leaves }: Lists, output: number, { value }: Leaf): void {
  const leaf = { isLeaf: true, at: leaves.length }
  leaves.push({ output, value })
  inner.push({ node: { kind: 'split', feature: 0, test: '<=', threshold: 0, yes: 0, no: 0, missing: 'no' }, yes: leaf, no: leaf })
}

/** Parents before children, whatever order the tree has; a loop, since a tree may be deeper than the stack. */
function addTree ({ inner, leaves }: Lists, { output, nodes }: Tree): void {
  const order = reachable(nodes)
  const places = new Map<number, Place>()
  let nodeCount = inner.length
  for (const at of order) {
    const node = nodes[at]!
    if (node.kind === 'leaf') places.set(at, { isLeaf: true, at: leaves.push({ output, value: node.value }) - 1 })
    else places.set(at, { isLeaf: false, at: nodeCount++ })
  }
  for (const at of order) {
    const node = nodes[at]!
    if (node.kind !== 'leaf') inner.push({ node: withSet(node), yes: places.get(node.yes)!, no: places.get(node.no)! })
  }
}

/** The operator refuses an empty set; no number is below minus infinity either. */
function withSet (node: Split | CategorySplit): Split | CategorySplit {
  if (node.kind === 'split' || node.categories.length > 0) return node
  return { ...node, kind: 'split', test: '<', threshold: -Infinity }
}

/** Indices of what the root leads to, itself first. */
function reachable (nodes: readonly TreeNode[]): number[] {
  const order = [0]
  for (const at of order) {
    const node = nodes[at]!
    if (node.kind !== 'leaf') order.push(node.yes, node.no)
  }
  return order
}

function doubles (values: readonly number[]): Tensor {
  return { type: 'float64', shape: [values.length], data: Float64Array.from(values) }
}
