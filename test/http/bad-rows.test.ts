import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { regressionFiles, withManifest } from '../helpers/models.ts'
import { goodParcel, goodPrice, objectText, parcelFiles, rowForms } from './parcel.ts'
import { expectProblem } from './problem.ts'

let server: TestApp
beforeAll(async () => {
  const wide = withManifest(
    { 'model.onnx': regressionFiles()['model.onnx'] as Uint8Array, 'preprocessor.json': { schemaVersion: 1, output: { name: 'X', type: 'float32' }, columns: [{ feature: 'f0', steps: [] }] } },
    { name: 'wide', task: 'regression', labels: undefined, outputs: { value: 'value' }, features: Array.from({ length: 30 }, (_, i) => ({ name: `f${i}`, type: 'number' })) })
  server = await startApp({ 'parcel/1.0.0': parcelFiles(), 'line/1.0.0': regressionFiles(), 'wide/1.0.0': wide }, { DEFAULT_MODEL: 'parcel' })
})
afterAll(async () => { await server.close() })

const badValues: [feature: string, value: string, message: string][] = [
  ['weight', '"2.5"', 'must be a number, not a string'],
  ['weight', '""', 'must be a number, not a string'],
  ['weight', 'true', 'must be a number, not a boolean'],
  ['weight', 'null', 'is required and may not be null'],
  ['weight', '[2.5]', 'must be a number, not a list'],
  ['weight', '[]', 'must be a number, not a list'],
  ['weight', '{}', 'must be a number, not an object'],
  ['weight', '{"valueOf": 2.5}', 'must be a number, not an object'],
  ['weight', '1e999', 'must be a finite number'],
  ['weight', '-1e999', 'must be a finite number'],
  ['weight', '30.000001', 'must be at most 30'],
  ['weight', '-0.000001', 'must be at least 0'],
  ['pieces', '1.5', 'must be a whole number, not 1.5'],
  ['pieces', '6', 'must be at most 5'],
  ['pieces', '-6', 'must be at least -5'],
  ['pieces', '"3"', 'must be a number, not a string'],
  ['size', '"medium"', 'must be one of small, large'],
  ['size', '"Small"', 'must be one of small, large'],
  ['size', '""', 'must be one of small, large'],
  ['size', '1', 'must be a string, not a number'],
  ['size', 'true', 'must be a string, not a boolean'],
  ['size', 'null', 'is required and may not be null'],
  ['size', '["small"]', 'must be a string, not a list'],
  ['size', '"__proto__"', 'must be one of small, large'],
  ['grade', '2.5', 'must be one of 1, 2, 3'],
  ['grade', '"2"', 'must be a number, not a string'],
  ['fragile', '1', 'must be true or false, not a number'],
  ['fragile', '"true"', 'must be true or false, not a string'],
  ['fragile', 'null', 'is required and may not be null'],
  ['value', '1e39', 'is too large for the model\'s input type'],
  ['value', '-1e39', 'is too large for the model\'s input type'],
  ['value', '1e999', 'must be a finite number'],
  ['a/b~c', '"1"', 'must be a number, not a string'],
  ['a/b~c', 'false', 'must be a number, not a boolean'],
  // Known only when the row is encoded.
  ['city', '"Wien"', 'must be one of Bern, Graz'],
  ['city', '"constructor"', 'must be one of Bern, Graz'],
]

