import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles } from '../helpers/models.ts'
import { parcelFiles } from './parcel.ts'
import { expectProblem } from './problem.ts'

let server: TestApp
beforeAll(async () => {
  server = await startApp({ 'flower/1.0.0': flowerFiles(), 'parcel/1.0.0': parcelFiles() }, { DEFAULT_MODEL: 'flower' })
})
afterAll(async () => { await server.close() })

const csv = (body: string, path = '/predict'): Promise<Answer> => server.post(path, body, { 'content-type': 'text/csv' })
const ndjson = (body: string, path = '/predict'): Promise<Answer> => server.post(path, body, { 'content-type': 'application/x-ndjson' })

const instances = [{ length: 5, kind: 'red' }, { length: 2.5, kind: 'blue', age: 3 }, { length: 1e1, kind: 'red', age: null }]
async function expected (): Promise<unknown> {
  const { body } = await server.post('/predict', { instances })
  return { ...body, latency_ms: expect.any(Number) }
}

describe('CSV', () => {
  test.each([
    ['plain', 'length,kind,age\n5,red,\n2.5,blue,3\n1e1,red,\n'],
    ['without a last line end', 'length,kind,age\n5,red,\n2.5,blue,3\n1e1,red,'],
    ['with CRLF', 'length,kind,age\r\n5,red,\r\n2.5,blue,3\r\n1e1,red,\r\n'],
    ['with a byte order mark', '\uFEFFlength,kind,age\n5,red,\n2.5,blue,3\n1e1,red,\n'],
    ['with quotes', '"length","kind","age"\n"5","red",""\n"2.5","blue","3"\n"1e1","red",""\n'],
    ['with blank lines', 'length,kind,age\n\n5,red,\n\n2.5,blue,3\n1e1,red,\n\n'],
    ['with blanks round names and numbers', ' length ,kind, age\n 5,red,\n2.5 ,blue, 3\n1e1,red, \n'],
    ['with its columns in another order', 'age,length,kind\n,5,red\n3,2.5,blue\n,1e1,red\n'],
    ['with NaN for a missing number', 'length,kind,age\n5,red,NaN\n2.5,blue,3\n1e1,red,nan\n'],
    ['with numbers in other spellings', 'length,kind,age\n+5.0,red,\n.25E1,blue,3.\n10,red,\n'],
  ])('%s answers as JSON does', async (_, body) => {
    expect((await csv(body)).body).toEqual(await expected())
  })

  test('may leave out a feature that is not required', async () => {
    const { body } = await server.post('/predict', { instances: [{ length: 5, kind: 'red' }] })
    expect((await csv('length,kind\n5,red\n')).body.predictions).toEqual(body.predictions)
  })

  test('reads every kind of feature, and quotes within', async () => {
    const answer = await csv('weight,pieces,size,grade,fragile,city,value,a/b~c\n2.5,3,large,2,TRUE,"Bern",100,1\n', '/models/parcel/predict')
    expect(answer.body.predictions).toEqual([{ prediction: 120.5 }])
  })

  test.each([
    ['a missing column', 'length,age\n5,1\n', [{ path: '/header', message: '"kind" is required and not in the header' }]],
    ['an extra column', 'length,kind,colour\n5,red,x\n', [{ path: '/header/2', message: '"colour" is not a feature; the features are length, kind, age' }]],
    ['a column called __proto__', 'length,kind,__proto__\n5,red,x\n', [{ path: '/header/2', message: '"__proto__" is not a feature; the features are length, kind, age' }]],
    ['a column twice', 'length,kind,length\n5,red,6\n', [{ path: '/header/2', message: '"length" stands twice in the header' }]],
    ['another separator', 'length;kind\n5;red\n', [
      { path: '/header/0', message: '"length;kind" is not a feature; the features are length, kind, age' },
      { path: '/header', message: '"length" is required and not in the header' },
      { path: '/header', message: '"kind" is required and not in the header' }]],
    ['a row in place of the header', '5,red\n6,blue\n', [
      { path: '/header/0', message: '"5" is not a feature; the features are length, kind, age' },
      { path: '/header/1', message: '"red" is not a feature; the features are length, kind, age' },
      { path: '/header', message: '"length" is required and not in the header' },
      { path: '/header', message: '"kind" is required and not in the header' }]],
  ])('with %s is refused', async (_, body, errors) => {
    expectProblem(await csv(body), 'INVALID_INPUT', { detail: 'The header of the CSV does not fit the features of the model.', errors })
  })

  test('with a repeated name a hundred thousand times is refused at once', async () => {
    const names = [...Array.from({ length: 100_000 }, (_, i) => `c${i}`), ...new Array<string>(100_000).fill('length')]
    const answer = await csv(`${names.join()}\n`)
    expectProblem(answer, 'INVALID_INPUT', { errors: expect.any(Array) })
    expect(answer.body.errors).toHaveLength(100)
  })

  test.each([
    ['a short row', 'length,kind,age\n5,red,1\n6,red\n', '/instances/1', 'has 2 cells, the header has 3 (line 3)'],
    ['a long row', 'length,kind,age\n5,red,1,9\n', '/instances/0', 'has 4 cells, the header has 3 (line 2)'],
    ['an empty required number', 'length,kind\n,red\n', '/instances/0/length', 'is required and may not be null (line 2)'],
    ['an empty required text', 'length,kind\r\n5,red\r\n\r\n5,\r\n', '/instances/1/kind', 'is required and may not be null (line 4)'],
    ['NaN in a required number', 'length,kind\nNaN,red\n', '/instances/0/length', 'is required and may not be null (line 2)'],
    ['text in a number', 'length,kind\n5,red\nlong,red\n', '/instances/1/length', 'must be a number, not a string (line 3)'],
    ['a number with a comma', 'length,kind\n"5,1",red\n', '/instances/0/length', 'must be a number, not a string (line 2)'],
    ['a hexadecimal number', 'length,kind\n0x10,red\n', '/instances/0/length', 'must be a number, not a string (line 2)'],
    ['Infinity', 'length,kind\nInfinity,red\n', '/instances/0/length', 'must be a number, not a string (line 2)'],
    ['1e999', 'length,kind\n1e999,red\n', '/instances/0/length', 'must be a finite number (line 2)'],
    ['a number out of limits', 'length,kind\n31,red\n', '/instances/0/length', 'must be at most 30 (line 2)'],
    ['a text that is not in the enum', 'length,kind\n5, red\n', '/instances/0/kind', 'must be one of red, blue (line 2)'],
  ])('with %s is refused, naming the line', async (_, body, path, message) => {
    expectProblem(await csv(body), 'INVALID_INPUT', { errors: [{ path, message }] })
  })

  test.each(['yes', '1', 'constructor', '__proto__'])('does not take %s for true', async word => {
    const answer = await csv(`weight,pieces,size,grade,fragile,city,value\n2.5,3,large,2,${word},Bern,100\n`, '/models/parcel/predict')
    expectProblem(answer, 'INVALID_INPUT', { errors: [{ path: '/instances/0/fragile', message: 'must be true or false, not a string (line 2)' }] })
  })

  test('names the line of a category that only the encoding knows', async () => {
    const answer = await csv('weight,pieces,size,grade,fragile,city,value\n2.5,3,large,2,true,Bern,100\n2.5,3,large,2,true,Wien,100\n', '/models/parcel/predict')
    expectProblem(answer, 'INVALID_INPUT', { errors: [{ path: '/instances/1/city', message: 'must be one of Bern, Graz (line 3)' }] })
  })

  test('that is empty, or has an open quote, is malformed', async () => {
    expectProblem(await csv(''), 'BAD_REQUEST', { detail: expect.stringContaining('The CSV is empty') })
    expectProblem(await csv('length,kind\n"5,red\n'), 'BAD_REQUEST', { detail: expect.stringContaining('The body is not valid CSV') })
  })

  test('without rows is refused', async () => {
    expectProblem(await csv('length,kind\n'), 'INVALID_INPUT', { errors: [{ path: '', message: 'must have at least one row' }] })
  })

  test('with one row is answered as a list', async () => {
    expect((await csv('length,kind\n5,red\n')).body.predictions).toHaveLength(1)
  })
})

