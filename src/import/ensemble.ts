import { model, node, type NodeDefinition } from '../onnx/build.ts'
import { elementTypes } from '../onnx/element-types.ts'
import { columnGraph, type Columns } from './ensemble-columns.ts'
import { linkGraph } from './ensemble-link.ts'
import { type Ending, type Ensemble, inputName, type Tree } from './ensemble-shape.ts'
import { treeAttributes } from './ensemble-trees.ts'

export type { CategorySplit, Ending, Ensemble, Link, Split, Tree, TreeNode } from './ensemble-shape.ts'
export { inputName, outputNames } from './ensemble-shape.ts'

const float = BigInt(elementTypes.float32)

export interface EnsembleOptions {
  /** Of the values in `X`: float64 for a library that trains on float64. Default float32. */
  readonly input?: 'float32' | 'float64'
}

/**
 * An ONNX file: `X` [N, features] in; `label` int64 [N] and `probabilities` float32 [N, classes] out, or
 * `value` float32 [N, 1]. The trees have been checked before: see `treeFault`.
 *
 * All is float64 up to the scores, which become float32 once: the runtime adds in another order for one
 * row than for many, and float32 sums of a thousand trees would differ by more than they may.
 */
export function ensembleToOnnx (ensemble: Ensemble, ending: Ending, { input = 'float32' }: EnsembleOptions = {}): Uint8Array {
  const columns = columnGraph(ensemble)
  const link = linkGraph(ending, ensemble.outputs)
  return model({
    // The first versions that know TreeEnsemble.
    opset: 21,
    mlOpset: 5,
    irVersion: 10,
    graph: {
      name: 'ensemble',
      inputs: [{ name: inputName, type: input, shape: ['N', ensemble.features] }],
      outputs: link.outputs,
      nodes: [...columns.nodes, ...scores(ensemble, columns), ...link.nodes],
      initializers: { ...columns.initializers, ...link.initializers },
    },
  })
}

function scores ({ outputs, base, trees }: Ensemble, columns: Columns): NodeDefinition[] {
  const baseTrees = base.map((value, output): Tree => ({ output, nodes: [{ kind: 'leaf', value }] }))
  return [
    node('TreeEnsemble', ['columns'], ['sums'], {
      ...treeAttributes([...baseTrees, ...trees], columns), n_targets: BigInt(outputs),
    }, 'ai.onnx.ml'),
    node('Cast', ['sums'], ['scores'], { to: float }),
  ]
}
