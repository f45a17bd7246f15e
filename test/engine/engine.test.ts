import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { createEngineHost, RunError, type Batch, type Engine, type EngineHost, type EngineHostOptions } from '../../src/engine/engine.ts'
import { openSession } from '../../src/engine/session.ts'
import { floats, model, node } from '../../src/onnx/build.ts'
import { centred, deep, graph, indices, linear, lookup, rows, spec, waves } from './graphs.ts'

let host: EngineHost

function startHost (options: Partial<EngineHostOptions> = {}): EngineHost {
  host = createEngineHost({ threads: 1, log: { error: (data, message) => { throw new Error(message, { cause: data }) } }, ...options })
  return host
}

afterEach(() => host.close())

/** Above 2 ms a row on any machine of today. */
const heavy = () => deep(512, 800)

function wave (count: number, width = 4): Batch {
  return rows(Array.from({ length: count }, (_, i) => waves(width).map(value => value + i)), width)
}

test('a small model runs on this thread, and says what was measured', async () => {
  const engine = await startHost().open(linear())
  expect(engine.inputs).toEqual([spec('x', ['n', 4])])
  expect(engine.outputs).toEqual([spec('y', ['n', 3])])
  expect(engine.placement).toMatchObject({ mode: 'inline', gathers: true })
  expect(engine.placement.inlineRows).toBeGreaterThan(10)
  expect(engine.placement.oneRowMs).toBeLessThan(2)
  const { outputs, queueMs, runMs } = await engine.run(rows([[1, 0, 0, 0], [0, 1, 0, 0]]))
  expect(outputs['y']).toEqual({ ...floats(waves(6), [2, 3]) })
  expect(queueMs).toBeGreaterThan(0)
  expect(runMs).toBeGreaterThan(0)
})

/** Runs the batches in one turn; in how many runs, tells the memory that the answers lie in. */
async function countRuns (engine: Engine, batches: readonly Batch[]): Promise<number> {
  const answers = await Promise.all(batches.map(batch => engine.run(batch)))
  return new Set(answers.map(({ outputs }) => (outputs['y']?.data as Float32Array).buffer)).size
}

test('requests of one turn of the event loop share one run', async () => {
  const engine = await startHost().open(linear())
  expect(await countRuns(engine, [wave(1), wave(2), wave(3)])).toBe(1)
})

test('rows that depend on each other never share a run', async () => {
  const engine = await startHost().open(centred())
  expect(engine.placement.gathers).toBe(false)
  const answers = await Promise.all([rows([[1, 1, 1, 1]]), rows([[5, 5, 5, 5], [7, 7, 7, 7]])].map(batch => engine.run(batch)))
  expect(answers.map(({ outputs }) => outputs['y']?.data)).toEqual([
    Float32Array.of(0, 0, 0, 0), Float32Array.of(-1, -1, -1, -1, 1, 1, 1, 1),
  ])
})

test('text comes back to whom it belongs', async () => {
  const engine = await startHost().open(model({
    graph: { inputs: [spec('x', ['n'], 'string')], outputs: [spec('y', ['n'], 'string')], nodes: [node('Identity', ['x'], ['y'])] },
  }))
  const answers = await Promise.all([['a'], ['b', 'c'], []].map(data =>
    engine.run({ rows: data.length, inputs: { x: { type: 'string', shape: [data.length], data } } })))
  expect(answers.map(({ outputs }) => outputs['y']?.data)).toEqual([['a'], ['b', 'c'], []])
})

test('values that the runtime refuses fail their own request, not those beside it', async () => {
  const engine = await startHost().open(lookup())
  const results = await Promise.allSettled([indices(0), indices(9), indices(1, 2)].map(batch => engine.run(batch)))
  expect(results).toMatchObject([
    { value: { outputs: { y: { data: Float32Array.of(0, 1) } } } },
    { reason: expect.any(RunError) as RunError },
    { value: { outputs: { y: { data: Float32Array.of(10, 11, 20, 21) } } } },
  ])
})

