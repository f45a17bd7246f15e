import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Feature } from '../../src/artifact/manifest.ts'
import { exampleRows, exampleValue, toCsv, toNdjson } from '../../src/schemas/examples.ts'
import { type RowManifest, featureSchema, modelSchemas } from '../../src/schemas/json-schema.ts'
import { decodeRows } from '../../src/schemas/decode.ts'
import { compileRowReader } from '../../src/schemas/row-reader.ts'
import { type Validate, compiler } from './json-schema-validator.ts'
import { iris, manifests, mpg } from './manifests.ts'

function validator (manifest: RowManifest, part: string): Validate {
  const schemas = modelSchemas(manifest, { maxRows: 3, ref: name => `#/${name}` })
  return compiler({ ...schemas, Fault: true, RowErrors: { type: 'object', properties: { errors: true }, required: ['errors'] } })({ $ref: `#/${part}` })
}

/** What the server itself makes of a JSON body. */
function serverTakes ({ features }: RowManifest, body: unknown): boolean {
  try {
    const { rows } = decodeRows({ type: 'json', body }, features, 3)
    const reader = compileRowReader(features)
    return rows.every(row => {
      const faults: never[] = []
      reader.read(row, faults)
      return faults.length === 0
    })
  } catch {
    return false
  }
}

test('a feature becomes a schema with its type, limits, unit and example', () => {
  expect(featureSchema(iris.features[0] as Feature)).toEqual({
    type: 'number',
    description: 'Unit: cm. Training data: 0.1 to 7.9; outside is a warning.',
    minimum: 0,
    maximum: 30,
    examples: [5.1],
    'x-unit': 'cm',
    'x-range': [0.1, 7.9],
  })
})

test('a feature that may be missing allows null, in its enum too', () => {
  expect(featureSchema(mpg.features[2] as Feature)).toEqual({
    type: ['string', 'null'],
    description: 'May be missing.',
    enum: ['USA', 'Europe', 'Japan', null],
    examples: ['Europe'],
  })
})

const irisRow = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }

test.each<[string, unknown, boolean]>([
  ['a row by name', irisRow, true],
  ['a row as a list', { features: [5.1, 3.5, 1.4, 0.2] }, true],
  ['a row under features', { features: irisRow }, true],
  ['many rows in different forms', { instances: [irisRow, { features: [1, 2, 3, 4] }, { features: irisRow }] }, true],
  ['a number as text', { ...irisRow, sepal_width: '3.5' }, false],
  ['true for a number', { ...irisRow, sepal_width: true }, false],
  ['null where a value is required', { ...irisRow, sepal_width: null }, false],
  ['a value above the maximum', { ...irisRow, sepal_width: 31 }, false],
  ['an unknown name', { ...irisRow, colour: 1 }, false],
  ['too few names', { sepal_length: 5.1 }, false],
  ['a list that is too short', { features: [5.1, 3.5, 1.4] }, false],
  ['a list that is too long', { features: [5.1, 3.5, 1.4, 0.2, 1] }, false],
  ['two forms at once', { ...irisRow, features: [5.1, 3.5, 1.4, 0.2] }, false],
  ['no rows', { instances: [] }, false],
  ['more rows than allowed', { instances: [irisRow, irisRow, irisRow, irisRow] }, false],
  ['something beside the rows', { instances: [irisRow], id: 1 }, false],
  ['bare lists as rows', { instances: [[5.1, 3.5, 1.4, 0.2]] }, false],
  ['a list', [irisRow], false],
  ['nothing', null, false],
])('the schema and the server agree about %s', (_, body, accepted) => {
  expect({ schema: validator(iris, 'Request')(body), server: serverTakes(iris, body) }).toEqual({ schema: accepted, server: accepted })
})

const anyValue = fc.oneof(fc.integer({ min: -60, max: 60 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ maxLength: 4 }), fc.boolean(), fc.constant(null), fc.constant([]))

/** A good row of the manifest in one of its forms, with a few things changed that may make it bad. */
function bodyFor (manifest: RowManifest): fc.Arbitrary<unknown> {
  const [good] = exampleRows(manifest.features)
  const names = fc.constantFrom(...Object.keys(good), 'stranger')
  const row = fc.array(fc.tuple(names, fc.oneof(anyValue, fc.constant(undefined))), { maxLength: 2 })
    .map(changes => JSON.parse(JSON.stringify({ ...good, ...Object.fromEntries(changes) })) as Record<string, unknown>)
  const list = row.map(values => Object.values(values))
  const anyForm = fc.oneof(row, row.map(features => ({ features })), list.map(features => ({ features })))
  return fc.oneof(anyForm, fc.array(anyForm, { maxLength: 4 }).map(instances => ({ instances })))
}

