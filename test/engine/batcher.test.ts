import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Batcher, type Run } from '../../src/engine/batcher.ts'
import { RunError, type Answer, type Tensors } from '../../src/engine/graph.ts'
import { floats } from '../../src/onnx/build.ts'
import { rows } from './graphs.ts'

/** A lane that the test moves: `next` gives the waiting batcher its turn, `finish` ends the oldest run. */
function manualLane (answer: (inputs: Tensors) => Tensors = double) {
  const turns: ((run: Run, spare: number) => Promise<void>)[] = []
  const runs: { inputs: Tensors, finish: () => void }[] = []
  const run: Run = inputs => new Promise<Answer>(resolve => {
    const end = async () => ({ outputs: answer(inputs), runMs: 1 })
    runs.push({ inputs, finish: () => resolve(end()) })
  })
  return {
    lane: (start: (run: Run, spare: number) => Promise<void>) => { turns.push(start) },
    turns,
    runs,
    next: (spare = 0) => turns.shift()?.(run, spare),
    /** Gives turns and ends runs until the batcher has nothing left to do. */
    async drain (batcher: Batcher) {
      const state = { idle: false }
      const started = [batcher.idle().then(() => { state.idle = true })]
      while (!state.idle) {
        started.push(Promise.resolve(this.next()))
        runs.shift()?.finish()
        await Promise.resolve()
      }
      await Promise.all(started)
    },
  }
}

function xs (inputs: Tensors): number[] {
  return [...inputs['x']?.data as Float32Array]
}

function double (inputs: Tensors): Tensors {
  const values = xs(inputs)
  if (values.includes(13)) throw new RunError('13 is not for me')
  return { y: floats(values.map(value => value * 2), inputs['x']?.shape) }
}

function column (...values: number[]) {
  return rows(values.map(value => [value]), 1)
}

test('batches that wait share the next run, and each gets its own rows back', async () => {
  const { lane, next, runs, turns } = manualLane()
  const batcher = new Batcher(lane, 100)
  const results = [column(1), column(2, 3), column(4)].map(batch => batcher.run(batch, batch.rows, {}))
  expect(batcher.waitingRows).toBe(4)
  expect(turns).toHaveLength(1)
  const turn = next()
  expect(batcher.waitingRows).toBe(0)
  expect(runs.map(({ inputs }) => xs(inputs))).toEqual([[1, 2, 3, 4]])
  runs[0]?.finish()
  await turn
  const answers = await Promise.all(results)
  expect(answers.map(({ outputs }) => outputs['y'])).toEqual([
    { type: 'float32', shape: [1, 1], data: Float32Array.of(2) },
    { type: 'float32', shape: [2, 1], data: Float32Array.of(4, 6) },
    { type: 'float32', shape: [1, 1], data: Float32Array.of(8) },
  ])
  for (const { queueMs, runMs } of answers) {
    expect(queueMs).toBeGreaterThanOrEqual(0)
    expect(runMs).toBe(1)
  }
})

test('while a run is under way what comes gathers for the next', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const first = batcher.run(column(1), 1, {})
  const turn = manual.next()
  const later = [2, 3].map(value => batcher.run(column(value), 1, {}))
  expect(manual.turns).toHaveLength(1)
  manual.runs.shift()?.finish()
  await Promise.all([turn, first])
  await manual.drain(batcher)
  await Promise.all(later)
  expect(batcher.waitingRows).toBe(0)
})

test.each<[string, number, number[][][], number[][]]>([
  ['nothing is gathered where rows depend on each other', 0, [[[1]], [[2]]], [[1], [2]]],
  ['a run is filled up to the limit', 3, [[[1]], [[2], [3]], [[4]]], [[1, 2, 3], [4]]],
  ['a batch above the limit runs alone', 2, [[[1], [2], [3]], [[4]]], [[1, 2, 3], [4]]],
  ['batches of different widths run apart', 9, [[[1]], [[2, 3]], [[4]]], [[1], [2, 3], [4]]],
])('%s', async (_name, limit, batches, runs) => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, limit)
  const results = batches.map(values => batcher.run(rows(values), values.length, {}))
  const seen: number[][] = []
  for (let turn = manual.next(); turn !== undefined; turn = manual.next()) {
    const run = manual.runs.shift()
    seen.push(xs(run?.inputs ?? {}))
    run?.finish()
    await turn
  }
  expect(seen).toEqual(runs)
  await Promise.all(results)
})

test('where several runs can begin, what waits is spread over them', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const results = [1, 2, 3, 4, 5].map(value => batcher.run(column(value), 1, {}))
  const turns = [manual.next(1), manual.next(0)]
  expect(manual.runs.map(({ inputs }) => xs(inputs))).toEqual([[1, 2], [3, 4, 5]])
  for (const { finish } of manual.runs) finish()
  await Promise.all([...turns, ...results])
})

