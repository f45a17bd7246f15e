import { type Attribute, type GraphDefinition, type MapsSpec, type ModelDefinition, type NodeDefinition, floats, model, node } from '../../src/onnx/build.ts'
import type { Tensor, TensorSpec } from '../../src/tensor.ts'

const ml = 'ai.onnx.ml'

export function ints (values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { type: 'int64', shape, data: BigInt64Array.from(values, BigInt) }
}

export function texts (values: readonly string[], shape: readonly number[] = [values.length]): Tensor {
  return { type: 'string', shape, data: values }
}

export type Labels = { readonly ints: readonly number[] } | { readonly strings: readonly string[] }

/** softmax of x · W of three classes: the coefficients of scikit-learn's logistic regression, so to speak. */
const coefficients = [1, -1, 0, 0, 1, -1, -1, 0, 1]
const intercepts = [0.1, 0, -0.1]

export function classScores (x: readonly number[]): number[] {
  return intercepts.map((b, k) => x.reduce((sum, value, i) => sum + value * coefficients[k * 3 + i]!, b))
}

export function softmax (scores: readonly number[]): number[] {
  const exps = scores.map(score => Math.exp(score))
  const sum = exps.reduce((a, b) => a + b, 0)
  return exps.map(e => e / sum)
}

function classAttributes (labels: Labels, intName: string): Record<string, Attribute> {
  return 'ints' in labels ? { [intName]: Int32Array.from(labels.ints) } : { classlabels_strings: labels.strings }
}

function linearClassifier (input: string, labels: Labels, outputs: [string, string], post = 'SOFTMAX'): NodeDefinition {
  return node('LinearClassifier', [input], outputs, {
    ...classAttributes(labels, 'classlabels_ints'), coefficients: Float32Array.from(coefficients), intercepts: Float32Array.from(intercepts), multi_class: 1n, post_transform: post,
  }, ml)
}

interface Classifier {
  readonly labels?: Labels
  readonly zipMap?: boolean
  readonly inputs?: GraphDefinition['inputs']
  readonly before?: readonly NodeDefinition[]
  readonly from?: string
  readonly post?: string
  readonly labelShape?: TensorSpec['shape']
}

/** As skl2onnx writes a classifier: with a ZipMap behind the probabilities, or without. */
export function classifier ({
  labels = { ints: [0, 1, 2] }, zipMap = false, inputs = [{ name: 'X', type: 'float32', shape: ['N', 3] }], before = [], from = 'X', post = 'SOFTMAX', labelShape = ['N'],
}: Classifier = {}, options: Omit<ModelDefinition, 'graph'> = {}): Uint8Array {
  const labelType = 'ints' in labels ? 'int64' : 'string'
  const probabilities: TensorSpec | MapsSpec = zipMap
    ? { name: 'output_probability', mapsFrom: labelType }
    : { name: 'probabilities', type: 'float32', shape: ['N', 3] }
  return model({
    ...options,
    graph: {
      inputs,
      outputs: [{ name: zipMap ? 'output_label' : 'label', type: labelType, shape: labelShape }, probabilities],
      nodes: [
        ...before,
        linearClassifier(from, labels, [zipMap ? 'output_label' : 'label', zipMap ? 'raw' : 'probabilities'], post),
        ...zipMap ? [node('ZipMap', ['raw'], ['output_probability'], classAttributes(labels, 'classlabels_int64s'), ml)] : [],
      ],
    },
  })
}

/** One column an input, numbers and texts, as skl2onnx makes of a ColumnTransformer. */
export function columnsModel (zipMap = true): Uint8Array {
  return classifier({
    labels: { strings: ['low', 'mid', 'high'] },
    zipMap,
    inputs: [
      { name: 'age', type: 'float32', shape: ['N', 1] },
      { name: 'plan', type: 'string', shape: ['N', 1] },
      { name: 'visits', type: 'int64', shape: ['N', 1] },
    ],
    before: [
      node('LabelEncoder', ['plan'], ['code'], { keys_strings: ['basic', 'pro'], values_floats: Float32Array.of(1, 2), default_float: 0 }, ml),
      node('Cast', ['visits'], ['count'], { to: 1n }),
      node('Concat', ['age', 'code', 'count'], ['joined'], { axis: 1n }),
    ],
    from: 'joined',
  })
}

/** x · [1, 2] + 3, as skl2onnx writes LinearRegression. */
export function regressor (outputShape: TensorSpec['shape'] = ['N', 1]): Uint8Array {
  return model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['N', 2] }],
      outputs: [{ name: 'variable', type: 'float32', shape: outputShape }],
      nodes: [node('LinearRegressor', ['X'], ['variable'], { coefficients: Float32Array.of(1, 2), intercepts: Float32Array.of(3), targets: 1n }, ml)],
    },
  })
}

/** X · W + b with W [2, 3], as PyTorch writes a linear layer: logits, and nothing that says what they mean. */
export function logits (initializers: GraphDefinition['initializers'] = {}, options: Omit<ModelDefinition, 'graph'> = {}): Uint8Array {
  return model({
    ...options,
    graph: {
      inputs: [{ name: 'x', type: 'float32', shape: ['batch', 2] }],
      outputs: [{ name: 'linear', type: 'float32', shape: ['batch', 3] }],
      nodes: [node('Gemm', ['x', 'W', 'b'], ['linear'], { transB: 1n })],
      initializers: { W: floats([1, 0, 0, 1, -1, -1], [3, 2]), b: floats([0, 0, 0.5]), ...initializers },
    },
  })
}
