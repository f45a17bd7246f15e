import { connect } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles, flowerProbabilities, regressionFiles } from '../helpers/models.ts'
import { heavyFiles } from './heavy.ts'
import { expectProblem } from './problem.ts'

let server: TestApp
beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles(), 'heavy/1.0.0': heavyFiles('heavy', { layers: 10 }) }, { DEFAULT_MODEL: 'flower', INFERENCE_THREADS: '1', RATE_LIMIT_MAX: '100000' })
})
afterAll(async () => { await server.close() })

/** Requests of one and of many rows, of two models, some of them wrong. */
const requests = Array.from({ length: 200 }, (_, i): [path: string, body: object] => {
  const flower = { length: (i * 13) % 31, kind: i % 3 === 0 ? 'red' : 'blue', age: i }
  switch (i % 5) {
    case 0: return ['/models/line/predict', { instances: Array.from({ length: i }, (_, k) => ({ x: i + k })) }]
    case 1: return ['/predict', { instances: new Array<object>(i).fill(flower) }]
    case 2: return ['/predict', { ...flower, length: 31 + i }]
    default: return ['/predict', flower]
  }
})

function essence ({ status, body }: { status: number, body: Record<string, unknown> }): unknown {
  return [status, body['prediction'], body['probabilities'], body['predictions'], body['errors'], body['warnings']]
}

test('200 requests at once are answered as they are one by one', async () => {
  const alone: unknown[] = []
  for (const [path, body] of requests) alone.push(essence(await server.post(path, body)))
  const together = await Promise.all(requests.map(async ([path, body]) => essence(await server.post(path, body))))
  expect(together).toEqual(alone)
  expect(new Set(together.map(one => JSON.stringify(one))).size).toBeGreaterThan(100)
})

test('a bad row of one caller fails nobody else', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => server.post('/models/line/predict', { x: i % 2 === 0 ? 3e38 : i })))
  answers.forEach((answer, i) => {
    if (i % 2 === 1) expect(answer.body.prediction).toBe(2 * i + 1)
    else expectProblem(answer, 'INVALID_INPUT', { errors: [{ path: '', message: 'the model gives no finite number for this row' }] })
  })
})

test('health is answered again and again while a heavy model runs', async () => {
  const run = { over: false }
  let answered = 0
  const heavy = server.post('/models/heavy/predict', { instances: new Array<object>(2000).fill({ x: 2 }) }).finally(() => { run.over = true })
  while (!run.over) {
    expect((await server.get('/health')).status).toBe(200)
    answered++
  }
  expect((await heavy).body.predictions).toHaveLength(2000)
  // On the thread of the server, the run would let through what came before it and no more.
  expect(answered).toBeGreaterThan(10)
})

test('callers that leave harm nobody: the others are answered, and the log has no error', async () => {
  const { hostname, port } = new URL(server.url)
  const head = `POST /models/heavy/predict HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.token}\r\ncontent-type: application/json\r\n`
  const body = JSON.stringify({ instances: new Array<object>(500).fill({ x: 1 }) })
  /** Gone within the header, within the body, and while the answer is worked out. */
  const abandoned = [head, `${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`, `${head}content-length: ${body.length}\r\n\r\n${body}`]
  const leaving = Array.from({ length: 15 }, async (_, i) => {
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write(abandoned[i % 3] as string, () => { socket.destroy() })
    await once(socket, 'close')
  })
  const staying = requests.slice(0, 50).map(async ([path, body]) => (await server.post(path, body)).status)
  await Promise.all(leaving)
  expect(new Set(await Promise.all(staying))).toEqual(new Set([200, 422]))

  expect((await server.post('/models/heavy/predict', { x: 4 })).body.prediction).toBeCloseTo(4)
  expect((await server.post('/predict', { length: 5, kind: 'red' })).body.probabilities[0]).toBeCloseTo(flowerProbabilities(5, 'red')[0], 5)
  expect(server.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
})
