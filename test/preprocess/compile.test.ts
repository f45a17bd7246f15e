import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EncoderFeature, compilePreprocessor, identityPreprocessor } from '../../src/preprocess/compile.ts'
import type { Column, Preprocessor, Step } from '../../src/preprocess/spec.ts'
import type { Row, Value } from '../../src/row.ts'
import { encodeByTheBook } from './reference.ts'

type Type = EncoderFeature['type']

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const number = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constantFrom(-0, 0.5, -3, 1e39, -1e39, 1e308, 5e-324), finite)
const modest = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
const ascending = fc.uniqueArray(fc.oneof(fc.integer({ min: -4, max: 4 }), modest.map(x => x + 0)), { minLength: 1, maxLength: 5 }).map(list => list.sort((a, b) => a - b))

const numericStep: fc.Arbitrary<Step> = fc.oneof(
  number.map(impute => ({ impute })),
  fc.tuple(number, number).map(([a, b]): Step => ({ clip: [Math.min(a, b), Math.max(a, b)] })),
  fc.constant<Step>({ log1p: true }),
  fc.tuple(number, number.filter(scale => scale !== 0)).map(([mean, scale]): Step => ({ standardize: { mean, scale } })),
  fc.tuple(modest, modest).filter(([a, b]) => a !== b).map(([a, b]): Step => ({ minmax: { min: Math.min(a, b), max: Math.max(a, b) } })),
  ascending.map(bucketize => ({ bucketize }))
)

const numericSteps = fc.array(numericStep, { maxLength: 4 })

/** Categories and values of one type; the values are sometimes missing and sometimes no category. */
const words = ['basic', 'pro', '', 'toString']
const values: Record<Type, fc.Arbitrary<Value>> = {
  number: fc.option(number, { nil: null }),
  integer: fc.option(fc.integer({ min: -4, max: 1e6 }), { nil: null }),
  string: fc.option(fc.constantFrom(...words, 'unheard of'), { nil: null }),
  boolean: fc.option(fc.boolean(), { nil: null }),
}

function categories<T extends Value> (from: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...from], { minLength: 1 })
}

function lookUp (from: fc.Arbitrary<(string | number | boolean)[]>): fc.Arbitrary<Step[]> {
  return fc.oneof(
    fc.record({ categories: from, unknown: fc.constantFrom('ignore' as const, 'error' as const) }).map(oneHot => [{ oneHot }]),
    fc.tuple(fc.record({ categories: from, unknown: fc.oneof(fc.constantFrom('error' as const, 'missing' as const), fc.constant(-1), number) }), fc.array(numericStep, { maxLength: 2 }))
      .map(([ordinal, after]) => [{ ordinal }, ...after])
  )
}

const numbersLookedUp = fc.tuple(fc.array(numericStep, { maxLength: 3 }), lookUp(categories([-1, 0, 1, 2, 3]))).map(([before, after]) => [...before, ...after])

function textsLookedUp<T extends string | boolean> (from: readonly T[]): fc.Arbitrary<Step[]> {
  return fc.tuple(fc.option(fc.constantFrom(...from)), lookUp(categories(from))).map(([impute, steps]) => impute === null ? steps : [{ impute }, ...steps])
}

const steps: Record<Type, fc.Arbitrary<Step[]>> = {
  number: fc.oneof(numericSteps, numbersLookedUp),
  integer: fc.oneof(numericSteps, numbersLookedUp),
  string: textsLookedUp(words),
  boolean: fc.oneof(numericSteps, textsLookedUp([true, false])),
}

/** A spec over features of every type, and rows for it. */
const cases = fc.array(fc.constantFrom<Type>('number', 'integer', 'string', 'boolean'), { minLength: 1, maxLength: 4 }).chain(types => {
  const features = types.map((type, i) => ({ name: `f${i}`, type }))
  const column = fc.constantFrom(...features).chain(({ name, type }) => fc.record({ feature: fc.constant(name), steps: steps[type] }))
  return fc.record({
    features: fc.constant(features),
    columns: fc.array(column, { minLength: 1, maxLength: 6 }),
    output: fc.constantFrom('float32' as const, 'float64' as const).map(type => ({ name: 'X', type })),
    rows: fc.array(fc.tuple(...types.map(type => values[type])), { minLength: 1, maxLength: 5 }),
  })
})

function matrix (type: Preprocessor['output']['type'], length: number): Float32Array | Float64Array {
  return type === 'float32' ? new Float32Array(length) : new Float64Array(length)
}