describe.each(rowForms)('a row as $form', ({ write, path, says }) => {
  test('is predicted when it is good, whatever the order of its keys', async () => {
    const reversed = Object.fromEntries(Object.entries(goodParcel).reverse())
    const rows = [write(goodParcel), ...(path('weight') === '/features/0' ? [] : [write(reversed)])]
    for (const row of rows) expect(await server.post('/predict', row)).toMatchObject({ status: 200, body: { prediction: goodPrice } })
  })

  test.each(badValues)('%s: %s is refused', async (name, value, message) => {
    const bad = write({ ...goodParcel, [name]: value })
    expectProblem(await server.post('/predict', bad), 'INVALID_INPUT', {
      detail: 'One value does not fit the model.', errors: [{ path: path(name), message: says(name, message) }],
    })
    const several = `{"instances": [${write(goodParcel)}, ${bad}, ${write(goodParcel)}]}`
    expectProblem(await server.post('/predict', several), 'INVALID_INPUT', {
      detail: 'One value does not fit the model in 1 of 3 rows.', errors: [{ path: `/instances/1${path(name)}`, message: says(name, message) }],
    })
  })

  test('is refused with every fault, not the first', async () => {
    const bad = write({ weight: '31', pieces: '1.5', size: '7', grade: '"2"', fragile: '0', city: 'null', value: '1e999', 'a/b~c': '[]' })
    const answer = await server.post('/predict', `{"instances": [${bad}, ${write(goodParcel)}, ${bad}]}`)
    const places = Object.keys(goodParcel).map(path)
    expectProblem(answer, 'INVALID_INPUT', { detail: '16 values do not fit the model in 2 of 3 rows.', errors: expect.any(Array) })
    expect(answer.body.errors.map((error: { path: string }) => error.path))
      .toEqual([...places.map(place => `/instances/0${place}`), ...places.map(place => `/instances/2${place}`)])
  })

  test('lists what shows in reading and what shows in encoding, in the order of the rows', async () => {
    const unknownCity = write({ ...goodParcel, city: '"Wien"' })
    const tooHeavy = write({ ...goodParcel, weight: '31' })
    const answer = await server.post('/predict', `{"instances": [${unknownCity}, ${tooHeavy}, ${unknownCity}]}`)
    expect(answer.body.errors.map((error: { path: string }) => error.path))
      .toEqual([`/instances/0${path('city')}`, `/instances/1${path('weight')}`, `/instances/2${path('city')}`])
  })
})

const required = ['weight', 'pieces', 'size', 'grade', 'fragile', 'city', 'value']
const names = 'weight, pieces, size, grade, fragile, city, value, a/b~c'
const { city: _city, ...withoutCity } = goodParcel
const listed = Object.values(goodParcel)
const fields = objectText(goodParcel).slice(1, -1)

const badShapes: [what: string, row: string, errors: { path: string, message: string }[]][] = [
  ['empty', '{}', required.map(name => ({ path: `/${name}`, message: 'is required' }))],
  ['empty under features', '{"features": {}}', required.map(name => ({ path: `/features/${name}`, message: 'is required' }))],
  ['an empty list', '{"features": []}', [{ path: '/features', message: `must have exactly 8 values (${names}), not 0` }]],
  ['a list that is too short', `{"features": [${listed.slice(1).join()}]}`, [{ path: '/features', message: `must have exactly 8 values (${names}), not 7` }]],
  ['a list that is too long', `{"features": [${listed.join()}, 1]}`, [{ path: '/features', message: `must have exactly 8 values (${names}), not 9` }]],
  ['a list of lists', `{"features": [[${listed.join()}]]}`, [{ path: '/features', message: `must have exactly 8 values (${names}), not 1` }]],
  ['features that are null', '{"features": null}', [{ path: '/features', message: 'must be a list of 8 values or an object by feature name' }]],
  ['features that are a text', '{"features": "2.5"}', [{ path: '/features', message: 'must be a list of 8 values or an object by feature name' }]],
  ['features that are a number', '{"features": 2.5}', [{ path: '/features', message: 'must be a list of 8 values or an object by feature name' }]],
  ['without one feature', objectText(withoutCity), [{ path: '/city', message: 'is required' }]],
  ['without one feature under features', `{"features": ${objectText(withoutCity)}}`, [{ path: '/features/city', message: 'is required' }]],
  ['with an unknown feature', `{${fields}, "colour": 1}`, [{ path: '/colour', message: `is not a feature; the features are ${names}` }]],
  ['with an unknown feature that is null', `{${fields}, "colour": null}`, [{ path: '/colour', message: `is not a feature; the features are ${names}` }]],
  ['with an unknown feature under features', `{"features": {${fields}, "x/y~z": 1}}`, [{ path: '/features/x~1y~0z', message: `is not a feature; the features are ${names}` }]],
  ['with a feature in another case', objectText({ ...withoutCity, City: '"Bern"' }), [
    { path: '/city', message: 'is required' }, { path: '/City', message: `is not a feature; the features are ${names}` }]],
  ['with __proto__', `{${fields}, "__proto__": {"weight": 1}}`, [{ path: '/__proto__', message: `is not a feature; the features are ${names}` }]],
  ['with a feature in __proto__ only', `{${objectText(withoutCity).slice(1, -1)}, "__proto__": {"city": "Bern"}}`, [
    { path: '/city', message: 'is required' }, { path: '/__proto__', message: `is not a feature; the features are ${names}` }]],
  ['with constructor', `{${fields}, "constructor": {"prototype": {}}}`, [{ path: '/constructor', message: `is not a feature; the features are ${names}` }]],
  ['with toString under features', `{"features": {${fields}, "toString": 1}}`, [{ path: '/features/toString', message: `is not a feature; the features are ${names}` }]],
  ['in both forms at once', `{${fields}, "features": [${listed.join()}]}`, Object.keys(goodParcel).map(name => ({ path: `/${name.replace('~', '~0').replace('/', '~1')}`, message: 'may not stand beside "features"' }))],
  ['with a key beside features', `{"features": [${listed.join()}], "id": 7}`, [{ path: '/id', message: 'may not stand beside "features"' }]],
]

