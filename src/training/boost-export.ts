import { type Ending, ensembleToOnnx, type TreeNode } from '../import/ensemble.ts'
import { type Boost, scoresOf } from './boost.ts'
import { expectations, type Loss } from './boost-loss.ts'
import type { Matrix } from './matrix.ts'
import type { Tree } from './tree.ts'

const links: Readonly<Record<Loss, 'identity' | 'sigmoid' | 'softmax'>> = {
  squared: 'identity', logistic: 'sigmoid', softmax: 'softmax',
}

/** An ONNX file that answers as `predictBoost` does, but for what float32 makes of e^x in another program: 1e-6 of 1. */
export function boostToOnnx ({ loss, columns, base, trees }: Boost): Uint8Array {
  const ending: Ending = { task: loss === 'squared' ? 'regression' : 'classification', link: { kind: links[loss] } }
  return ensembleToOnnx({
    features: columns,
    outputs: base.length,
    base,
    trees: trees.map((tree, i) => ({ output: i % base.length, nodes: nodesOf(tree) })),
  }, ending)
}

function nodesOf ({ nodes, feature, threshold, missingLeft, left, right, values }: Tree): TreeNode[] {
  return Array.from({ length: nodes }, (_, node): TreeNode => feature[node]! < 0
    ? { kind: 'leaf', value: values[node]! }
    : {
        kind: 'split',
        test: '<=',
        feature: feature[node]!,
        threshold: threshold[node]!,
        yes: left[node]!,
        no: right[node]!,
        missing: missingLeft[node] === 1 ? 'yes' : 'no',
      })
}

/** @returns one probability per class, or the value, per row */
export function predictBoost (boost: Boost, matrix: Matrix): Float32Array {
  // Scores become float32 before they become probabilities, as they do in the graph.
  const scores = scoresOf(boost, matrix).map(Math.fround)
  expectations(boost.loss, scores, boost.base.length, scores)
  if (boost.loss !== 'logistic') return Float32Array.from(scores)
  const answers = new Float32Array(scores.length * 2)
  scores.forEach((second, row) => {
    answers[row * 2 + 1] = second
    answers[row * 2] = 1 - answers[row * 2 + 1]!
  })
  return answers
}