/** True when some column replaces a missing value by what is not a number in the end. */
function imputesNonsense ({ columns, ...spec }: Preprocessor, names: string[]): boolean {
  const missing = names.map(() => null)
  return columns.filter(({ steps }) => steps.some(step => 'impute' in step)).some(column => {
    const { numbers } = encodeByTheBook({ ...spec, columns: [column] }, names, missing)
    const stored = matrix(spec.output.type, numbers.length)
    stored.set(numbers)
    return !stored.every(Number.isFinite)
  })
}

test('the compiled encoder is the plain reading of the specification, in every bit and on every fault', () => {
  fc.assert(fc.property(cases, ({ features, columns, output, rows }) => {
    const spec: Preprocessor = { schemaVersion: 1, output, columns }
    const names = features.map(({ name }) => name)
    if (imputesNonsense(spec, names)) {
      expect(() => compilePreprocessor(spec, features)).toThrow('the imputed value')
      return
    }
    const encoder = compilePreprocessor(spec, features)
    const out = matrix(output.type, rows.length * encoder.width)
    const expected = matrix(output.type, rows.length * encoder.width)
    rows.forEach((row, i) => {
      const told: number[] = []
      encoder.write(row, out, i * encoder.width, feature => told.push(feature))
      const { numbers, faulty } = encodeByTheBook(spec, names, row)
      expected.set(numbers, i * encoder.width)
      expect(told).toEqual(faulty)
    })
    // Object.is on every number: NaN is NaN, and -0 is not 0.
    expect(out).toEqual(expected)
  }), { numRuns: 2000 })
})

test('nobody is at fault for a value that is missing', () => {
  fc.assert(fc.property(cases, ({ features, columns, output }) => {
    const spec: Preprocessor = { schemaVersion: 1, output, columns }
    fc.pre(!imputesNonsense(spec, features.map(({ name }) => name)))
    const encoder = compilePreprocessor(spec, features)
    encoder.write(features.map(() => null), matrix(output.type, encoder.width), 0, (feature, message) => { throw new Error(`${feature} ${message}`) })
  }))
})

test('write leaves all but its own window as it was', () => {
  fc.assert(fc.property(cases, fc.nat(4), fc.nat(4), ({ features, columns, output, rows }, before, after) => {
    const spec: Preprocessor = { schemaVersion: 1, output, columns }
    fc.pre(!imputesNonsense(spec, features.map(({ name }) => name)))
    const encoder = compilePreprocessor(spec, features)
    const out = matrix(output.type, before + encoder.width + after).fill(42)
    encoder.write(rows[0] as Row, out, before)
    expect([...out.subarray(0, before), ...out.subarray(before + encoder.width)]).toEqual(new Array(before + after).fill(42))
  }))
})

test('without a preprocessor each feature is one number, in order', () => {
  const features: EncoderFeature[] = [{ name: 'a', type: 'number' }, { name: 'b', type: 'boolean' }, { name: 'c', type: 'integer' }]
  const encoder = compilePreprocessor(identityPreprocessor(features, { name: 'input', type: 'float64' }), features)
  const out = new Float64Array(3)
  encoder.write([1.5, true, null], out, 0)
  expect(encoder).toMatchObject({ input: 'input', type: 'float64', width: 3 })
  expect([...out]).toEqual([1.5, 1, NaN])
})

const features: EncoderFeature[] = [
  { name: 'x', type: 'number' },
  { name: 'n', type: 'integer' },
  { name: 'kind', type: 'string' },
  { name: 'flag', type: 'boolean' },
]

function compile (columns: Column[], type: Preprocessor['output']['type'] = 'float32') {
  return compilePreprocessor({ schemaVersion: 1, output: { name: 'X', type }, columns }, features)
}

function oneColumn (feature: string, ...steps: Step[]): Column[] {
  return [{ feature, steps }]
}

