import { expect, test } from 'vitest'
import { FatalError } from '../../src/errors.ts'
import { readFeatures } from '../../src/training/features.ts'
import { CodedSeries, listOf } from '../../src/training/series.ts'
import type { Cell, Table } from '../../src/training/table.ts'
import { readTarget } from '../../src/training/target.ts'
import type { ColumnHint, TrainingPlan } from '../../src/training/training-file.ts'

function tableOf (columns: Record<string, readonly Cell[]>): Table {
  const lists = Object.values(columns)
  return { columns: Object.keys(columns), rows: lists[0]!.length, cells: lists.map(list => new CodedSeries(list)), source: 'data.csv', sha256: '' }
}

function planOf (more: Partial<TrainingPlan> = {}): TrainingPlan {
  return { name: 'm', data: { file: 'data.csv' }, target: { column: 'target' }, ...more }
}

/** What becomes of one column, with a target beside it. */
function read (cells: readonly Cell[], hint?: ColumnHint) {
  const table = tableOf({ x: cells, spare: cells.map((_, i) => i), target: cells.map((_, i) => i % 2) })
  const { features: [feature], columns: [column], values: [values] } = readFeatures(table, planOf(hint === undefined ? {} : { columns: { x: hint } }))
  return { feature, steps: column!.steps, values: listOf(values!) }
}

test.each<[string, readonly Cell[], object, readonly unknown[]]>([
  ['numbers', [1, 2.5, 3], { type: 'number', range: [1, 3], example: 1 }, [1, 2.5, 3]],
  ['numbers as text', ['1', ' -2.5', '3e2', '.5'], { type: 'number', range: [-2.5, 300] }, [1, -2.5, 300, 0.5]],
  ['missing numbers', ['', '2', 'NA', '3'], { type: 'number', range: [2, 3], required: false }, [null, 2, null, 3]],
  ['truth values', [true, false, null], { type: 'boolean', required: false }, [true, false, null]],
  ['truth values as text', ['True', 'false', 'TRUE'], { type: 'boolean' }, [true, false, true]],
  ['texts', ['b', 'a', 'b', 'a'], { type: 'string', enum: ['a', 'b'], example: 'b' }, ['b', 'a', 'b', 'a']],
  ['numbers among texts', ['1', 'a', '1', 'a'], { type: 'string', enum: ['1', 'a'] }, ['1', 'a', '1', 'a']],
])('infers %s', (_, cells, feature, values) => {
  const read_ = read(cells)
  expect(read_.feature).toMatchObject({ name: 'x', ...feature })
  expect(read_.values).toEqual(values)
})

test('a number beyond all doubles is a text, and not infinite', () => {
  expect(read(['1', '1e999', '1', '1e999']).feature).toMatchObject({ type: 'string' })
})

test('a category is one column of codes, and the API refuses others', () => {
  const { feature, steps } = read(['b', 'a', 'b', 'a'])
  expect(steps).toEqual([{ ordinal: { categories: ['a', 'b'], unknown: 'error' } }])
  expect(feature!.enum).toEqual(['a', 'b'])
})

test('unknown categories may be let through, as missing values', () => {
  const { feature, steps } = read(['b', 'a', 'b', 'a'], { unknown: 'ignore' })
  expect(steps).toEqual([{ ordinal: { categories: ['a', 'b'], unknown: 'missing' } }])
  expect(feature!.enum).toBeUndefined()
})

test('a training file says what the data cannot', () => {
  const hint = { name: 'width', unit: 'cm', description: 'How wide', minimum: 0, maximum: 9, example: 4 }
  expect(read([1, 2, 3], hint).feature).toEqual({ type: 'number', range: [1, 3], enum: undefined, required: undefined, ...hint })
})

test('numbers may be categories, dates years, and any value a missing one', () => {
  expect(read([2, 1, 2], { type: 'category' })).toMatchObject({
    feature: { type: 'integer', enum: [1, 2] }, steps: [{ ordinal: { categories: [1, 2] } }],
  })
  expect(read(['1970-01-01', '1982-06-30', null], { type: 'integer', parse: 'year' })).toMatchObject({
    feature: { type: 'integer', range: [1970, 1982] }, values: [1970, 1982, null],
  })
  expect(read(['a', '.', 'a', 'b'], { missing: ['.'] })).toMatchObject({ feature: { enum: ['a', 'b'], required: false }, values: ['a', null, 'a', 'b'] })
  expect(read([1, -99, 3], { missing: [-99] }).values).toEqual([1, null, 3])
})

test('examples come from the first complete row', () => {
  const table = tableOf({ x: [null, 5, 7], y: ['a', null, 'b'], z: [true, true, false], target: [0, 1, 0] })
  const { features } = readFeatures(table, planOf({ columns: { y: {} } }))
  expect(features.map(({ example }) => example)).toEqual([7, 'b', false])
})

