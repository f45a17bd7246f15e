import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { Pool } from '../../src/engine/pool.ts'
import { RunError, type Answer } from '../../src/engine/graph.ts'
import { startWorker } from '../../src/engine/thread.ts'
import { indices, linear, lookup, rows } from './graphs.ts'

/** Speaks as worker.ts does, answers each run with its inputs and its own number, and dies of an index of -1. */
const mortal = `
  const { parentPort, threadId } = require('node:worker_threads')
  const thread = { type: 'int32', shape: [1], data: Int32Array.of(threadId) }
  parentPort.on('message', ({ id, kind, inputs }) => {
    if (kind === 'open') return parentPort.postMessage({ id, kind: 'opened', inputs: [], outputs: [] })
    if (inputs.x.data[0] === -1n) throw new Error('struck down')
    parentPort.postMessage({ id, kind: 'ran', answer: { outputs: { ...inputs, thread }, runMs: 1 } })
  })`

let pool: Pool
let workers: Worker[]
let logged: { data: object, message: string }[]

function startPool (size: number, start: () => Worker = startWorker): Pool {
  workers = []
  logged = []
  pool = new Pool(size, { error: (data, message) => logged.push({ data, message }) }, () => {
    const worker = start()
    workers.push(worker)
    return worker
  })
  return pool
}

afterEach(() => pool.close())

test('a model runs on a thread as it does here, and what the runtime refuses is a RunError there too', async () => {
  const session = startPool(1).session(lookup())
  await expect(session.open()).resolves.toEqual({
    inputs: [{ name: 'x', type: 'int64', shape: ['n'] }], outputs: [{ name: 'y', type: 'float32', shape: ['n', 2] }],
  })
  await expect(session.run(indices(7).inputs)).rejects.toThrow(RunError)
  const { outputs, runMs } = await session.run(indices(2, 0).inputs)
  expect(outputs).toEqual({ y: { type: 'float32', shape: [2, 2], data: Float32Array.of(20, 21, 0, 1) } })
  expect(runMs).toBeGreaterThan(0)
})

test('no thread starts before there is work, and none beyond the size', async () => {
  const session = startPool(2).session(lookup())
  expect(workers).toHaveLength(0)
  await session.run(indices(0).inputs)
  await session.run(indices(1).inputs)
  expect(workers).toHaveLength(1)
  await Promise.all(Array.from({ length: 6 }, () => session.run(indices(1).inputs)))
  expect(workers).toHaveLength(2)
})

test('a model stays on the threads that have it open', async () => {
  const sessions = [startPool(2, () => new Worker(mortal, { eval: true })).session(lookup()), pool.session(linear())]
  const threads = (answers: Answer[]) => answers.map(({ outputs }) => outputs['thread']?.data[0])
  const first = threads(await Promise.all(sessions.map(({ run }) => run(indices(0).inputs))))
  for (let i = 0; i < 3; i++) {
    const again = []
    for (const { run } of [...sessions].reverse()) again.unshift(await run(indices(0).inputs))
    expect(threads(again)).toEqual(first)
  }
})

test('a lane says how many more runs could begin', async () => {
  const { lane } = startPool(3, () => new Worker(mortal, { eval: true })).session(lookup())
  const told: number[] = []
  await Promise.all(Array.from({ length: 4 }, () => new Promise<void>(resolve => lane(async (run, spare) => {
    told.push(spare)
    await run(indices(0).inputs)
    resolve()
  }))))
  expect(told).toEqual([2, 1, 0, 0])
})

test('only the part of a buffer that a tensor shows goes to a thread', async () => {
  const session = startPool(1, () => new Worker(mortal, { eval: true })).session(linear())
  const wide = Float32Array.from({ length: 4000 }, (_, i) => i)
  const { outputs } = await session.run({ x: { type: 'float32', shape: [1, 4], data: wide.subarray(8, 12) } })
  const echo = outputs['x']?.data as Float32Array
  expect(echo).toEqual(Float32Array.of(8, 9, 10, 11))
  expect(echo.buffer.byteLength).toBe(16)
})

test('a file that cannot be loaded is refused with its reason, and the thread lives on', async () => {
  const broken = startPool(1).session(new TextEncoder().encode('not a model'))
  await expect(broken.open()).rejects.toThrow('protobuf parsing failed')
  await expect(pool.session(linear()).open()).resolves.toMatchObject({ inputs: [{ name: 'x' }] })
  expect(workers).toHaveLength(1)
  expect(logged).toEqual([])
})

test('a thread that dies fails its own work only, is logged once, and is replaced', async () => {
  const session = startPool(2, () => new Worker(mortal, { eval: true })).session(lookup())
  const results = await Promise.allSettled([indices(1), indices(-1), indices(2), indices(3)].map(({ inputs }) => session.run(inputs)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(results[1]).toMatchObject({ reason: { code: 'INTERNAL' } })
  expect(logged).toHaveLength(1)
  expect(logged[0]).toMatchObject({ data: { err: { message: 'struck down' } } })
  expect(JSON.stringify(results[1])).not.toContain('struck down')
  await Promise.all([indices(4), indices(5)].map(({ inputs }) => session.run(inputs)))
  expect(workers).toHaveLength(3)
})

test('an idle thread that is gone is replaced when work comes, and opens the model anew', async () => {
  const session = startPool(1).session(lookup())
  await session.run(indices(0).inputs)
  await workers[0]?.terminate()
  const { outputs } = await session.run(indices(1).inputs)
  expect(outputs['y']?.data).toEqual(Float32Array.of(10, 11))
  expect(workers).toHaveLength(2)
})

test('threads that die as they start fail the work at hand without being started again and again', async () => {
  const session = startPool(2, () => new Worker('throw new Error("no memory")', { eval: true })).session(lookup())
  await expect(session.run(indices(0).inputs)).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(workers).toHaveLength(1)
  expect(logged).toHaveLength(1)
})

test('a released model is gone from its threads, and others stay', async () => {
  const first = startPool(1).session(linear())
  const second = pool.session(lookup())
  await first.run(rows([[1, 2, 3, 4]]).inputs)
  await second.run(indices(1).inputs)
  await first.release()
  const { outputs } = await second.run(indices(2).inputs)
  expect(outputs['y']?.data).toEqual(Float32Array.of(20, 21))
})

test('closing ends the threads', async () => {
  const session = startPool(2).session(lookup())
  await Promise.all([session.run(indices(0).inputs), session.run(indices(1).inputs)])
  const ended = Promise.all(workers.map(worker => once(worker, 'exit')))
  await pool.close()
  expect(await ended).toHaveLength(2)
  expect(logged).toEqual([])
})