describe('NDJSON', () => {
  test('answers as JSON does, in all three forms, with blank lines and CRLF', async () => {
    const lines = [JSON.stringify(instances[0]), '', '{"features": [2.5, "blue", 3]}', '  ', JSON.stringify({ features: instances[2] })]
    expect((await ndjson(lines.join('\n'))).body).toEqual(await expected())
    expect((await ndjson(`${lines.join('\r\n')}\r\n`)).body).toEqual(await expected())
    expect((await ndjson(`\uFEFF${lines.join('\n')}`)).body).toEqual(await expected())
  })

  test('with a line that is not JSON is refused, naming it and every other fault', async () => {
    const answer = await ndjson('{"length": 5, "kind": "red"}\n\n{"length": 5,\n{"length": 31, "kind": "red"}\n7\n')
    expectProblem(answer, 'NOT_JSON', {
      errors: [
        { path: '/instances/1', message: 'is not valid JSON (line 3)' },
        { path: '/instances/2/length', message: 'must be at most 30 (line 4)' },
        { path: '/instances/3', message: 'must be an object: {"name": value, …} or {"features": …} (line 5)' },
      ],
    })
  })

  test('that is one JSON document over several lines is refused', async () => {
    expectProblem(await ndjson(JSON.stringify({ length: 5, kind: 'red' }, null, 2)), 'NOT_JSON', { errors: expect.any(Array) })
  })

  test.each(['', '\n', ' \r\n\r\n'])('without rows (%j) is refused', async body => {
    expectProblem(await ndjson(body), 'INVALID_INPUT', { errors: [{ path: '', message: 'must have at least one row' }] })
  })
})

describe('far too many rows are refused before they are read', () => {
  test('in CSV, so that what is wrong with the rest does not show', async () => {
    expectProblem(await csv(`length,kind\n${'5,red\n'.repeat(10_001)}"6,red\n`), 'TOO_MANY_ROWS')
  })

  test('in NDJSON, so that millions of lines do not hold up everybody', async () => {
    const before = performance.eventLoopUtilization()
    expectProblem(await ndjson('{\n'.repeat(3_000_000)), 'TOO_MANY_ROWS')
    // Client and server share this thread; to parse each of the lines takes it half a minute.
    expect(performance.eventLoopUtilization(before).active).toBeLessThan(5000)
  })
})