test('for any model, the schema accepts exactly the bodies that the server takes', () => {
  fc.assert(fc.property(manifests.chain(manifest => fc.tuple(fc.constant(manifest), fc.array(bodyFor(manifest), { minLength: 5, maxLength: 20 }))), ([manifest, bodies]) => {
    const accepts = validator(manifest, 'Request')
    for (const body of bodies) expect([body, accepts(body)]).toEqual([body, serverTakes(manifest, body)])
  }), { numRuns: 40 })
})

describe('examples', () => {
  test('of any model are rows that the server takes, as JSON and as NDJSON', () => {
    fc.assert(fc.property(manifests, manifest => {
      const { features } = manifest
      const rows = JSON.parse(JSON.stringify(exampleRows(features))) as object[]
      expect(serverTakes(manifest, { instances: rows })).toBe(true)
      expect(decodeRows({ type: 'ndjson', text: toNdjson(rows) }, features, 2).rows).toEqual(rows)
    }), { numRuns: 200 })
  })

  test.each<[string, Feature]>([
    ['is outside the limits', { name: 'x', type: 'number', minimum: 10, maximum: 20, example: 5 }],
    ['is not in the enum', { name: 'x', type: 'string', enum: ['a'], example: 'b' }],
    ['is no whole number', { name: 'x', type: 'integer', example: 1.5 }],
    ['is not there, and the range has no whole middle', { name: 'x', type: 'integer', range: [1, 2] }],
    ['is not there, and zero is not allowed', { name: 'x', type: 'number', minimum: 100 }],
    ['is not there, and only less than zero is allowed', { name: 'x', type: 'number', maximum: -0.5 }],
  ])('a manifest whose example %s gets another one', (_, feature) => {
    const value = exampleValue(feature)
    expect([value, compiler()(featureSchema(feature))(value)]).toEqual([value, true])
  })

  test('CSV quotes what would break a line', () => {
    expect(toCsv([{ name: 'a,b', type: 'string' }, { name: 'c', type: 'number' }], [{ 'a,b': 'say "x"\n', c: 1 }, { 'a,b': null, c: 2 }]))
      .toBe('"a,b",c\n"say ""x""\n",1\n,2\n')
  })
})

const model = { name: 'iris', version: '1.0.0' }
const setosa = { prediction: 0, class_name: 'setosa', probabilities: [0.95, 0.03, 0.02] }

test.each<[string, string, unknown, boolean]>([
  ['one row\'s answer', 'Answer', { ...setosa, model, latency_ms: 0.2 }, true],
  ['warnings', 'Answer', { ...setosa, model, latency_ms: 0.2, warnings: [{ path: '/a', message: 'b' }] }, true],
  ['a class that is not there', 'Answer', { ...setosa, prediction: 3, model, latency_ms: 0.2 }, false],
  ['a label that is not there', 'Answer', { ...setosa, class_name: 'rose', model, latency_ms: 0.2 }, false],
  ['a missing probability', 'Answer', { ...setosa, probabilities: [0.5, 0.5], model, latency_ms: 0.2 }, false],
  ['another model\'s answer', 'Answer', { ...setosa, model: { ...model, name: 'mpg' }, latency_ms: 0.2 }, false],
  ['many rows, one of them bad', 'BatchAnswer', { predictions: [setosa, { errors: [{ path: '', message: 'x' }] }], model, latency_ms: 1 }, true],
  ['many rows without predictions', 'BatchAnswer', { model, latency_ms: 1 }, false],
  ['one bad row', 'BadRowAnswer', { errors: [{ path: '', message: 'x' }], model, latency_ms: 1 }, true],
])('the schema of the answers knows %s', (_, part, answer, accepted) => {
  expect(validator(iris, part)(answer)).toBe(accepted)
})

test('a regression answers a number and no class', () => {
  expect(modelSchemas(mpg, { maxRows: 1, ref: part => part }).Prediction['properties']).toEqual({ prediction: { type: 'number' } })
})
