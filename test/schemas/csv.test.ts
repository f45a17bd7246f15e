import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Feature } from '../../src/artifact/manifest.ts'
import { ApiError, type Fault } from '../../src/errors.ts'
import type { Value } from '../../src/row.ts'
import { type Lines, decodeCsv } from '../../src/schemas/csv.ts'
import { toCsv } from '../../src/schemas/examples.ts'
import { compileRowReader } from '../../src/schemas/row-reader.ts'

const features: Feature[] = [
  { name: 'length', type: 'number' },
  { name: 'kind', type: 'string', required: false },
  { name: 'wild', type: 'boolean', required: false },
  { name: 'age', type: 'integer', required: false },
]

function decode (text: string, maxRows = 1000): Lines {
  return decodeCsv(text, features, maxRows)
}

describe('a cell becomes what its feature is', () => {
  test.each<[column: string, cell: string, value: Value]>([
    ['length', '5', 5], ['length', '-5.5', -5.5], ['length', '+5', 5], ['length', '.5', 0.5], ['length', '5.', 5], ['length', '1e-3', 0.001], ['length', '1E3', 1000],
    ['length', ' 5 ', 5], ['length', '"5"', 5], ['length', '007', 7],
    ['length', '', null], ['length', ' ', null], ['length', 'NaN', null], ['length', 'nan', null],
    ['length', '1e999', Infinity],
    // What is no number stays text, for the row's check to name.
    ['length', 'long', 'long'], ['length', '0x10', '0x10'], ['length', '"1,5"', '1,5'], ['length', '1_000', '1_000'], ['length', 'Infinity', 'Infinity'], ['length', 'true', 'true'], ['length', '1 2', '1 2'],
    ['kind', 'red', 'red'], ['kind', ' red ', ' red '], ['kind', 'NaN', 'NaN'], ['kind', '5', '5'], ['kind', '', null], ['kind', '""', null],
    ['kind', '"a, ""b"""', 'a, "b"'], ['kind', '"two\nlines"', 'two\nlines'], ['kind', 'Größe', 'Größe'],
    ['wild', 'true', true], ['wild', 'FALSE', false], ['wild', ' True ', true], ['wild', '', null],
    ['wild', '1', '1'], ['wild', 'yes', 'yes'], ['wild', 'constructor', 'constructor'],
    ['age', '3', 3], ['age', '3.5', 3.5], ['age', '', null],
  ])('%s %j is %j', (column, cell, value) => {
    const header = column === 'length' ? 'length,kind' : `length,${column}`
    const { rows } = decode(column === 'length' ? `${header}\n${cell},x\n` : `${header}\n1,${cell}\n`)
    expect(rows).toEqual([column === 'length' ? { length: value, kind: 'x' } : { length: 1, [column]: value }])
  })
})

describe('the form', () => {
  const rows = [{ length: 1, kind: 'a' }, { length: 2, kind: 'b' }]

  test.each([
    ['Unix lines', 'length,kind\n1,a\n2,b\n'],
    ['Windows lines', 'length,kind\r\n1,a\r\n2,b\r\n'],
    ['no line break at the end', 'length,kind\n1,a\n2,b'],
    ['empty lines', '\nlength,kind\n\n1,a\n\n2,b\n\n'],
    ['a byte order mark', '\uFEFFlength,kind\n1,a\n2,b\n'],
    ['blanks in the header', ' length , kind\n1,a\n2,b\n'],
    ['a quoted header', '"length","kind"\n1,a\n2,b\n'],
    ['columns in another order', 'kind,length\na,1\nb,2\n'],
  ])('may have %s', (_what, text) => {
    const lines = decode(text)
    expect(lines.rows).toEqual(rows)
    expect(lines.unreadable.size).toBe(0)
  })

  test('tells on which line each row stands', () => {
    expect(decode('length\n1\n\n2\n3\n').lineNumbers).toEqual([2, 4, 5])
  })

  test('with a wrong number of cells spoils that row alone', () => {
    const { rows, unreadable, lineNumbers } = decode('length,kind\n1,a\n2\n3,c,d\n4,e\n')
    expect(rows).toEqual([{ length: 1, kind: 'a' }, undefined, undefined, { length: 4, kind: 'e' }])
    expect([...unreadable]).toEqual([
      [1, { path: '', message: 'has 1 cells, the header has 2' }],
      [2, { path: '', message: 'has 3 cells, the header has 2' }],
    ])
    expect(lineNumbers).toEqual([2, 3, 4, 5])
  })

  test('is read no further than the first row too many', () => {
    const { rows } = decode('length\n1\n2\n3\n4\n"5', 2)
    expect(rows).toEqual([{ length: 1 }, { length: 2 }, { length: 3 }])
  })
})