test('one batch that fails does not harm its neighbours', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const results = [1, 13, 2].map(value => batcher.run(column(value), 1, {}))
  const settled = Promise.allSettled(results)
  await manual.drain(batcher)
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  await expect(results[1]).rejects.toThrow(RunError)
  expect((await results[2])?.outputs['y']?.data).toEqual(Float32Array.of(4))
})

test('when outputs do not follow the rows after all, each batch runs alone', async () => {
  const manual = manualLane(inputs => ({ y: floats([xs(inputs).reduce((sum, value) => sum + value, 0)], [1, 1]) }))
  const batcher = new Batcher(manual.lane, 100)
  const results = [column(1, 2), column(3)].map(batch => batcher.run(batch, batch.rows, {}))
  await manual.drain(batcher)
  expect((await Promise.all(results)).map(({ outputs }) => xs({ x: outputs['y'] ?? floats([]) }))).toEqual([[3], [3]])
})

test('a caller who has left before the run starts is skipped, later ones are not', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const leaving = new AbortController()
  const left = batcher.run(column(1), 1, { signal: leaving.signal })
  const stays = batcher.run(column(2), 1, { signal: new AbortController().signal })
  leaving.abort(new Error('gone'))
  const turn = manual.next()
  expect(manual.runs.map(({ inputs }) => xs(inputs))).toEqual([[2]])
  manual.runs[0]?.finish()
  await turn
  await expect(left).rejects.toThrow('gone')
  expect((await stays).outputs['y']?.data).toEqual(Float32Array.of(4))
})

test('when all have left nothing runs', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const left = batcher.run(column(1), 1, { signal: AbortSignal.abort(new Error('gone')) })
  const turn = manual.next()
  await expect(left).rejects.toThrow('gone')
  await turn
  expect(manual.runs).toEqual([])
  await batcher.idle()
})

test('who waits longer than the timeout is told at once, and the run is spared', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const patient = batcher.run(column(1), 1, { timeoutMs: 60_000 })
  const hasty = batcher.run(column(2), 1, { timeoutMs: 5 })
  await expect(hasty).rejects.toMatchObject({ code: 'INFERENCE_TIMEOUT' })
  const turn = manual.next()
  expect(manual.runs.map(({ inputs }) => xs(inputs))).toEqual([[1]])
  manual.runs[0]?.finish()
  await turn
  await patient
})

test('a run under way may time out too, and its late answer is dropped', async () => {
  const manual = manualLane()
  const batcher = new Batcher(manual.lane, 100)
  const result = batcher.run(column(1), 1, { timeoutMs: 5 })
  const turn = manual.next()
  await expect(result).rejects.toMatchObject({ code: 'INFERENCE_TIMEOUT' })
  const idle = batcher.idle().then(() => 'idle')
  expect(await Promise.race([idle, Promise.resolve('busy')])).toBe('busy')
  manual.runs[0]?.finish()
  await turn
  expect(await idle).toBe('idle')
})

test('a run that held the thread past the deadline is a timeout', async () => {
  const batcher = new Batcher(start => setImmediate(() => start(async inputs => {
    const until = performance.now() + 5
    while (performance.now() < until);
    return { outputs: double(inputs), runMs: 5 }
  }, 0)), 100)
  await expect(batcher.run(column(1), 1, { timeoutMs: 2 })).rejects.toMatchObject({ code: 'INFERENCE_TIMEOUT' })
})

interface Step { values: number[], leaves: boolean, turns: number, finishes: number }

test('whatever comes, leaves and ends in whatever order, every answer is that of its own rows', async () => {
  const step: fc.Arbitrary<Step> = fc.record({
    values: fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 4 }),
    leaves: fc.boolean(),
    turns: fc.nat(2),
    finishes: fc.nat(2),
  })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.integer({ min: 0, max: 6 }), async (steps, limit) => {
    const manual = manualLane()
    const batcher = new Batcher(manual.lane, limit)
    const results = []
    const started = []
    for (const { values, leaves, turns, finishes } of steps) {
      const leaving = new AbortController()
      results.push(batcher.run(column(...values), values.length, { signal: leaving.signal })
        .then(({ outputs }) => xs({ x: outputs['y'] ?? floats([]) }), (error: unknown) => error))
      if (leaves) leaving.abort('left')
      for (let i = 0; i < turns; i++) started.push(Promise.resolve(manual.next()))
      for (let i = 0; i < finishes; i++) manual.runs.shift()?.finish()
      await Promise.resolve()
    }
    await manual.drain(batcher)
    await Promise.all(started)
    expect(batcher.waitingRows).toBe(0)
    const answers = await Promise.all(results)
    for (const [i, { values, leaves }] of steps.entries()) {
      const answer = answers[i]
      if (leaves) expect(answer).toBe('left')
      else if (values.includes(13)) expect(answer).toBeInstanceOf(RunError)
      else expect(answer).toEqual(values.map(value => value * 2))
    }
  }))
})
