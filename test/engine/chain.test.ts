import { describe, expect, test } from 'vitest'
import { chain } from '../../src/engine/chain.ts'
import { openSession } from '../../src/engine/session.ts'
import { floats, model, node } from '../../src/onnx/build.ts'

/** x → X, twice as much. */
function doubling (output = 'X', type: 'float32' | 'float64' = 'float32') {
  return model({
    graph: {
      inputs: [{ name: 'x', type, shape: ['N', 1] }],
      outputs: [{ name: output, type, shape: ['N', 1] }],
      nodes: [node('Add', ['x', 'x'], [output])],
    },
  })
}

/** y = X + bias. */
const adding = model({
  graph: {
    inputs: [{ name: 'X', type: 'float32', shape: ['N', 1] }, { name: 'bias', type: 'float32', shape: ['N', 1] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['N', 1] }],
    nodes: [node('Add', ['X', 'bias'], ['y'])],
  },
})

describe('a preprocessor before a model', () => {
  test('runs as one with it, and what it does not make is asked for', async () => {
    const session = await openSession(adding, { preprocessor: doubling() })
    expect(session.columns?.map(({ name }) => name)).toEqual(['x', 'bias'])
    const { outputs } = await session.run({ x: floats([1, 2], [2, 1]), bias: floats([10, 20], [2, 1]) })
    expect(outputs['y']?.data).toEqual(Float32Array.of(12, 24))
    await session.release()
  })

  test('is left out for the model\'s own inputs', async () => {
    const session = await openSession(adding, { preprocessor: doubling() })
    expect(session.inputs.map(({ name }) => name)).toEqual(['X', 'bias'])
    const { outputs } = await session.run({ X: floats([1], [1, 1]), bias: floats([10], [1, 1]) })
    expect(outputs['y']?.data).toEqual(Float32Array.of(11))
    await session.release()
  })

  test.each([
    ['gives nothing that the model takes', doubling('Z'), /preprocessor\.onnx: it gives "Z", and the model takes "X", "bias"/],
    ['gives another type', doubling('X', 'float64'), /preprocessor\.onnx: it gives "X" as float64, and the model takes float32/],
    ['is no ONNX', Uint8Array.of(1, 2, 3), /^preprocessor\.onnx: /],
  ])('is refused when it %s', async (_, preprocessor, message) => {
    await expect(openSession(adding, { preprocessor })).rejects.toThrow(message)
  })

  test('frees both', async () => {
    const freed: string[] = []
    const part = (name: string, input: string, output: string) => ({
      inputs: [{ name: input, type: 'float32' as const, shape: [1] }],
      outputs: [{ name: output, type: 'float32' as const, shape: [1] }],
      run: async () => ({ outputs: {}, runMs: 0 }),
      release: async () => { freed.push(name) },
    })
    await chain(part('first', 'a', 'b'), part('second', 'b', 'c')).release()
    expect(freed.sort()).toEqual(['first', 'second'])
  })
})