test('columns that teach nothing are left out, and it is said why', () => {
  const rows = 20
  const table = tableOf({
    good: Array.from({ length: rows }, (_, i) => i),
    empty: Array(rows).fill(null),
    same: Array(rows).fill('x'),
    names: Array.from({ length: rows }, (_, i) => `customer ${i}`),
    unwanted: Array.from({ length: rows }, (_, i) => i),
    target: Array.from({ length: rows }, (_, i) => i % 2),
  })
  const { features, notices } = readFeatures(table, planOf({ drop: ['unwanted'] }))
  expect(features.map(({ name }) => name)).toEqual(['good'])
  expect(notices).toEqual([
    'the column "empty" is left out: every value is missing',
    'the column "same" is left out: it holds "x" in every row',
    'the column "names" is left out: 20 different texts in 20 rows look like names, not categories',
  ])
  expect(readFeatures(table, planOf({ columns: { names: {} } })).features.map(({ name }) => name)).toContain('names')
})

test.each<[string, readonly Cell[], ColumnHint, string]>([
  ['a text where a number is wanted', ['1', 'many'], { type: 'number' }, 'x, row 2: "many" is no number'],
  ['a fraction where an integer is wanted', [1, 2.5], { type: 'integer' }, 'x, row 2: 2.5 is no integer'],
  ['a value outside of the limits', [1, -2], { minimum: 0 }, 'x, row 2: -2 is outside of the limits'],
  ['a date that is none', ['1970-01-01', 'soon'], { parse: 'year' }, 'x, row 2: "soon" does not begin with a year'],
])('refuses %s', (_, cells, hint, message) => {
  expect(() => read(cells, hint)).toThrow(FatalError)
  expect(() => read(cells, hint)).toThrow(message)
})

test.each<[string, Partial<TrainingPlan>]>([
  ['a hint', { columns: { hight: {} } }],
  ['a column to drop', { drop: ['hight'] }],
])('refuses %s for a column that is not there, naming those that are', (_, more) => {
  const table = tableOf({ height: [1, 2], target: [0, 1] })
  expect(() => readFeatures(table, planOf(more))).toThrow('data.csv has no column "hight"; it has height, target')
})

const ten = Array.from({ length: 12 }, (_, i) => i)

test.each<[string, readonly Cell[], Partial<TrainingPlan>, object]>([
  ['texts are classes', ten.map(i => i % 2 ? 'yes' : 'no'), {}, { labels: ['no', 'yes'], target: { kind: 'classes', count: 2 } }],
  ['few whole numbers are classes', ten.map(i => i % 3), {}, { labels: ['0', '1', '2'], target: { count: 3 } }],
  ['numbers are values', ten.map(i => i / 10), {}, { labels: [], target: { kind: 'values' } }],
  ['few whole numbers may be values', ten.map(i => i % 3), { task: 'regression' }, { labels: [], target: { kind: 'values' } }],
  ['labels have the order asked for', ten.map(i => i % 2 ? 'yes' : 'no'), { target: { column: 'target', labels: ['yes', 'no'] } }, { labels: ['yes', 'no'], target: { classes: Int32Array.from(ten, i => 1 - i % 2) } }],
])('%s', (_, cells, more, expected) => {
  expect(readTarget(tableOf({ x: cells, target: cells }), planOf(more))).toMatchObject(expected)
})

test('rows without the target are left out', () => {
  const { table, target, droppedRows } = readTarget(tableOf({ x: [...ten, 99], target: [...ten.map(i => i % 2), null] }), planOf())
  expect(droppedRows).toBe(1)
  expect([table.rows, ...table.cells.map(cells => cells.length)]).toEqual([12, 12, 12])
  expect(target).toMatchObject({ classes: Int32Array.from(ten, i => i % 2) })
})

test.each<[string, readonly Cell[], Partial<TrainingPlan>, string]>([
  ['that is not there', ten, { target: { column: 'price' } }, 'data.csv has no column "price"; it has x, target'],
  ['with one class', ten.map(() => 'a'), {}, '"target" is "a" in every row: there is nothing to learn'],
  ['with too few rows', [1, 2, null], {}, '"target" is known in 2 rows: at least 10 are needed'],
  ['of texts in a regression', ten.map(i => `t${i % 2}`), { task: 'regression' }, '"target" holds "t0": a regression learns numbers'],
  ['with a label that is not listed', ten.map(i => `t${i % 2}`), { target: { column: 'target', labels: ['t0', 't2'] } }, '"target" holds "t1", which is not among the labels t0, t2'],
  ['without a label that is listed', ten.map(i => `t${i % 2}`), { target: { column: 'target', labels: ['t0', 't1', 't2'] } }, '"target" never holds the label "t2"'],
])('refuses a target %s', (_, cells, more, message) => {
  const table = tableOf({ x: cells, target: cells })
  expect(() => readTarget(table, planOf(more))).toThrow(FatalError)
  expect(() => readTarget(table, planOf(more))).toThrow(message)
})
