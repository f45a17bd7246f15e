import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Feature } from '../../src/artifact/manifest.ts'
import type { Fault } from '../../src/errors.ts'
import type { Row, Value } from '../../src/row.ts'
import { compileRowReader } from '../../src/schemas/row-reader.ts'

const features: Feature[] = [
  { name: 'length', type: 'number', minimum: 0, maximum: 30, range: [1, 10] },
  { name: 'kind', type: 'string', enum: ['red', 'blue'] },
  { name: 'a/b~c', type: 'boolean', required: false },
  { name: 'age', type: 'integer', required: false, range: [0, 9] },
]
const reader = compileRowReader(features)

function read (input: unknown): { row: Row, faults: Fault[] } {
  const faults: Fault[] = []
  return { row: reader.read(input, faults), faults }
}

describe('a row in any of its forms is the same row', () => {
  test.each([
    { length: 5, kind: 'red', 'a/b~c': true, age: 3 },
    { age: 3, 'a/b~c': true, kind: 'red', length: 5 },
    { features: { kind: 'red', length: 5, age: 3, 'a/b~c': true } },
    { features: [5, 'red', true, 3] },
  ])('%j', input => {
    expect(read(input)).toEqual({ row: [5, 'red', true, 3], faults: [] })
  })

  test.each([
    { length: 5, kind: 'red' },
    { length: 5, kind: 'red', age: null, 'a/b~c': null },
    { features: { length: 5, kind: 'red', age: null } },
    { features: [5, 'red', null, null] },
  ])('with what is missing as null: %j', input => {
    expect(read(input)).toEqual({ row: [5, 'red', null, null], faults: [] })
  })
})

const names = 'length, kind, a/b~c, age'

describe('every fault is told with its place', () => {
  test.each<[input: unknown, faults: [path: string, message: string][]]>([
    [null, [['', 'must be an object: {"name": value, …} or {"features": …}']]],
    ['row', [['', 'must be an object: {"name": value, …} or {"features": …}']]],
    [[5, 'red', true, 3], [['', 'must be an object: {"name": value, …} or {"features": …}']]],
    [{}, [['/length', 'is required'], ['/kind', 'is required']]],
    [{ length: 5 }, [['/kind', 'is required']]],
    [{ length: 'long', kind: 'green', 'a/b~c': 1, age: 1.5 }, [
      ['/length', 'must be a number, not a string'],
      ['/kind', 'must be one of red, blue'],
      ['/a~1b~0c', 'must be true or false, not a number'],
      ['/age', 'must be a whole number, not 1.5'],
    ]],
    [{ length: 5, kind: 'red', width: 1 }, [['/width', `is not a feature; the features are ${names}`]]],
    [{ length: 5, kind: 'red', 'x/y~': 1 }, [['/x~1y~0', `is not a feature; the features are ${names}`]]],
    [{ length: 5, kind: 'red', Length: null }, [['/Length', `is not a feature; the features are ${names}`]]],
    // Parsed, so that the name is the object's own.
    [JSON.parse('{"length": 5, "kind": "red", "__proto__": {"age": 1}}'), [['/__proto__', `is not a feature; the features are ${names}`]]],
    [{ length: 5, kind: 'red', constructor: 1 }, [['/constructor', `is not a feature; the features are ${names}`]]],
    [{ features: {} }, [['/features/length', 'is required'], ['/features/kind', 'is required']]],
    [{ features: { length: 31, kind: 'red', width: 1 } }, [['/features/length', 'must be at most 30'], ['/features/width', `is not a feature; the features are ${names}`]]],
    [{ features: [] }, [['/features', `must have exactly 4 values (${names}), not 0`]]],
    [{ features: [5, 'red', true] }, [['/features', `must have exactly 4 values (${names}), not 3`]]],
    [{ features: [5, 'red', true, 3, 4] }, [['/features', `must have exactly 4 values (${names}), not 5`]]],
    [{ features: [-1, null, 'yes', 3] }, [
      ['/features/0', 'length must be at least 0'],
      ['/features/1', 'kind is required and may not be null'],
      ['/features/2', 'a/b~c must be true or false, not a string'],
    ]],
    [{ features: ['red', 5, true, 3] }, [['/features/0', 'length must be a number, not a string'], ['/features/1', 'kind must be a string, not a number']]],
    [{ features: 5 }, [['/features', 'must be a list of 4 values or an object by feature name']]],
    [{ features: null }, [['/features', 'must be a list of 4 values or an object by feature name']]],
    [{ features: [5, 'red', true, 3], length: 5 }, [['/length', 'may not stand beside "features"']]],
    [{ features: [5], kind: 'red' }, [['/kind', 'may not stand beside "features"'], ['/features', `must have exactly 4 values (${names}), not 1`]]],
  ])('%j', (input, faults) => {
    expect(read(input).faults).toEqual(faults.map(([path, message]) => ({ path, message })))
  })

  test('with no more names than help', () => {
    const many = compileRowReader(Array.from({ length: 25 }, (_, i): Feature => ({ name: `f${i}`, type: 'number', required: false })))
    const faults: Fault[] = []
    many.read({ width: 1 }, faults)
    expect(faults[0]?.message).toMatch(/the features are f0, .*, f19 and 5 more$/)
  })
})

