import { model, node, type NodeDefinition } from '../onnx/build.ts'
import { linkGraph } from './ensemble-link.ts'
import { treeAttributes } from './ensemble-trees.ts'

/** Trees whose leaves add up to scores, as gradient boosting makes them, whichever library did. */
export interface Ensemble {
  /** Columns of the input. */
  readonly features: number
  /** Scores per row. */
  readonly outputs: number
  /** What each score begins with. */
  readonly base: readonly number[]
  readonly trees: readonly Tree[]
}

export interface Tree {
  /** The score that its leaves add to. */
  readonly output: number
  /**
   * [0] is the root. Nodes that nothing leads to are left out of the graph. Several nodes may share what they
   * lead to, as tests that give one answer together do, but one of them at most as its `no`: the runtime needs that.
   */
  readonly nodes: readonly TreeNode[]
}

export type TreeNode = Leaf | Split | CategorySplit

export interface Leaf { readonly kind: 'leaf', readonly value: number }

interface Fork {
  readonly feature: number
  /** Index of the node after a test that holds, and after one that does not. */
  readonly yes: number
  readonly no: number
  /** Where NaN goes. */
  readonly missing: 'yes' | 'no'
}

/** Compares float64: a threshold that is no float32 parts float32 inputs exactly as it is written. */
export interface Split extends Fork {
  readonly kind: 'split'
  readonly test: '<' | '<=' | '>' | '>='
  readonly threshold: number
}

/** Holds for the whole numbers in `categories`; a fraction is rounded down first. */
export interface CategorySplit extends Fork {
  readonly kind: 'member'
  /** Whole numbers from 0 to below 2^24; may be empty. */
  readonly categories: readonly number[]
}

/** What turns scores into probabilities or a value. */
export type Link =
  | { readonly kind: 'identity' }
  /** 1 / (1 + e^(-slope · score)); as a classification with one score the second of two classes, else of each class by itself. */
  | { readonly kind: 'sigmoid', readonly slope?: number }
  | { readonly kind: 'softmax' }
  | { readonly kind: 'exp' }
  /** ln(1 + e^score) */
  | { readonly kind: 'softplus' }
  /** score · |score| */
  | { readonly kind: 'signedSquare' }
  /** 1 above 0, else 0. */
  | { readonly kind: 'step' }

/** A classification has one score for two classes, else one per class; a regression has one. */
export type Ending = { readonly task: 'classification' | 'regression', readonly link: Link }

/** The names of the graph's input and outputs. */
export const inputName = 'X'
export const outputNames = { label: 'label', probabilities: 'probabilities', value: 'value' } as const

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
  const link = linkGraph(ending, ensemble.outputs)
  return model({
    graph: {
      name: 'ensemble',
      inputs: [{ name: inputName, type: input, shape: ['N', ensemble.features] }],
      outputs: link.outputs,
      nodes: [...columns(input), scores(ensemble), ...link.nodes],
      initializers: { ...link.initializers },
    },
  })
}

function columns (input: 'float32' | 'float64'): NodeDefinition[] {
  const double = 11n
  return [input === 'float32' ? node('Cast', [inputName], ['columns'], { to: double }) : node('Identity', [inputName], ['columns'])]
}

function scores (ensemble: Ensemble): NodeDefinition {
  return node('TreeEnsembleRegressor', ['columns'], ['scores'], {
    ...treeAttributes([...baseTrees(ensemble), ...ensemble.trees]),
    n_targets: BigInt(ensemble.outputs),
    aggregate_function: 'SUM',
  }, 'ai.onnx.ml')
}

/** The runtime's own base values are left out for a score that no tree adds to. */
function baseTrees ({ base }: Ensemble): Tree[] {
  return base.map((value, output) => ({ output, nodes: [{ kind: 'leaf', value }] }))
}