describe('a header that does not fit', () => {
  const known = 'length, kind, wild, age'

  test.each<[header: string, errors: [path: string, message: string][]]>([
    ['kind', [['/header', '"length" is required and not in the header']]],
    ['length,width', [['/header/1', `"width" is not a feature; the features are ${known}`]]],
    ['Length', [['/header/0', `"Length" is not a feature; the features are ${known}`], ['/header', '"length" is required and not in the header']]],
    ['length,kind,length', [['/header/2', '"length" stands twice in the header']]],
    ['length,', [['/header/1', `"" is not a feature; the features are ${known}`]]],
    ['length;kind', [['/header/0', `"length;kind" is not a feature; the features are ${known}`], ['/header', '"length" is required and not in the header']]],
    ['length,__proto__', [['/header/1', `"__proto__" is not a feature; the features are ${known}`]]],
    ['5.1,red', [
      ['/header/0', `"5.1" is not a feature; the features are ${known}`],
      ['/header/1', `"red" is not a feature; the features are ${known}`],
      ['/header', '"length" is required and not in the header'],
    ]],
  ])('%s', (header, errors) => {
    expect(refusal(`${header}\n1\n`)).toMatchObject({ code: 'INVALID_INPUT', errors: errors.map(([path, message]) => ({ path, message })) })
  })
})

test.each([
  ['nothing', '', /empty/],
  ['empty lines', '\n\n', /empty/],
  ['a quote that never ends', 'length\n"1', /^The body is not valid CSV: /],
  ['a quote within a cell', 'length,kind\n1,a"b\n', /^The body is not valid CSV: /],
])('%s is not CSV', (_what, text, message) => {
  const { code, message: detail } = refusal(text)
  expect(code).toBe('BAD_REQUEST')
  expect(detail).toMatch(message)
})

function refusal (text: string): ApiError {
  try {
    decode(text)
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('the text was read')
}

test('rows that are written as CSV come back as they were', () => {
  // An empty text is a missing value in CSV, and a row of missing values alone an empty line.
  const row = fc.record({
    length: fc.double({ noNaN: true, noDefaultInfinity: true }).map(x => x + 0),
    kind: fc.option(fc.string({ minLength: 1, unit: 'grapheme' }), { nil: null }),
    wild: fc.option(fc.boolean(), { nil: null }),
    age: fc.option(fc.integer(), { nil: null }),
  })
  fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), rows => {
    const { rows: decoded, unreadable } = decode(toCsv(features, rows))
    expect(decoded).toEqual(rows)
    expect(unreadable.size).toBe(0)
    const faults: Fault[] = []
    const { read } = compileRowReader(features)
    expect(decoded.map(input => read(input, faults))).toEqual(rows.map(({ length, kind, wild, age }) => [length, kind, wild, age]))
    expect(faults).toEqual([])
  }))
})

test('any text is read or refused in words', () => {
  const cell = fc.oneof(fc.constantFrom('length', 'kind', '"', ',', '\n', '\r\n', '\0', '1', ''), fc.string({ maxLength: 4 }))
  fc.assert(fc.property(fc.array(cell, { maxLength: 20 }), parts => {
    try {
      const { rows, lineNumbers } = decode(parts.join(''))
      expect(lineNumbers).toHaveLength(rows.length)
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError)
    }
  }), { numRuns: 500 })
})
