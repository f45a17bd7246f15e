import type { Feature } from '../artifact/manifest.ts'
import { type NodeDefinition, model, node } from '../onnx/build.ts'
import type { TensorSpec } from '../tensor.ts'

/**
 * A graph that takes every feature as a column and lays those side by side which make an input of the model.
 *
 * @param features in the order of the inputs' columns
 */
export function joinColumns (inputs: readonly TensorSpec[], features: readonly Feature[]): Uint8Array {
  const columns: TensorSpec[] = []
  const joined: TensorSpec[] = []
  const nodes: NodeDefinition[] = []
  let at = 0
  for (const { name, type, shape } of inputs) {
    const width = shape[1] as number
    const names = features.slice(at, at + width).map(feature => feature.name)
    at += width
    // It goes to the model as it is.
    if (width === 1 && names[0] === name) continue
    columns.push(...names.map(feature => ({ name: feature, type, shape: ['rows', 1] })))
    joined.push({ name, type, shape: ['rows', width] })
    nodes.push(node('Concat', names, [name], { axis: 1n }))
  }
  return model({ graph: { name: 'join', inputs: columns, outputs: joined, nodes }, opset: 13 })
}
