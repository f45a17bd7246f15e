import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EncoderFeature } from '../../src/preprocess/compile.ts'
import { compilePreprocessor } from '../../src/preprocess/compile.ts'
import type { Preprocessor } from '../../src/preprocess/spec.ts'
import { boostSplit } from '../../src/training/boost.ts'
import { CategoryCodes } from '../../src/training/category-codes.ts'
import { Crew } from '../../src/training/crew.ts'
import { crossValidate } from '../../src/training/evaluate.ts'
import { fit, type Learner } from '../../src/training/learner.ts'
import { type Matrix, selectTarget, type Target } from '../../src/training/matrix.ts'
import { random } from '../../src/training/random.ts'
import { openModel, runModel } from '../onnx/session.ts'

const forest = { algorithm: 'random-forest', params: { trees: 5, maxDepth: 4, minSamplesLeaf: 1, maxFeatures: 'all', bootstrap: true } } as const
const boosting = {
  algorithm: 'gradient-boosting',
  params: { trees: 8, learningRate: 0.3, maxLeaves: 8, maxDepth: 4, minSamplesLeaf: 2, l2: 0, subsample: 1, colsample: 1, validation: 0, patience: 10 },
} as const
const learners: [string, Learner][] = [['a forest', forest], ['boosting', boosting], ['boosting that holds rows back', { ...boosting, params: { ...boosting.params, validation: 0.25 } }]]

/** One category column of codes from 0, and `others` numbers beside it. */
function problem (codes: readonly number[], count: number, others: readonly (readonly number[])[] = []): { matrix: Matrix, spec: Preprocessor['columns'] } {
  const columns = 1 + others.length
  const data = new Float32Array(codes.length * columns)
  codes.forEach((code, row) => data.set([code, ...others.map(list => list[row]!)], row * columns))
  const categories = Array.from({ length: count }, (_, i) => `c${i}`)
  return {
    matrix: { data, rows: codes.length, columns },
    spec: [{ feature: 'kind', steps: [{ ordinal: { categories, unknown: 'missing' } }] }, ...others.map((_, i) => ({ feature: `x${i}`, steps: [] }))],
  }
}

function orderOf (codes: CategoryCodes): unknown[] {
  const [step] = codes.columns()[0]!.steps
  return step !== undefined && 'ordinal' in step ? step.ordinal.categories : []
}

const classesOf = (classes: readonly number[], count: number): Target => ({ kind: 'classes', classes: Int32Array.from(classes), count })
const valuesOf = (values: readonly number[]): Target => ({ kind: 'values', values: Float64Array.from(values) })

describe('categories whose names say nothing are learned at once', () => {
  const codes = Array.from({ length: 400 }, (_, row) => row % 20)
  test.each<[string, number, Target]>([
    ['two classes, by one split', 1, classesOf(codes.map(code => code % 2), 2)],
    ['values, by one split', 1, valuesOf(codes.map(code => code % 2))],
    ['three classes, by two', 2, classesOf(codes.map(code => code % 3), 3)],
    ['five classes, by four', 4, classesOf(codes.map(code => code % 5), 5)],
  ])('%s', async (_, maxDepth, target) => {
    const { matrix, spec } = problem(codes, 20)
    const labels = target.kind === 'classes' ? Array.from({ length: target.count }, (_, k) => `k${k}`) : []
    const learner: Learner = { ...forest, params: { ...forest.params, maxDepth } }
    const scores = await crossValidate({ matrix, target, labels, learner, seed: 1, fitting: { categories: new CategoryCodes(matrix, spec) } }, 4)
    expect((scores['accuracy'] ?? scores['r2'])!.mean).toBeCloseTo(1, 10)
  })
})

