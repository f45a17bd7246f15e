import { afterEach, expect, test } from 'vitest'
import { RunError, type Session, type Tensors } from '../../src/engine/graph.ts'
import { openSession } from '../../src/engine/session.ts'
import { measure, takesAnyRows, zeros } from '../../src/engine/warm-up.ts'
import { node } from '../../src/onnx/build.ts'
import { centred, deep, graph, indices, linear, lookup, rows, spec } from './graphs.ts'

let session: Session | undefined
afterEach(async () => {
  await session?.release()
  session = undefined
})

test.each<[string, Uint8Array, boolean]>([
  ['a row answers for itself', linear(), true],
  ['each row meets several others', deep(32, 4), true],
  ['rows are centred on their mean', centred(), false],
  ['rows are summed up', graph([node('ReduceSum', ['x'], ['y'])]), false],
  ['rows are put in order', graph([node('TopK', ['x', 'k'], ['y', 'i'], { axis: 0n })], { k: { type: 'int64', shape: [1], data: BigInt64Array.of(1n) } }), false],
  ['all rows become columns', graph([node('Transpose', ['x'], ['y'])]), false],
])('requests may share a run or not: %s', async (_name, bytes, gathers) => {
  session = await openSession(bytes)
  const speed = await measure(session.run, zeros(session.inputs), true, 1000)
  expect(speed.gathers).toBe(gathers)
  expect(speed.oneRowMs).toBeGreaterThan(0)
  expect(speed.perRowMs).toBeGreaterThanOrEqual(0)
})

test('rows made up for the measurement stay within a table that the sample fits', async () => {
  session = await openSession(lookup())
  await expect(measure(session.run, indices(0), true, 1000)).resolves.toMatchObject({ gathers: true })
  await expect(measure(session.run, indices(9), true, 1000)).rejects.toThrow(RunError)
})

test('a heavy model runs once, alone', async () => {
  const seen: Tensors[] = []
  const slow = async (inputs: Tensors) => {
    seen.push(inputs)
    return { outputs: inputs, runMs: 400 }
  }
  const speed = await measure(slow, rows([[1, 2], [3, 4]]), true, 250)
  expect(speed).toEqual({ oneRowMs: 400, perRowMs: 400, gathers: false })
  expect(seen).toEqual([rows([[1, 2]]).inputs])
})

test('the time per row is what each further row adds', async () => {
  const linearTime = async (inputs: Tensors) => ({ outputs: inputs, runMs: 0.5 + 0.01 * ((inputs['x']?.shape[0] ?? 0) - 1) })
  const speed = await measure(linearTime, rows([[1, 2]]), true, 250)
  expect(speed.gathers).toBe(true)
  expect(speed.oneRowMs).toBeCloseTo(0.5)
  expect(speed.perRowMs).toBeCloseTo(0.01)
})

test('where the graph fixes the number of rows, the sample is run as it is', async () => {
  const inputs = [spec('x', [2, 3]), spec('z', ['n'])]
  expect(takesAnyRows(inputs)).toBe(false)
  expect(takesAnyRows([spec('x', ['n', 3]), spec('z', [-1])])).toBe(true)
  expect(takesAnyRows([spec('x', [])])).toBe(false)
  expect(takesAnyRows([])).toBe(false)
  const echo = async (tensors: Tensors) => ({ outputs: tensors, runMs: 1 })
  await expect(measure(echo, zeros(inputs), false, 250)).resolves.toEqual({ oneRowMs: 0.5, perRowMs: 0.5, gathers: false })
})

test('the sample of zeros has the least shape that the graph allows', () => {
  expect(zeros([spec('x', ['n', 3]), spec('s', [-1, 'k'], 'string'), spec('c', [], 'int64')])).toEqual({
    rows: 1,
    inputs: {
      x: { type: 'float32', shape: [1, 3], data: new Float32Array(3) },
      s: { type: 'string', shape: [1, 1], data: [''] },
      c: { type: 'int64', shape: [], data: BigInt64Array.of(0n) },
    },
  })
})