describe('a warning', () => {
  function warn (input: unknown): Fault[] {
    const warnings: Fault[] = []
    reader.warn(read(input).row, input, warnings)
    return warnings
  }

  test.each<[input: object, paths: string[]]>([
    [{ length: 5, kind: 'red', age: 3 }, []],
    [{ length: 5, kind: 'red' }, []],
    [{ length: 20, kind: 'red', age: 50 }, ['/length', '/age']],
    [{ features: { length: 20, kind: 'red' } }, ['/features/length']],
    [{ features: [5, 'red', null, 50] }, ['/features/3']],
  ])('%j stands at %j', (input, paths) => {
    expect(warn(input).map(({ path }) => path)).toEqual(paths)
  })

  test('names the value and the range, and in a list the feature', () => {
    expect(warn({ length: 20, kind: 'red' })[0]?.message).toBe('20 is outside the range of the training data, 1 to 10')
    expect(warn({ features: [20, 'red', null, 3] })[0]?.message).toBe('length 20 is outside the range of the training data, 1 to 10')
  })
})

test.each<[input: object, feature: number, fault: Fault]>([
  [{ length: 5 }, 0, { path: '/length', message: 'is odd' }],
  [{ 'a/b~c': true }, 2, { path: '/a~1b~0c', message: 'is odd' }],
  [{ features: { length: 5 } }, 0, { path: '/features/length', message: 'is odd' }],
  [{ features: [5, 'red', true, 3] }, 3, { path: '/features/3', message: 'age is odd' }],
])('a fault that is found later stands where the value stood: %j', (input, feature, fault) => {
  expect(reader.fault(input, feature, 'is odd')).toEqual(fault)
})

const name = fc.string({ minLength: 1, maxLength: 6 }).filter(text => !['features', 'instances'].includes(text) && !(text in {}))

/** Features of every type, and a value that each allows. */
const tables = fc.uniqueArray(fc.tuple(name, fc.constantFrom('number', 'integer', 'string', 'boolean')), { selector: ([text]) => text, minLength: 1, maxLength: 6 }).chain(list => {
  const values = list.map(([, type]): fc.Arbitrary<Value> => {
    switch (type) {
      case 'number': return fc.double({ noNaN: true, noDefaultInfinity: true })
      case 'integer': return fc.integer()
      case 'string': return fc.string()
      default: return fc.boolean()
    }
  })
  return fc.record({ features: fc.constant(list.map(([name, type]): Feature => ({ name, type }))), row: fc.tuple(...values) })
})

/** RFC 6901, written apart from the code. */
function resolve (input: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce<unknown>((at, part) => (at as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')], input)
}

/** One row in each of its forms, the keys in any order. */
function forms ({ features, row }: { features: Feature[], row: readonly unknown[] }): fc.Arbitrary<object> {
  const byName = fc.shuffledSubarray(features.map(({ name }, i) => [name, row[i]] as const), { minLength: row.length }).map(entries => Object.fromEntries(entries))
  return fc.oneof(byName, byName.map(object => ({ features: object })), fc.constant({ features: [...row] }))
}

test('any row comes through, whatever its form and the order of its keys', () => {
  fc.assert(fc.property(tables.chain(table => fc.tuple(fc.constant(table), forms(table))), ([table, input]) => {
    const faults: Fault[] = []
    expect(compileRowReader(table.features).read(input, faults)).toEqual(table.row)
    expect(faults).toEqual([])
  }))
})

test('one wrong value is one fault, and its pointer leads to it', () => {
  const spoiled = tables.chain(table => fc.nat(table.row.length - 1).chain(i => {
    const wrong = { odd: true }
    return fc.tuple(fc.constant(table), fc.constant(wrong), forms({ ...table, row: table.row.map((value, at) => at === i ? wrong : value) }))
  }))
  fc.assert(fc.property(spoiled, ([table, wrong, input]) => {
    const faults: Fault[] = []
    compileRowReader(table.features).read(input, faults)
    expect(faults).toHaveLength(1)
    expect(resolve(input, faults[0]?.path ?? '')).toBe(wrong)
  }))
})