test('a batch of another width fails alone as well', async () => {
  const engine = await startHost().open(linear())
  const [good, bad] = await Promise.allSettled([engine.run(wave(1)), engine.run(rows([[1, 2]]))])
  expect(good.status).toBe('fulfilled')
  expect(bad).toMatchObject({ reason: expect.any(RunError) as RunError })
})

test('however requests come together, here and in the pool, each answer is bit by bit that of the request alone', async () => {
  const bytes = deep(16, 3)
  const session = await openSession(bytes)
  const engine = await startHost({ maxBatchRows: 8, threads: 2 }).open(bytes)
  expect(engine.placement).toMatchObject({ mode: 'inline', inlineRows: 8 })
  const request = fc.record({
    values: fc.array(fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 12 }),
    wait: fc.constantFrom('none', 'microtask', 'turn'),
  })
  await fc.assert(fc.asyncProperty(fc.array(request, { maxLength: 12 }), async requests => {
    const together = []
    for (const { values, wait } of requests) {
      together.push(engine.run(rows(values)))
      if (wait === 'microtask') await Promise.resolve()
      if (wait === 'turn') await new Promise(resolve => setImmediate(resolve))
    }
    const answers = await Promise.all(together)
    for (const [i, { values }] of requests.entries()) {
      expect(answers[i]?.outputs).toEqual((await session.run(rows(values).inputs)).outputs)
    }
  }), { numRuns: 60 })
  await session.release()
})

test.each(['iris', 'mpg', 'penguins'])('rows of %s answer the same in any company', async name => {
  const bytes = await readFile(new URL(`../../models/${name}/1.0.0/model.onnx`, import.meta.url))
  const engine = await startHost().open(bytes)
  expect(engine.placement).toMatchObject({ mode: 'inline', gathers: true })
  const width = engine.inputs[0]?.shape[1] as number
  const batch = ({ values, count }: { values: number[], count: number }): Batch => {
    const data = Float32Array.from({ length: count * width }, (_, i) => values[i % values.length] as number)
    return { rows: count, inputs: { X: { type: 'float32', shape: [count, width], data } } }
  }
  const request = fc.record({
    values: fc.array(fc.oneof(fc.float({ noDefaultInfinity: true }), fc.integer({ min: 0, max: 10 })), { minLength: width, maxLength: 3 * width }),
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
  })
  await fc.assert(fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), async requests => {
    const together = await Promise.all(requests.map(each => engine.run(batch(each))))
    for (const [i, each] of requests.entries()) {
      expect((await engine.run(batch(each))).outputs).toEqual(together[i]?.outputs)
    }
  }), { numRuns: 40 })
})

test('a heavy model runs in the pool, and a light one answers meanwhile', async () => {
  startHost()
  const [slow, quick] = [await host.open(heavy()), await host.open(linear())]
  expect(slow.placement).toMatchObject({ mode: 'pool', inlineRows: 0, gathers: true })
  const order: string[] = []
  await Promise.all([
    slow.run(wave(64, 512)).then(() => order.push('slow')),
    quick.run(wave(1)).then(() => order.push('quick')),
  ])
  expect(order).toEqual(['quick', 'slow'])
})

test('a shared run of a heavy model lasts at most 100 ms longer than one row', async () => {
  const engine = await startHost().open(heavy())
  // On a busy machine a further row may have measured as free; then only the rows of a run limit it.
  const fitting = Math.min(4096, 1 + Math.floor(100 / (engine.placement.perRowMs ?? 0)))
  const overHalf = Math.floor(fitting / 2) + 1
  expect(await countRuns(engine, [wave(1, 512), wave(1, 512)])).toBe(1)
  expect(await countRuns(engine, [wave(overHalf, 512), wave(overHalf, 512)])).toBe(2)
})

test('a large file is loaded in the pool, however quick its runs', async () => {
  const width = 1500
  const engine = await startHost().open(graph([node('MatMul', ['x', 'W'], ['y'])], { W: floats(waves(width * width), [width, width]) }, width))
  expect(engine.placement.mode).toBe('pool')
  expect((await engine.run(wave(2, width))).outputs['y']?.shape).toEqual([2, width])
})