test('no two sets of equally frequent categories differ more than those at a border', () => {
  const count = 6
  const each = 4
  fc.assert(fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: count * each, maxLength: count * each }), values => {
    const { matrix, spec } = problem(values.map((_, row) => row % count), count)
    new CategoryCodes(matrix, spec).learn(valuesOf(values))
    const explained = (isLeft: (row: number) => boolean): number => {
      const sides = [values.filter((_, row) => isLeft(row)), values.filter((_, row) => !isLeft(row))]
      return sides.reduce((sum, side) => sum + (side.length === 0 ? 0 : side.reduce((a, b) => a + b, 0) ** 2 / side.length), 0)
    }
    const atBorders = Array.from({ length: count }, (_, border) => explained(row => matrix.data[row]! <= border))
    const ofSets = Array.from({ length: 2 ** count }, (_, set) => explained(row => (set >> row % count & 1) === 1))
    expect(Math.max(...atBorders)).toBeCloseTo(Math.max(...ofSets), 8)
  }))
})

/** Categories, some missing, and what is to be learned. */
const tables = fc.integer({ min: 1, max: 12 }).chain(count => fc.integer({ min: 8, max: 40 }).chain(rows => {
  const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: rows, maxLength: rows })
  return fc.record({
    count: fc.constant(count),
    codes: list(fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: count - 1 }) }, { weight: 1, arbitrary: fc.constant(NaN) })),
    numbers: list(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(NaN))),
    target: fc.oneof(
      fc.integer({ min: 2, max: 4 }).chain(k => list(fc.integer({ min: 0, max: k - 1 })).map(classes => classesOf(classes, k))),
      list(fc.integer({ min: -100, max: 100 })).map(valuesOf)
    ),
  })
}))

test('earlier orders leave no trace, and rows stay what they were', () => {
  fc.assert(fc.property(tables, ({ codes, count, target }) => {
    const once = problem(codes, count)
    const twice = problem(codes, count)
    const rows = Int32Array.from({ length: codes.length >> 1 }, (_, i) => 2 * i)
    const [first, second] = [new CategoryCodes(once.matrix, once.spec), new CategoryCodes(twice.matrix, twice.spec)]
    first.learn(target)
    second.learn(selectTarget(target, rows), rows)
    second.learn(target)
    expect(second.columns()).toEqual(first.columns())
    expect(twice.matrix).toEqual(once.matrix)
    const order = orderOf(first)
    codes.forEach((code, row) => expect(order[once.matrix.data[row]!]).toBe(Number.isNaN(code) ? undefined : `c${code}`))
  }))
})

const asked: EncoderFeature[] = [{ name: 'kind', type: 'string' }, { name: 'x0', type: 'number' }]