describe('a row that is', () => {
  test.each(badShapes)('%s is refused', async (_, row, errors) => {
    expectProblem(await server.post('/predict', row), 'INVALID_INPUT', { errors })
    expectProblem(await server.post('/predict', `{"instances": [${row}]}`), 'INVALID_INPUT', {
      errors: errors.map(({ path, message }) => ({ path: `/instances/0${path}`, message })),
    })
  })

  test.each(['7', '"x"', 'null', 'true', '[]', `[${listed.join()}]`])('%s among others is refused', async row => {
    expectProblem(await server.post('/predict', `{"instances": [${row}, ${objectText(goodParcel)}]}`), 'INVALID_INPUT', {
      errors: [{ path: '/instances/0', message: 'must be an object: {"name": value, …} or {"features": …}' }],
    })
  })

  test('nested instances is refused', async () => {
    expectProblem(await server.post('/predict', `{"instances": [{"instances": [${objectText(goodParcel)}]}]}`), 'INVALID_INPUT', {
      errors: expect.arrayContaining([{ path: '/instances/0/instances', message: `is not a feature; the features are ${names}` }]),
    })
  })
})

test('a request without rows is refused', async () => {
  expectProblem(await server.post('/predict', { instances: [] }), 'INVALID_INPUT', {
    detail: 'The request has no rows.', errors: [{ path: '/instances', message: 'must have at least one row' }],
  })
})

test('polluting keys leave nothing behind', async () => {
  await server.post('/predict', '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "features": {"__proto__": {"polluted": 1}}}')
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('a number that overflows in the model is refused, in its place', async () => {
  expectProblem(await server.post('/models/line/predict', { instances: [{ x: 1 }, { x: 3e38 }] }), 'INVALID_INPUT', {
    errors: [{ path: '/instances/1', message: 'the model gives no finite number for this row' }],
  })
})

describe('many faults', () => {
  test('are listed up to 100, and counted in full', async () => {
    const answer = await server.post('/predict', { instances: new Array<object>(40).fill({}) })
    expectProblem(answer, 'INVALID_INPUT', { detail: '280 values do not fit the model in 40 of 40 rows. The first 100 are listed.', errors: expect.any(Array) })
    expect(answer.body.errors).toHaveLength(100)
    expect(answer.body.errors[99]).toEqual({ path: '/instances/14/pieces', message: 'is required' })
  })

  test('in one row are listed up to 100, and counted in full', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`u${i}`, i]))
    const answer = await server.post('/predict', unknown)
    expectProblem(answer, 'INVALID_INPUT', { detail: '5007 values do not fit the model. The first 100 are listed.', errors: expect.any(Array) })
    expect(answer.body.errors).toHaveLength(100)
  })

  test('of a wide model name 20 features', async () => {
    const answer = await server.post('/models/wide/predict', { features: [1] })
    expect(answer.body.errors[0].message).toBe(`must have exactly 30 values (${Array.from({ length: 20 }, (_, i) => `f${i}`).join(', ')} and 10 more), not 1`)
  })

  test('in their places do not fill an answer out of all proportion', async () => {
    const answer = await server.post('/models/wide/predict?partial=true', { instances: new Array<object>(100).fill({}) })
    const { predictions } = answer.body as { predictions: { errors: { path: string, message: string }[] }[] }
    expect(predictions.map(({ errors }) => errors.length)).toEqual([30, 30, 30, ...new Array<number>(97).fill(11)])
    expect(predictions[99]?.errors.at(0)).toEqual({ path: '/instances/99/f0', message: 'is required' })
    expect(predictions[99]?.errors.at(-1)).toEqual({ path: '/instances/99', message: 'and 20 more' })
  })
})
