import { elementTypes } from '../onnx/element-types.ts'
import { floats, node, type GraphDefinition, type NodeDefinition } from '../onnx/build.ts'
import type { Tensor } from '../tensor.ts'
import { outputNames, type Ending, type Link } from './ensemble-shape.ts'

type Part = Required<Pick<GraphDefinition, 'nodes' | 'outputs' | 'initializers'>>

/** From `scores` [N, outputs] to what the model answers. */
export function linkGraph ({ task, link }: Ending, outputs: number): Part {
  return task === 'regression' ? value(link) : classes(link, outputs)
}

function value (link: Link): Part {
  const { nodes, initializers = {} } = linked(link, outputNames.value)
  return { nodes, initializers, outputs: [{ name: outputNames.value, type: 'float32', shape: ['N', 1] }] }
}

function classes (link: Link, outputs: number): Part {
  const isBinary = outputs === 1
  const { nodes, initializers = {} } = linked(link, isBinary ? 'second' : outputNames.probabilities)
  return {
    nodes: [
      ...nodes,
      ...isBinary
        ? [
            node('Sub', ['one', 'second'], ['first']),
            node('Concat', ['first', 'second'], [outputNames.probabilities], { axis: 1n }),
          ]
        : [],
      node('ArgMax', [outputNames.probabilities], [outputNames.label], { axis: 1n, keepdims: 0n }),
    ],
    initializers: { ...initializers, ...isBinary ? { one: floats([1], []) } : {} },
    outputs: [
      { name: outputNames.label, type: 'int64', shape: ['N'] },
      { name: outputNames.probabilities, type: 'float32', shape: ['N', isBinary ? 2 : outputs] },
    ],
  }
}

/** From `scores` to `to`, element by element but for softmax. */
function linked (link: Link, to: string): { nodes: NodeDefinition[], initializers?: Record<string, Tensor> } {
  switch (link.kind) {
    case 'identity': return { nodes: [node('Identity', ['scores'], [to])] }
    case 'sigmoid': return {
      nodes: [node('Mul', ['scores', 'slope'], ['steep']), node('Sigmoid', ['steep'], [to])],
      initializers: { slope: floats([link.slope ?? 1], []) },
    }
    case 'softmax': return { nodes: [node('Softmax', ['scores'], [to], { axis: 1n })] }
    case 'exp': return { nodes: [node('Exp', ['scores'], [to])] }
    case 'softplus': return { nodes: [node('Softplus', ['scores'], [to])] }
    case 'signedSquare': return { nodes: [node('Abs', ['scores'], ['size']), node('Mul', ['scores', 'size'], [to])] }
    case 'step': return {
      nodes: [node('Greater', ['scores', 'zero'], ['above']), node('Cast', ['above'], [to], { to: BigInt(elementTypes.float32) })],
      initializers: { zero: floats([0], []) },
    }
    default: throw new Error(`no graph for ${JSON.stringify(link satisfies never)}`)
  }
}