describe('what the server encodes and the ONNX file answers is what was trained, missing and unknown categories included', () => {
  test.each(learners)('%s', async (_, learner) => {
    await fc.assert(fc.asyncProperty(tables, fc.integer(), async ({ codes, numbers, count, target }, seed) => {
      const { matrix, spec } = problem(codes, count, [numbers])
      const categories = new CategoryCodes(matrix, spec)
      const model = await fit(learner, matrix, target, seed, { categories })
      const encoder = compilePreprocessor({ schemaVersion: 1, output: { name: 'X', type: 'float32' }, columns: [...categories.columns()] }, asked)
      const data = new Float32Array(matrix.data.length)
      codes.forEach((code, row) => {
        const kind = !Number.isNaN(code) ? `c${code}` : row % 2 === 0 ? null : 'never seen'
        const number = numbers[row]!
        encoder.write([kind, Number.isNaN(number) ? null : number], data, row * 2, (_, message) => { throw new Error(message) })
      })
      expect(data).toEqual(matrix.data)
      const session = await openModel(model.toOnnx())
      const outputs = await runModel(session, { X: { type: 'float32', shape: [codes.length, 2], data } })
      await session.release()
      const told = Array.from((outputs['probabilities'] ?? outputs['value']!).data as Float32Array)
      const answers = model.predict(matrix)
      expect(told).toHaveLength(answers.length)
      const tolerance = learner.algorithm === 'random-forest' ? 0 : 1e-6
      told.forEach((number, i) => expect(Math.abs(number - answers[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(number))))
    }), { numRuns: 40 })
  })
})

describe('targets of rows that are not learned from', () => {
  test('do not change the order', () => {
    fc.assert(fc.property(tables, fc.integer({ min: 1, max: 6 }), ({ codes, count, target }, every) => {
      const rows = Int32Array.from(codes.keys()).filter(row => row % (every + 1) !== 0)
      const { matrix, spec } = problem(codes, count)
      const categories = new CategoryCodes(matrix, spec)
      const orders = [target, spoilt(target, row => row % (every + 1) === 0)].map(told => {
        categories.learn(selectTarget(told, rows), rows)
        return orderOf(categories)
      })
      expect(orders[1]).toEqual(orders[0])
    }))
  })

  test('do not change it where boosting holds them back', async () => {
    const learner = learners[2]![1] as Learner & { algorithm: 'gradient-boosting' }
    await fc.assert(fc.asyncProperty(tables, fc.integer(), async ({ codes, count }, seed) => {
      const target = valuesOf(codes.map((_, row) => row * 37 % 11))
      const held = boostSplit(target, learner.params, seed).test
      const orders: unknown[] = []
      for (const told of [target, spoilt(target, row => held.includes(row))]) {
        const { matrix, spec } = problem(codes, count)
        const categories = new CategoryCodes(matrix, spec)
        await fit(learner, matrix, told, seed, { categories })
        orders.push(orderOf(categories))
      }
      expect(orders[1]).toEqual(orders[0])
    }), { numRuns: 30 })
  })

  function spoilt (target: Target, isSpoilt: (row: number) => boolean): Target {
    return target.kind === 'classes'
      ? { ...target, classes: target.classes.map((k, row) => isSpoilt(row) ? (k + 1) % target.count : k) }
      : { ...target, values: target.values.map((value, row) => isSpoilt(row) ? 1000 - value : value) }
  }
})

describe('many categories that say nothing', () => {
  const rows = 400
  const drawn = (seed: number, below: number) => {
    const source = random(seed)
    return Array.from({ length: rows }, () => source.below(below))
  }

  /** Mean area under the ROC curve over some draws of categories and coins: 0.5 is chance, also where one class has more rows. */
  async function meanArea (learner: Learner, fromAllRows: boolean): Promise<number> {
    let sum = 0
    const draws = 8
    for (let seed = 0; seed < draws; seed++) {
      const target = classesOf(drawn(seed * 2 + 1, 2), 2)
      const { matrix, spec } = problem(drawn(seed * 2, 60), 60)
      const categories = new CategoryCodes(matrix, spec)
      if (fromAllRows) categories.learn(target)
      const scores = await crossValidate({ matrix, target, labels: ['a', 'b'], learner, seed, fitting: fromAllRows ? {} : { categories } }, 5)
      sum += scores['roc_auc']!.mean
    }
    return sum / draws
  }

  test.each(learners)('do not lift the score of %s above chance, as an order made from all rows would', async (_, learner) => {
    expect(await meanArea(learner, false)).toBeLessThan(0.53)
    expect(await meanArea(learner, true)).toBeGreaterThan(0.56)
  })
})

test.each(learners)('%s has the same bytes with threads and without', async (_, learner) => {
  const codes = Array.from({ length: 300 }, (_, row) => row * 7919 % 31)
  const target = classesOf(codes.map((code, row) => (code + row % 2) % 3), 3)
  const crew = new Crew(2)
  try {
    const bytes = []
    for (const options of [{}, { crew }]) {
      const { matrix, spec } = problem(codes, 31, [codes.map((_, row) => row)])
      bytes.push((await fit(learner, matrix, target, 1, { ...options, categories: new CategoryCodes(matrix, spec) })).toOnnx())
    }
    expect(bytes[1]).toEqual(bytes[0])
  } finally {
    await crew.close()
  }
})
