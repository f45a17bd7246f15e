import { floats, model, node } from '../../src/onnx/build.ts'
import { type Files, withManifest } from '../helpers/models.ts'

/** value = x, after `layers` multiplications of [rows, width] by the identity: a run takes its time. */
export function heavyFiles (name: string, { layers = 40, width = 512 } = {}): Files {
  const identity = floats(Array.from({ length: width * width }, (_, i) => i % (width + 1) === 0 ? 1 : 0), [width, width])
  const spread = floats(new Array<number>(width).fill(1), [1, width])
  const gather = floats(new Array<number>(width).fill(1 / width), [width, 1])
  const between = (layer: number) => `layer_${layer}`
  const onnx = model({
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['rows', 1] }],
      outputs: [{ name: 'value', type: 'float32', shape: ['rows', 1] }],
      nodes: [
        node('MatMul', ['X', 'spread'], [between(0)]),
        ...Array.from({ length: layers }, (_, i) => node('MatMul', [between(i), 'identity'], [between(i + 1)])),
        node('MatMul', [between(layers), 'gather'], ['value']),
      ],
      initializers: { identity, spread, gather },
    },
  })
  return withManifest({ 'model.onnx': onnx }, {
    name, task: 'regression', labels: undefined, outputs: { value: 'value' }, features: [{ name: 'x', type: 'number' }],
  })
}
