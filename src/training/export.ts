import { type Attribute, model } from '../onnx/build.ts'
import type { TensorSpec } from '../tensor.ts'
import type { Forest } from './forest.ts'

/** The names of the graph's input and outputs. */
export const inputName = 'X'
export const outputNames = { label: 'label', probabilities: 'probabilities', value: 'value' } as const

/** An ONNX file that answers as `predictForest` does: [N, columns] float32 in, labels are class indices. */
export function forestToOnnx (forest: Forest): Uint8Array {
  const { op, outputs, attributes } = forest.kind === 'classes' ? classifier(forest) : regressor(forest)
  return model({
    graph: {
      name: 'forest',
      inputs: [{ name: inputName, type: 'float32', shape: ['N', forest.columns] }],
      outputs,
      nodes: [{
        op,
        domain: 'ai.onnx.ml',
        inputs: [inputName],
        outputs: outputs.map(({ name }) => name),
        attributes: { ...branches(forest), ...attributes },
      }],
    },
  })
}

interface Ensemble {
  readonly op: string
  readonly outputs: readonly TensorSpec[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

function classifier (forest: Forest): Ensemble {
  return {
    op: 'TreeEnsembleClassifier',
    outputs: [
      { name: outputNames.label, type: 'int64', shape: ['N'] },
      { name: outputNames.probabilities, type: 'float32', shape: ['N', forest.outputs] },
    ],
    attributes: {
      ...leaves(forest, 'class'),
      classlabels_int64s: BigInt64Array.from({ length: forest.outputs }, (_, k) => BigInt(k)),
      post_transform: 'NONE',
    },
  }
}

function regressor (forest: Forest): Ensemble {
  return {
    op: 'TreeEnsembleRegressor',
    outputs: [{ name: outputNames.value, type: 'float32', shape: ['N', 1] }],
    attributes: { ...leaves(forest, 'target'), n_targets: 1n, aggregate_function: 'SUM' },
  }
}

function branches ({ trees }: Forest): Record<string, Attribute> {
  const perNode = (entry: (tree: Forest['trees'][number], node: number, treeId: number) => number) =>
    trees.flatMap((tree, treeId) => Array.from({ length: tree.nodes }, (_, node) => entry(tree, node, treeId)))
  return {
    nodes_treeids: Int32Array.from(perNode((_tree, _node, treeId) => treeId)),
    nodes_nodeids: Int32Array.from(perNode((_, node) => node)),
    nodes_featureids: Int32Array.from(perNode(({ feature }, node) => Math.max(0, feature[node]!))),
    nodes_values: Float32Array.from(perNode(({ threshold }, node) => threshold[node]!)),
    nodes_modes: perNode(({ feature }, node) => feature[node]!).map(feature => feature < 0 ? 'LEAF' : 'BRANCH_LEQ'),
    nodes_truenodeids: Int32Array.from(perNode(({ left }, node) => left[node]!)),
    nodes_falsenodeids: Int32Array.from(perNode(({ right }, node) => right[node]!)),
    nodes_missing_value_tracks_true: Int32Array.from(perNode(({ missingLeft }, node) => missingLeft[node]!)),
  }
}

/** One entry per leaf and output that is not 0. */
function leaves (forest: Forest, prefix: 'class' | 'target'): Record<string, Attribute> {
  const treeIds: number[] = []
  const nodeIds: number[] = []
  const ids: number[] = []
  const weights: number[] = []
  forest.trees.forEach((tree, treeId) => {
    for (let node = 0; node < tree.nodes; node++) {
      if (tree.feature[node]! >= 0) continue
      for (const { id, weight } of leafEntries(forest, tree.values, node)) {
        treeIds.push(treeId)
        nodeIds.push(node)
        ids.push(id)
        weights.push(weight)
      }
    }
  })
  return {
    [`${prefix}_treeids`]: Int32Array.from(treeIds),
    [`${prefix}_nodeids`]: Int32Array.from(nodeIds),
    [`${prefix}_ids`]: Int32Array.from(ids),
    [`${prefix}_weights`]: Float32Array.from(weights),
  }
}

/**
 * With two classes the runtime takes the label from the second class's score alone, as larger than
 * 0.5, and works out the first's probability, but only if every weight stands under id 0.
 */
function leafEntries (forest: Forest, values: Float64Array, node: number): { id: number, weight: number }[] {
  const { kind, outputs } = forest
  if (kind === 'classes' && outputs === 2) return [{ id: 0, weight: values[node * 2 + 1]! }]
  const entries = Array.from({ length: outputs }, (_, id) => ({ id, weight: values[node * outputs + id]! }))
  return kind === 'classes' ? entries.filter(({ weight }) => weight !== 0) : entries
}
