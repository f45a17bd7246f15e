import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles, regressionFiles } from '../helpers/models.ts'
import { expectProblem } from './problem.ts'

let server: TestApp
beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() }, { DEFAULT_MODEL: 'flower' })
})
afterAll(async () => { await server.close() })

const good = { prediction: expect.any(Number), class_name: expect.any(String), probabilities: [expect.any(Number), expect.any(Number)] }

describe('with ?partial=true', () => {
  test.each([
    ['JSON', 'application/json', JSON.stringify({ instances: [{ length: 5, kind: 'red' }, { length: 31, kind: 'green' }, { features: [2, 'blue', null] }, 7] }), ['', '', '']],
    ['CSV', 'text/csv', 'length,kind,age\n5,red,\n31,green,\n2,blue,\n7\n', [' (line 3)', ' (line 3)', ' (line 5)']],
    ['NDJSON', 'application/x-ndjson', '{"length": 5, "kind": "red"}\n{"length": 31, "kind": "green"}\n{"features": [2, "blue", null]}\n7\n', [' (line 2)', ' (line 2)', ' (line 4)']],
  ])('%s: good rows are predicted in place, a bad row\'s place has its errors', async (_, type, body, [first, second, third]) => {
    const answer = await server.post('/predict?partial=true', body, { 'content-type': type })
    expect(answer.status).toBe(200)
    expect(answer.body.predictions).toEqual([
      good,
      { errors: [{ path: '/instances/1/length', message: `must be at most 30${first}` }, { path: '/instances/1/kind', message: `must be one of red, blue${second}` }] },
      good,
      { errors: [{ path: '/instances/3', message: expect.stringMatching(third === '' ? /^must be an object/ : / \(line \d\)$/) }] },
    ])
    expect(answer.body.predictions[3].errors[0].message.endsWith(third)).toBe(true)

    const { body: alone } = await server.post('/predict', { instances: [{ length: 5, kind: 'red' }, { length: 2, kind: 'blue' }] })
    expect([answer.body.predictions[0], answer.body.predictions[2]]).toEqual(alone.predictions)
  })

  test('a line that is not JSON is a bad row like others', async () => {
    const answer = await server.post('/predict?partial=true', '{"length": 5, "kind": "red"}\nrubbish\n', { 'content-type': 'application/x-ndjson' })
    expect(answer).toMatchObject({ status: 200, body: { predictions: [good, { errors: [{ path: '/instances/1', message: 'is not valid JSON (line 2)' }] }] } })
  })

  test('all rows may be bad', async () => {
    const answer = await server.post('/predict?partial=true', { instances: [{}, null] })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      predictions: [
        { errors: [{ path: '/instances/0/length', message: 'is required' }, { path: '/instances/0/kind', message: 'is required' }] },
        { errors: [{ path: '/instances/1', message: expect.any(String) }] },
      ],
      model: { name: 'flower', version: '1.0.0' },
      latency_ms: expect.any(Number),
    })
    expect(answer.headers.get('server-timing')).toMatch(/^validate;dur=[\d.]+, queue;dur=0, run;dur=0$/)
  })

  test('one bad row alone is answered in its place too', async () => {
    expect(await server.post('/predict?partial=true', { length: 5 })).toMatchObject({ status: 200, body: { errors: [{ path: '/kind', message: 'is required' }] } })
  })

  test('a row for which the model gives no finite number is a bad row', async () => {
    const answer = await server.post('/models/line/predict?partial=true', { instances: [{ x: 3e38 }, { x: 1 }] })
    expect(answer.body.predictions).toEqual([{ errors: [{ path: '/instances/0', message: 'the model gives no finite number for this row' }] }, { prediction: 3 }])
  })

  test('warnings are those of good rows', async () => {
    const answer = await server.post('/predict?partial=true', { instances: [{ length: 20, kind: 'green' }, { length: 21, kind: 'red' }] })
    expect(answer.body.warnings).toEqual([{ path: '/instances/1/length', message: '21 is outside the range of the training data, 1 to 10' }])
  })

  test('what is not a list of rows at all is refused as ever', async () => {
    expectProblem(await server.post('/predict?partial=true', '[1]'), 'BAD_ENVELOPE')
    expectProblem(await server.post('/predict?partial=true', { instances: [] }), 'INVALID_INPUT', { errors: expect.any(Array) })
    expectProblem(await server.post('/predict?partial=true', 'length,colour\n5,red\n', { 'content-type': 'text/csv' }), 'INVALID_INPUT', { errors: expect.any(Array) })
  })
})

test.each(['', '?partial=false'])('without it (%s) one bad row fails them all', async query => {
  expectProblem(await server.post(`/predict${query}`, { instances: [{ length: 5, kind: 'red' }, {}] }), 'INVALID_INPUT', { errors: expect.any(Array) })
})
