import type { Tree, TreeNode } from './ensemble.ts'
import { type FaultyPart, treeFault } from './ensemble-fault.ts'
import { child, countOr, fail, integers, isEmpty, numbers, object, type Place } from './xgboost-json.ts'

export interface TreeOptions {
  readonly output: number
  /** What dart multiplies its leaves by. */
  readonly weight: number
  /** Of the model. */
  readonly features: number
}

/** Where the file holds what a fault is about. */
const arrays = {
  yes: 'left_children',
  no: 'right_children',
  feature: 'split_indices',
  value: 'split_conditions',
  depth: 'left_children',
  categories: 'categories_nodes',
} as const satisfies Record<FaultyPart, string>

/**
 * One tree of the file, in which every array has one entry per node.
 *
 * @throws FatalError that names the array and the node
 */
export function readTree (place: Place, { output, weight, features }: TreeOptions): Tree {
  object(place)
  const left = integers(child(place, 'left_children'))
  const leafSize = child(place, 'tree_param', 'size_leaf_vector')
  if (countOr(leafSize, 1) > 1) fail(leafSize, 'trees whose leaves hold several values (multi_strategy="multi_output_tree") are not supported; train with "one_output_per_tree"')
  const nodeCount = child(place, 'tree_param', 'num_nodes')
  if (countOr(nodeCount, left.length) !== left.length) fail(nodeCount, `is ${String(nodeCount.value)}, but left_children holds ${left.length} values`)
  const tree = { output, nodes: readNodes(place, left, weight) }
  const fault = treeFault(tree, features)
  if (fault !== undefined) fail(child(place, ...pathOf(fault.part, tree.nodes[fault.node]), fault.node), fault.message)
  return tree
}

/** For a set of categories the branches are the other way round: those outside of it go left. */
function pathOf (part: FaultyPart, node: TreeNode | undefined): string[] {
  if (node?.kind === 'member' && (part === 'yes' || part === 'no')) return [arrays[part === 'yes' ? 'no' : 'yes']]
  return [arrays[part]]
}

function readNodes (place: Place, left: readonly number[], weight: number): TreeNode[] {
  const right = integers(child(place, 'right_children'), left.length)
  const feature = integers(child(place, 'split_indices'), left.length)
  const conditions = numbers(child(place, 'split_conditions'), left.length)
  const defaultLeft = integers(child(place, 'default_left'), left.length)
  const categories = readCategories(place, left.length)
  return left.map((yes, i): TreeNode => {
    const no = right[i]!
    const number = Math.fround(conditions[i]!)
    if (yes === -1 && no === -1) return { kind: 'leaf', value: number * weight }
    const isMissingLeft = defaultLeft[i] !== 0
    const set = categories.get(i)
    return set === undefined
      ? { kind: 'split', feature: feature[i]!, test: '<', threshold: number, yes, no, missing: isMissingLeft ? 'yes' : 'no' }
      : { kind: 'member', feature: feature[i]!, categories: set, yes: no, no: yes, missing: isMissingLeft ? 'no' : 'yes' }
  })
}

/** The set of each node that tests for categories. Files before XGBoost 1.5 know none. */
function readCategories (place: Place, nodeCount: number): Map<number, readonly number[]> {
  const types = child(place, 'split_type')
  if (isEmpty(types)) return new Map()
  const isCategorical = integers(types, nodeCount).map(type => type === 1)
  const nodes = integers(child(place, 'categories_nodes'))
  const begins = integers(child(place, 'categories_segments'), nodes.length)
  const sizes = integers(child(place, 'categories_sizes'), nodes.length)
  const all = integers(child(place, 'categories'))
  const sets = new Map<number, readonly number[]>()
  let taken = 0
  nodes.forEach((node, i) => {
    const at = child(place, 'categories_nodes', i)
    if (isCategorical[node] !== true) fail(at, `is node ${node}, which split_type does not call categorical`)
    if (sets.has(node)) fail(at, `is node ${node} once more`)
    const [begin, size] = [begins[i]!, sizes[i]!]
    taken += size
    // Together they may not be larger than what they are taken from, or a short file could ask for much.
    if (begin < 0 || size < 0 || begin + size > all.length || taken > all.length) {
      fail(child(place, 'categories_segments', i), `takes ${size} categories from ${begin} on, of ${all.length}`)
    }
    sets.set(node, all.slice(begin, begin + size))
  })
  const bare = isCategorical.findIndex((is, node) => is && !sets.has(node))
  if (bare >= 0) fail(child(place, 'split_type', bare), `calls node ${bare} categorical, but categories_nodes does not name it`)
  return sets
}