describe('a column as the specification shows it', () => {
  test.each<[feature: string, steps: Step[], value: Value, numbers: number[]]>([
    ['x', [], 3.5, [3.5]],
    ['x', [{ impute: 12 }, { clip: [0, 120] }, { log1p: true }, { standardize: { mean: 1, scale: 2 } }], null, [(Math.log1p(12) - 1) / 2]],
    ['x', [{ impute: 12 }, { clip: [0, 120] }, { log1p: true }], 500, [Math.log1p(120)]],
    ['x', [{ minmax: { min: 10, max: 20 } }], 15, [0.5]],
    ['x', [{ minmax: { min: 10, max: 20 } }], 25, [1.5]],
    ['x', [{ bucketize: [10, 20, 50] }], 9.9, [0]],
    ['x', [{ bucketize: [10, 20, 50] }], 10, [1]],
    ['x', [{ bucketize: [10, 20, 50] }], 50, [3]],
    ['x', [{ bucketize: [10, 20, 50] }], null, [NaN]],
    ['x', [{ bucketize: [10, 20] }, { oneHot: { categories: [0, 1, 2], unknown: 'error' } }], 15, [0, 1, 0]],
    ['n', [{ ordinal: { categories: [8, 6, 4], unknown: -1 } }], 4, [2]],
    ['n', [{ ordinal: { categories: [8, 6, 4], unknown: -1 } }], 5, [-1]],
    ['n', [{ ordinal: { categories: [8, 6, 4], unknown: -1 } }], null, [NaN]],
    ['n', [{ ordinal: { categories: [8, 6, 4], unknown: 'missing' } }], 5, [NaN]],
    ['kind', [{ ordinal: { categories: ['a', 'b'], unknown: 'missing' } }, { impute: 9 }], 'c', [9]],
    ['n', [{ ordinal: { categories: [8, 6, 4], unknown: -1 } }, { impute: 9 }], null, [9]],
    ['kind', [{ oneHot: { categories: ['basic', 'pro'], unknown: 'ignore' } }], 'pro', [0, 1]],
    ['kind', [{ oneHot: { categories: ['basic', 'pro'], unknown: 'ignore' } }], 'team', [0, 0]],
    ['kind', [{ oneHot: { categories: ['basic', 'pro'], unknown: 'ignore' } }], null, [NaN, NaN]],
    ['kind', [{ impute: 'basic' }, { oneHot: { categories: ['basic', 'pro'], unknown: 'error' } }], null, [1, 0]],
    ['kind', [{ impute: 'other' }, { oneHot: { categories: ['basic', 'pro'], unknown: 'ignore' } }], null, [0, 0]],
    ['kind', [{ ordinal: { categories: ['a', 'b'], unknown: -1 } }, { standardize: { mean: 1, scale: 2 } }], 'a', [-0.5]],
    ['flag', [], true, [1]],
    ['flag', [{ impute: 0.5 }], null, [0.5]],
    ['flag', [{ oneHot: { categories: [false, true], unknown: 'error' } }], false, [1, 0]],
  ])('%s %j turns %j into %j', (feature, steps, value, numbers) => {
    const encoder = compile(oneColumn(feature, ...steps), 'float64')
    const out = new Float64Array(encoder.width)
    encoder.write(features.map(({ name }) => name === feature ? value : null), out, 0, (_, message) => { throw new Error(message) })
    expect([...out]).toEqual(numbers)
  })
})

describe('a value that cannot be encoded', () => {
  const noNumber = 'cannot be encoded: its preprocessing does not give a finite number'
  const tooLarge = 'is too large for the model\'s input type'

  test.each<[what: string, feature: string, steps: Step[], value: Value, message: string]>([
    ['an unknown category', 'kind', [{ oneHot: { categories: ['basic', 'pro'], unknown: 'error' } }], 'team', 'must be one of basic, pro'],
    ['an unknown category, by index', 'kind', [{ ordinal: { categories: ['a', 'b'], unknown: 'error' } }, { impute: 1 }], 'c', 'must be one of a, b'],
    ['an unknown number', 'n', [{ oneHot: { categories: [4, 6], unknown: 'error' } }], 5, 'must be one of 4, 6'],
    ['the logarithm of -2', 'x', [{ log1p: true }], -3, noNumber],
    ['the logarithm of 0', 'x', [{ log1p: true }], -1, noNumber],
    ['a logarithm before a lookup', 'x', [{ log1p: true }, { oneHot: { categories: [0], unknown: 'ignore' } }], -3, noNumber],
    ['a logarithm before an index', 'x', [{ log1p: true }, { ordinal: { categories: [0], unknown: -1 } }], -3, noNumber],
    ['the logarithm of an unknown category\'s index', 'kind', [{ ordinal: { categories: ['a'], unknown: -1 } }, { log1p: true }], 'b', noNumber],
    ['a float64 that overflows', 'x', [{ standardize: { mean: 0, scale: 1e-300 } }], 1e300, noNumber],
    ['1e39 as a float32', 'x', [], 1e39, tooLarge],
    ['-1e39 as a float32', 'x', [], -1e39, tooLarge],
    ['1e39 as a float32 after a step', 'x', [{ standardize: { mean: 0, scale: 1e-30 } }], 1e9, tooLarge],
  ])('%s', (_what, feature, steps, value, message) => {
    const encoder = compile(oneColumn(feature, ...steps))
    const out = new Float32Array(encoder.width)
    const told: [number, string][] = []
    encoder.write(features.map(({ name }) => name === feature ? value : null), out, 0, (index, text) => told.push([index, text]))
    expect(told).toEqual([[features.findIndex(({ name }) => name === feature), message]])
    expect([...out].some(Number.isFinite)).toBe(false)
  })

  test('1e39 is a float64 like any other', () => {
    const out = new Float64Array(1)
    compile(oneColumn('x'), 'float64').write([1e39, null, null, null], out, 0, (_, message) => { throw new Error(message) })
    expect(out[0]).toBe(1e39)
  })
})

