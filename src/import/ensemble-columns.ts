import { type GraphDefinition, node, type NodeDefinition } from '../onnx/build.ts'
import { elementTypes } from '../onnx/element-types.ts'
import type { Tensor } from '../tensor.ts'
import { type CategorySplit, type Ensemble, inputName, type Split, zeroThreshold } from './ensemble-shape.ts'

/** What a test looks at: the number itself, rounded down, without its fraction, or with NaN in place of 0. */
type View = 'numbers' | 'wholes' | 'truncated' | 'nonzeros'

export interface Columns extends Required<Pick<GraphDefinition, 'nodes' | 'initializers'>> {
  /** Where a test finds its feature in `columns`, the value that the nodes make: float64 [N, several times features]. */
  readonly columnOf: (test: Split | CategorySplit) => number
}

/** `X` as float64, once for each way in which some test looks at it. */
export function columnGraph ({ features, trees }: Ensemble): Columns {
  const used = new Set<View>(['numbers'])
  for (const { nodes } of trees) for (const node of nodes) if (node.kind !== 'leaf') used.add(viewOf(node))
  const views = [...used]
  return {
    nodes: [
      node('Cast', [inputName], ['numbers'], { to: BigInt(elementTypes.float64) }),
      ...used.has('wholes') ? [node('Floor', ['numbers'], ['wholes'])] : [],
      ...used.has('truncated') ? truncated() : [],
      ...used.has('nonzeros') ? nonzeros() : [],
      node('Concat', views, ['columns'], { axis: 1n }),
    ],
    initializers: used.has('nonzeros') ? { zeroThreshold: scalar(zeroThreshold), missing: scalar(NaN) } : {},
    columnOf: test => views.indexOf(viewOf(test)) * features + test.feature,
  }
}

function viewOf (test: Split | CategorySplit): View {
  if (test.kind === 'member') return test.fraction === 'off' ? 'truncated' : 'wholes'
  return test.zero === 'missing' ? 'nonzeros' : 'numbers'
}

function truncated (): NodeDefinition[] {
  return [
    node('Abs', ['numbers'], ['lengths']),
    node('Floor', ['lengths'], ['wholeLengths']),
    node('Sign', ['numbers'], ['signs']),
    node('Mul', ['wholeLengths', 'signs'], ['truncated']),
  ]
}

function nonzeros (): NodeDefinition[] {
  return [
    node('Abs', ['numbers'], ['sizes']),
    node('LessOrEqual', ['sizes', 'zeroThreshold'], ['isZero']),
    node('Where', ['isZero', 'missing', 'numbers'], ['nonzeros']),
  ]
}

function scalar (value: number): Tensor {
  return { type: 'float64', shape: [], data: Float64Array.of(value) }
}