test('a model that no row is known for runs in the pool, one request at a time', async () => {
  const inputs = [spec('x', ['n', 'k'])]
  const bytes = model({
    graph: { inputs, outputs: [spec('y', ['n', 3])], nodes: [node('MatMul', ['x', 'W'], ['y'])], initializers: { W: floats(waves(12), [4, 3]) } },
  })
  const unknown = await startHost().open(bytes)
  expect(unknown.placement).toEqual({ mode: 'pool', inlineRows: 0, gathers: false, oneRowMs: null, perRowMs: null })
  const known = await host.open(bytes, { warmUp: () => wave(1) })
  expect(known.placement.mode).toBe('inline')
  const [a, b] = await Promise.all([unknown, known].map(engine => engine.run(wave(3))))
  expect(a?.outputs).toEqual(b?.outputs)
})

test('where the graph leaves the width open, a wider batch counts as more rows', async () => {
  const bytes = model({
    graph: { inputs: [spec('x', ['n', 'k'])], outputs: [spec('y', ['n', 'k'])], nodes: [node('Relu', ['x'], ['y'])] },
  })
  const engine = await startHost({ maxBatchRows: 8 }).open(bytes, { warmUp: () => wave(1, 2) })
  expect(await countRuns(engine, [wave(3, 2), wave(3, 2)])).toBe(1)
  expect(await countRuns(engine, [wave(3, 4), wave(3, 4)])).toBe(2)
})

test.each<[string, Uint8Array, Batch | undefined, string]>([
  ['a file that is no model', new TextEncoder().encode('no'), undefined, 'protobuf parsing failed'],
  ['warm-up rows that do not run', lookup(), indices(9), 'the warm-up rows do not run'],
  ['a large file that is no model', new Uint8Array(9 * 2 ** 20).fill(255), undefined, 'protobuf parsing failed'],
])('refuses to open %s', async (_name, bytes, warmUp, reason) => {
  await expect(startHost().open(bytes, { warmUp: () => warmUp })).rejects.toThrow(reason)
})

test('more rows than may wait are refused with the time to come back', async () => {
  const engine = await startHost({ maxQueuedRows: 10 }).open(linear())
  const waiting = [engine.run(wave(6)), engine.run(wave(4))]
  expect(engine.queuedRows()).toBe(10)
  await expect(engine.run(wave(1))).rejects.toMatchObject({ code: 'QUEUE_FULL', headers: { 'retry-after': '1' } })
  await Promise.all(waiting)
  expect(engine.queuedRows()).toBe(0)
  await expect(engine.run(wave(11))).resolves.toBeDefined()
})

test.each([['here', 100], ['in the pool', 4]])('the rows of callers who left make room for others %s', async (_where, maxBatchRows) => {
  const engine = await startHost({ maxQueuedRows: 10, maxBatchRows }).open(linear())
  const leaving = new AbortController()
  const left = engine.run(wave(10), { signal: leaving.signal })
  leaving.abort(new Error('gone'))
  const stays = engine.run(wave(10))
  await expect(left).rejects.toThrow('gone')
  await expect(stays).resolves.toBeDefined()
  await expect(engine.run(wave(1), { signal: leaving.signal })).rejects.toThrow('gone')
})

test('a run that takes too long is a timeout, and closing waits until it is really over', async () => {
  const engine = await startHost().open(heavy())
  await expect(engine.run(wave(200, 512), { timeoutMs: 1 })).rejects.toMatchObject({ code: 'INFERENCE_TIMEOUT' })
  await host.close()
})

test('a closed engine answers what it was asked before, and nothing after', async () => {
  const engine = await startHost().open(linear())
  const before = engine.run(wave(1))
  const closing = engine.close()
  await expect(engine.run(wave(1))).rejects.toMatchObject({ code: 'MODEL_NOT_READY' })
  await expect(before).resolves.toBeDefined()
  await Promise.all([closing, engine.close()])
})

test('opening and closing fifty times leaves the pool as it was', async () => {
  startHost({ maxBatchRows: 4 })
  let last: Engine | undefined
  for (let i = 0; i < 50; i++) {
    last = await host.open(linear())
    await last.run(wave(5))
    if (i < 49) await last.close()
  }
  expect((await last?.run(wave(5)))?.outputs['y']?.shape).toEqual([5, 3])
})