describe('a spec that cannot be compiled is refused with its place', () => {
  const basicPro = { categories: ['basic', 'pro'], unknown: 'ignore' as const }

  test.each<[columns: Column[], message: string]>([
    [oneColumn('y'), '/columns/0/feature: the manifest has no feature "y"'],
    [[...oneColumn('x'), ...oneColumn('toString')], '/columns/1/feature: the manifest has no feature "toString"'],
    [oneColumn('kind'), '/columns/0: "kind" is a string and needs a oneHot or ordinal step'],
    [oneColumn('kind', { impute: 'pro' }), '/columns/0: "kind" is a string and needs a oneHot or ordinal step'],
    [oneColumn('x', { impute: 'pro' }), '/columns/0/steps/0: "pro" is not a number, as this column needs'],
    [oneColumn('flag', { impute: true }), '/columns/0/steps/0: true is not a number, as this column needs'],
    [oneColumn('x', { impute: 1 }, { clip: [5, 1] }), '/columns/0/steps/1: the lower limit of clip is above the upper one'],
    [oneColumn('x', { standardize: { mean: 1, scale: 0 } }), '/columns/0/steps/0: the scale must be a number other than 0'],
    [oneColumn('x', { minmax: { min: 5, max: 5 } }), '/columns/0/steps/0: the min of minmax must be below its max'],
    [oneColumn('x', { minmax: { min: 5, max: 1 } }), '/columns/0/steps/0: the min of minmax must be below its max'],
    [oneColumn('x', { minmax: { min: -1e308, max: 1e308 } }), '/columns/0/steps/0: the scale must be a number other than 0'],
    [oneColumn('x', { bucketize: [1, 3, 3] }), '/columns/0/steps/0: the edges must ascend'],
    [oneColumn('x', { bucketize: [3, 1] }), '/columns/0/steps/0: the edges must ascend'],
    [oneColumn('kind', { oneHot: basicPro }, { log1p: true }), '/columns/0/steps/1: nothing may follow oneHot'],
    [oneColumn('kind', { ordinal: { ...basicPro, unknown: -1 } }, { oneHot: basicPro }), '/columns/0/steps/1: a column has one oneHot or ordinal step at most'],
    [oneColumn('kind', { oneHot: { ...basicPro, categories: ['basic', 1] } }), '/columns/0/steps/0: the category 1 is not a string'],
    [oneColumn('n', { oneHot: { ...basicPro, categories: ['4'] } }), '/columns/0/steps/0: the category "4" is not a number'],
    [oneColumn('flag', { oneHot: { ...basicPro, categories: ['true'] } }), '/columns/0/steps/0: the category "true" is not a boolean'],
    [oneColumn('kind', { oneHot: { ...basicPro, categories: ['pro', 'pro'] } }), '/columns/0/steps/0: a category occurs twice'],
    [oneColumn('kind', { log1p: true }, { oneHot: basicPro }), '/columns/0/steps/1: only one impute step with a string may stand before it'],
    [oneColumn('kind', { impute: 5 }, { oneHot: basicPro }), '/columns/0/steps/1: only one impute step with a string may stand before it'],
    [oneColumn('flag', { impute: true }, { impute: true }, { oneHot: { ...basicPro, categories: [true] } }), '/columns/0/steps/2: only one impute step with a boolean may stand before it'],
    [oneColumn('x', { impute: -3 }, { log1p: true }), '/columns/0: the imputed value does not become a finite float32'],
    [oneColumn('x', { impute: 1e39 }), '/columns/0: the imputed value does not become a finite float32'],
    [oneColumn('kind', { impute: 'team' }, { oneHot: { ...basicPro, unknown: 'error' } }), '/columns/0: the imputed value must be one of basic, pro'],
  ])('%j', (columns, message) => {
    expect(() => compile(columns)).toThrow(new Error(message))
  })
})
