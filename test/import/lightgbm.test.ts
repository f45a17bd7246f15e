import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FatalError } from '../../src/errors.ts'
import type { ImportedModel } from '../../src/import/imported.ts'
import { importLightgbm } from '../../src/import/lightgbm.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { withManifest } from '../helpers/models.ts'
import { openModel, runModel } from '../onnx/session.ts'
import { modelText, models, objectives } from './fixtures/lightgbm/random.ts'
import { predictByRules } from './fixtures/lightgbm/reference.ts'

function fixture (name: string): string {
  return readFileSync(new URL(`fixtures/lightgbm/${name}`, import.meta.url), 'utf8')
}

function importText (text: string, labels?: readonly string[]): ImportedModel {
  return importLightgbm(new TextEncoder().encode(text), labels === undefined ? {} : { labels })
}

/** Row by row: the probabilities, or the value. */
async function answers ({ model, outputs }: ImportedModel, rows: readonly (readonly number[])[]): Promise<{ numbers: number[][], classes: number[] }> {
  const session = await openModel(model)
  const columns = rows[0]!.length
  const given = await runModel(session, { X: { type: 'float64', shape: [rows.length, columns], data: Float64Array.from(rows.flat()) } })
  await session.release()
  const numbers = Array.from(given[outputs!.probabilities ?? outputs!.value!]!.data as Float32Array)
  const width = numbers.length / rows.length
  const classes = outputs!.label === undefined ? [] : Array.from(given[outputs!.label]!.data as BigInt64Array, Number)
  return { numbers: rows.map((_, i) => numbers.slice(i * width, (i + 1) * width)), classes }
}

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score))
const none = NaN

describe('a binary model', () => {
  // Tree 0: tenure ≤ 12.5 or missing: 0.4; else plan 0 (basic) or 2 (pro): -0.1; else -0.3.
  // Tree 1: charges ≤ 70.35: -0.2; else 0.25.
  test.each([
    ['both trees to the left', [5, 70.35, 1], 0.4 - 0.2],
    ['charges above the threshold', [5, 70.36, 1], 0.4 + 0.25],
    ['plan pro', [13, 20, 2], -0.1 - 0.2],
    ['plan plus', [13, 20, 1], -0.3 - 0.2],
    ['an unknown plan', [13, 20, 7], -0.3 - 0.2],
    ['no plan', [13, 20, none], -0.3 - 0.2],
    ['no tenure', [none, 20, 1], 0.4 - 0.2],
    ['no charges, which count as 0', [13, none, 0], -0.1 - 0.2],
  ])('adds leaves and takes the sigmoid: %s', async (_, [tenure, charges, plan], score) => {
    const { numbers, classes } = await answers(importText(fixture('churn.txt')), [[tenure!, charges!, plan!, none]])
    expect(numbers).toEqual([[expect.closeTo(1 - sigmoid(score), 6), expect.closeTo(sigmoid(score), 6)]])
    expect(classes).toEqual([score > 0 ? 1 : 0])
  })

  test('says what its features are', () => {
    const { features, labels, task, origin, notices } = importText(fixture('churn.txt'), ['stays', 'leaves'])
    expect(features).toEqual([
      { name: 'tenure', type: 'number', range: [0, 72], required: false },
      // Training saw none missing: NaN would count as 0 without a word.
      { name: 'charges', type: 'number', range: [18.25, 118.75], required: true },
      { name: 'plan', type: 'string', enum: ['basic', 'plus', 'pro'], required: false },
      { name: 'region', type: 'number', required: false, description: 'The model does not use it.' },
    ])
    expect({ labels, task, origin, notices }).toEqual({
      labels: ['stays', 'leaves'],
      task: 'classification',
      origin: { algorithm: 'LightGBM', objective: 'binary sigmoid:1', trees: 2 },
      notices: [],
    })
  })

  test('has the same answers with the line ends of Windows', () => {
    expect(importText(fixture('churn.txt').replaceAll('\n', '\r\n'))).toEqual(importText(fixture('churn.txt')))
  })

  test('takes its slope from the objective', async () => {
    const steep = importText(fixture('churn.txt').replace('sigmoid:1', 'sigmoid:2.5'))
    const { numbers } = await answers(steep, [[5, 20, 0, 0]])
    expect(numbers[0]?.[1]).toBeCloseTo(sigmoid(2.5 * 0.2), 6)
  })
})

test('a model of three classes takes the softmax of each class\'s own trees', async () => {
  const { numbers, classes } = await answers(importText(fixture('species.txt')), [[1.4, 0.2], [5, 2]])
  // Trees 0 and 3, 1 and 4, 2 and 5 belong to the classes 0, 1 and 2.
  const scores = [[1 + 0.5, 0.5 + 0.25, 0.25 - 0.75], [-1 - 0.25, -0.5 - 0.25, 0.25 + 1.25]]
  expect(numbers).toEqual(scores.map(row => {
    const sum = row.reduce((total, score) => total + Math.exp(score), 0)
    return row.map(score => expect.closeTo(Math.exp(score) / sum, 6))
  }))
  expect(classes).toEqual([0, 2])
})

describe('a regression', () => {
  // Tree 0: rooms ≤ 1.5: (debt is 0: 20, as default; debt ≤ -2: 10; else 20); else rooms ≤ 3.5: 30; else 40.
  // Tree 1: zone 0, 31 or 33: 1; else age ≤ 0.3: 2; else or missing: 3.
  test.each([
    ['debt below', [1, -2, 0.3, 1], 10 + 2],
    ['debt that counts as zero', [1, 1e-36, 0.3, 1], 20 + 2],
    ['no debt', [1, none, 0.3, 1], 20 + 2],
    ['no rooms, which count as 0', [none, -3, 0.5, 1], 10 + 3],
    ['three rooms, no age', [3, 0, none, 1], 30 + 3],
    ['an age that is 0.3 only as a float32', [3, 0, Math.fround(0.3), 1], 30 + 3],
    ['the first zone', [4, 0, 0, 0], 40 + 1],
    ['the last zone of the first word', [4, 0, 0, 31], 40 + 1],
    ['a zone of the second word', [4, 0, 0, 33], 40 + 1],
    ['a zone with a fraction, which is cut off', [4, 0, 0, 33.9], 40 + 1],
    ['a zone between -1 and 0, which is cut off too', [4, 0, 0, -0.9], 40 + 1],
    ['a zone that is in no set', [4, 0, 0, 32], 40 + 2],
    ['a zone behind all words', [4, 0, 0, 64], 40 + 2],
    ['a zone below 0', [4, 0, 0, -1], 40 + 2],
    ['no zone', [4, 0, 0, none], 40 + 2],
  ])('adds up leaves: %s', async (_, row, value) => {
    expect((await answers(importText(fixture('prices.txt')), [row])).numbers).toEqual([[value]])
  })

  test('has codes where there are no names', () => {
    expect(importText(fixture('prices.txt')).features?.at(-1)).toEqual({ name: 'zone', type: 'integer', range: [0, 33], required: false })
  })

  test.each([
    ['regression sqrt', 41 * 41], ['poisson', Math.exp(0.41)], ['cross_entropy', sigmoid(0.41)], ['cross_entropy_lambda', Math.log1p(Math.exp(0.41))], ['lambdarank', 41],
  ])('of the objective %s converts the sum', async (objective, value) => {
    const sum = ['regression sqrt', 'lambdarank'].includes(objective) ? 41 : 0.41
    const text = fixture('prices.txt').replace('objective=regression', `objective=${objective}`)
      .replace('leaf_value=10 20 30 40', `leaf_value=10 20 30 ${sum - 1}`)
    const { numbers } = await answers(importText(text), [[4, 0, 0, 0]])
    expect(numbers[0]?.[0]! / value).toBeCloseTo(1, 6)
  })

  test('of a random forest is the average', async () => {
    const forest = importText(fixture('prices.txt').replace('objective=regression', 'objective=regression\naverage_output'))
    expect((await answers(forest, [[4, 0, 0, 0]])).numbers).toEqual([[(40 + 1) / 2]])
  })
})

describe('categories of pandas', () => {
  const withCategories = (json: string) => importText(fixture('churn.txt').replace(/pandas_categorical:.*/, `pandas_categorical:${json}`))

  test.each([
    ['numbers', '[[10, 20.5, 30]]', { type: 'number', enum: [10, 20.5, 30] }],
    ['two truth values, where there are three codes', '[[false, true]]', { type: 'integer' }],
    ['a mixture', '[["a", 1, 2]]', { type: 'integer' }],
    ['fewer than there are codes', '[["a", "b"]]', { type: 'integer' }],
    ['lists of more columns than are known', '[["a", "b", "c"], ["x", "y"]]', { type: 'integer' }],
    ['none', 'null', { type: 'integer' }],
  ])('can be %s', (_, json, expected) => {
    const { features, preprocessor, notices } = withCategories(json)
    expect(features?.[2]).toMatchObject(expected)
    expect(preprocessor === undefined).toBe(expected.type === 'integer')
    expect(notices).toHaveLength(expected.type === 'integer' && json !== 'null' ? 1 : 0)
  })

  test('can be truth values', () => {
    const text = fixture('churn.txt').replace('0:1:2', '0:1').replace(/pandas_categorical:.*/, 'pandas_categorical:[[false, true]]')
    expect(importText(text)).toMatchObject({
      features: [{}, {}, { name: 'plan', type: 'boolean', required: false }, {}],
      preprocessor: { columns: [{ steps: [] }, { steps: [] }, { steps: [{ ordinal: { categories: [false, true], unknown: -1 } }] }, { steps: [] }] },
    })
  })

  test('belong to the columns that the parameters name, also where a column had one value only', () => {
    const text = fixture('churn.txt').replace('[categorical_feature: 2]', '[categorical_feature: 2,3]')
      .replace(/pandas_categorical:.*/, 'pandas_categorical:[["a", "b", "c"], ["north"]]')
    expect(importText(text).features?.slice(2)).toMatchObject([{ name: 'plan', enum: ['a', 'b', 'c'] }, { name: 'region', enum: ['north'] }])
  })

  describe('are what a caller of the service sends', () => {
    let server: TestApp
    beforeAll(async () => {
      const { model, preprocessor, features, labels, outputs } = importText(fixture('churn.txt'), ['stays', 'leaves'])
      server = await startApp({
        'churn/1': withManifest({ 'model.onnx': model, 'preprocessor.json': preprocessor! }, { name: 'churn', version: '1', features: [...features!], labels: [...labels!], outputs: outputs! }),
      }, { AUTH: 'off' })
    })
    afterAll(async () => { await server.close() })

    test.each([
      [{ tenure: 13, charges: 20, plan: 'pro' }, -0.1 - 0.2],
      [{ tenure: 13, charges: 20, plan: 'plus' }, -0.3 - 0.2],
      [{ tenure: 13, charges: 20, plan: null }, -0.3 - 0.2],
      [{ charges: 80 }, 0.4 + 0.25],
    ])('%j', async (row, score) => {
      const { status, body } = await server.post('/predict', row)
      expect({ status, body }).toMatchObject({ status: 200, body: { class_name: score > 0 ? 'leaves' : 'stays', probabilities: [expect.closeTo(1 - sigmoid(score), 6), expect.closeTo(sigmoid(score), 6)] } })
    })

    test.each([
      [{ tenure: 1, charges: 20, plan: 'gold' }, '/plan'],
      [{ tenure: 1, plan: 'pro' }, '/charges'],
    ])('%j is refused', async (row, path) => {
      expect(await server.post('/predict', row)).toMatchObject({ status: 422, body: { errors: [{ path }] } })
    })
  })
})

describe('every model answers as LightGBM\'s rules say', () => {
  test('on thresholds and beside them, missing, near zero, in and out of every set', async () => {
    await fc.assert(fc.asyncProperty(models, async ({ text, rows }) => {
      const imported = importText(text)
      const { numbers } = await answers(imported, rows)
      rows.forEach((row, i) => {
        const expected = predictByRules(text, row)
        // One score of a classification is the second class's probability.
        const given = numbers[i]!.slice(-expected.length)
        given.forEach((number, k) => expect(Math.abs(number - expected[k]!), `${JSON.stringify(row)}\n${text}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[k]!))))
      })
    }), { numRuns: 100 })
  })

  const wholeTree = 'Tree=0\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\nshrinkage=1\n\n\n'
  test.each(objectives)('with trees of one leaf: $objective', async ({ objective, classes }) => {
    const trees = Array.from({ length: classes }, (_, i) => wholeTree.replace('Tree=0', `Tree=${i}`))
    const text = modelText(objective, classes, 1, trees)
    const { numbers } = await answers(importText(text), [[1]])
    const expected = predictByRules(text, [1])
    expect(numbers[0]!.slice(-expected.length)).toEqual(expected.map(number => expect.closeTo(number, 6)))
  })
})

/** A tree that goes on to the right only. */
function deepText (splits: number): string {
  const list = (value: (i: number) => number, count = splits) => Array.from({ length: count }, (_, i) => value(i)).join(' ')
  const tree = `Tree=0\nnum_leaves=${splits + 1}\nnum_cat=0\nsplit_feature=${list(() => 0)}\nthreshold=${list(i => i)}\ndecision_type=${list(() => 2)}\n` +
    `left_child=${list(i => ~i)}\nright_child=${list(i => i + 1 < splits ? i + 1 : ~splits)}\nleaf_value=${list(i => i, splits + 1)}\n\n`
  return modelText('regression', 1, 1, [tree])
}

test('a tree may be as deep as the runtime can load', async () => {
  expect((await answers(importText(deepText(1000)), [[-1], [500.5], [1e6]])).numbers).toEqual([[0], [501], [1000]])
})

describe('a file is refused with what is wrong in it:', () => {
  const churn = fixture('churn.txt')
  const linear = churn.replace('is_linear=0', 'is_linear=1')
  test.each<[string, string, RegExp]>([
    ['another text', 'hello', /^not a LightGBM text model: its first line must be "tree"; save one with booster\.save_model/],
    ['nothing', '', /^not a LightGBM text model/],
    ['the end missing', churn.slice(0, 600), /^the LightGBM model is cut off: it has no line "end of trees"/],
    ['an unknown version', churn.replace('version=v4', 'version=v9'), /^header, version \(line 2\): v9 is not supported, v2, v3, v4 are/],
    ['no version', churn.replace('version=v4\n', ''), /^header: the line "version=" is missing$/],
    ['no trees', churn.replace(/Tree=0[^]*end of trees/, 'end of trees'), /^header: the model has no trees$/],
    ['a tree missing', churn.replace(/Tree=1[^]*end of trees/, 'end of trees'), /^header, tree_sizes \(line 10\): tells of 2 trees, the file has 1$/],
    ['trees out of order', churn.replace('Tree=1', 'Tree=2'), /^line 33: "Tree=1" expected, found "Tree=2"$/],
    ['a line without a key', churn.replace('num_cat=1', '%%%'), /^tree 0 \(line 14\): "key=value" expected, found "%%%"$/],
    ['classes and trees that do not fit', fixture('species.txt').replace(/Tree=5[^]*end of trees/, 'end of trees').replace(/tree_sizes=.*\n/, ''), /^header, num_tree_per_iteration .*: is 3, but there are 5 trees$/],
    ['a number of classes that nothing stands behind', churn.replace('num_class=1', 'num_class=99999999').replace('num_tree_per_iteration=1', 'num_tree_per_iteration=99999999').replace('binary sigmoid:1', 'multiclass'), /but there are 2 trees$/],
    ['one class for many', churn.replace('binary sigmoid:1', 'multiclass num_class:1'), /^header, num_class \(line 3\): is 1, which does not go with the objective "multiclass"$/],
    ['trees per iteration unlike classes', churn.replace('num_tree_per_iteration=1', 'num_tree_per_iteration=2'), /^header, num_tree_per_iteration \(line 4\): is 2, 1 expected/],
    ['a number of features that lies', churn.replace('max_feature_idx=3', 'max_feature_idx=999999999'), /^header, feature_names \(line 8\): holds 4 names, 1000000000 expected$/],
    ['a bad feature info', churn.replace('[0:72]', '[0-72]'), /^header, feature_infos \(line 9\): value 0 is "\[0-72\]", not none/],
    ['an unknown objective', churn.replace('binary sigmoid:1', 'constructor'), /^header, objective \(line 7\): "constructor" is not supported; these are: binary, /],
    ['an unknown word of an objective', churn.replace('binary sigmoid:1', 'binary squared'), /^header, objective \(line 7\): "squared" is unknown behind "binary"$/],
    ['a slope of 0', churn.replace('sigmoid:1', 'sigmoid:0'), /"sigmoid:0" must have a number above 0$/],
    ['an objective of one\'s own', churn.replace('objective=binary sigmoid:1\n', ''), /^header, objective: the model was trained with a function of your own.*write the line "objective=regression"/],
    ['an objective of one\'s own, by name', churn.replace('binary sigmoid:1', 'custom'), /function of your own/],
    ['linear trees', linear, /^tree 0, is_linear \(line 29\): linear trees cannot be expressed .* train with linear_tree=false$/],
    ['too few leaves', churn.replace('0.40000000000000002 ', ''), /^tree 0, leaf_value \(line 21\): holds 2 values, 3 expected$/],
    ['no leaves', churn.replace('num_leaves=3', 'num_leaves=0'), /^tree 0, num_leaves \(line 13\): must be one whole number, 1 or more$/],
    ['a billion leaves', churn.replace('num_leaves=3', 'num_leaves=1000000000'), /^tree 0, leaf_value .*: holds 3 values, 1000000000 expected$/],
    ['a leaf that is no number', churn.replace('leaf_value=-0.20000000000000001', 'leaf_value=nan'), /^tree 1, leaf_value \(line 42\): value 0 is "nan", not a number$/],
    ['a leaf beyond float32', churn.replace('leaf_value=-0.20000000000000001', 'leaf_value=1e300'), /^tree 1, leaf_value \(line 42\): value 0 is too large for a float32$/],
    ['a threshold that is no number', churn.replace('threshold=70.350000000000009', 'threshold=7o'), /^tree 1, threshold \(line 38\): value 0 is "7o", not a number$/],
    ['a line that is missing', churn.replace(/^left_child.*\n/m, ''), /^tree 0: the line "left_child=" is missing$/],
    ['a split on a feature that is none', churn.replace('split_feature=0 2', 'split_feature=0 4'), /^tree 0, split_feature \(line 15\): split 1 is on feature 4, the model has 4$/],
    ['an unknown type of split', churn.replace('decision_type=10 9', 'decision_type=12 9'), /^tree 0, decision_type \(line 18\): split 0 has the type 12, which is unknown$/],
    ['a child out of range', churn.replace('right_child=1 -3', 'right_child=7 -3'), /^tree 0, right_child \(line 20\): split 0 leads to split 7, there are 2$/],
    ['a leaf out of range', churn.replace('right_child=1 -3', 'right_child=1 -9'), /^tree 0, right_child .*: split 1 leads to leaf 8, there are 3$/],
    ['a cycle', churn.replace('right_child=1 -3', 'right_child=1 0'), /^tree 0, right_child .*: split 1 leads to split 0, which is reached already: not a tree$/],
    ['a leaf with two parents', churn.replace('right_child=1 -3', 'right_child=1 -1'), /leads to leaf 0, which is reached already/],
    ['a split that nothing leads to', churn.replace('right_child=1 -3', 'right_child=-3 -2'), /^tree 0, left_child .*: no branch leads to split 1$/],
    ['a set of categories that is none', churn.replace('threshold=12.500000000000002 0', 'threshold=12.5 1'), /^tree 0, threshold .*: split 1 has the set of categories "1", which does not exist/],
    ['bounds that lie', churn.replace('cat_boundaries=0 1', 'cat_boundaries=0 9'), /^tree 0, cat_threshold .*: holds 1 values, 9 expected$/],
    ['bounds that fall', churn.replace('cat_boundaries=0 1', 'cat_boundaries=1 0'), /^tree 0, cat_boundaries .*: must begin at 0 and never fall$/],
    ['a word of more than 32 bits', churn.replace('cat_threshold=5', 'cat_threshold=4294967296'), /^tree 0, cat_threshold .*: 4294967296 is not a 32-bit word$/],
    ['categories that are not JSON', churn.replace(/pandas_categorical:.*/, 'pandas_categorical:[['), /^pandas_categorical: is not JSON: "\[\["$/],
    ['categories that are no lists', churn.replace(/pandas_categorical:.*/, 'pandas_categorical:{"a":1}'), /^pandas_categorical: must be null or a list of lists/],
    ['a tree that is too deep', deepText(5000), /^tree 0, (split|leaf) \d+: stands more than \d+ levels below the root.*; train with max_depth set$/],
  ])('%s', (_, text, message) => {
    expect(() => importText(text)).toThrow(message)
    expect(() => importText(text)).toThrow(FatalError)
    expect(() => importText(text)).not.toThrow(/\n/)
  })

  test('bytes that are no text', () => {
    expect(() => importLightgbm(Uint8Array.of(0x74, 0x72, 0xff, 0xfe), {})).toThrow(/^not a LightGBM text model: it is not UTF-8 text/)
  })

  test.each([
    ['churn.txt', ['yes'], /^1 labels are given \(yes\), and the model has 2 classes$/],
    ['prices.txt', ['yes', 'no'], /^labels are for classifications, and the objective makes this model a regression/],
  ])('labels that do not fit %s', (name, labels, message) => {
    expect(() => importText(fixture(name), labels)).toThrow(message)
  })

  test('whatever is cut out of it, it is either read or refused so', () => {
    fc.assert(fc.property(fc.nat(churn.length), fc.nat(40), fc.string({ maxLength: 3 }), (at, length, instead) => {
      try {
        importText(churn.slice(0, at) + instead + churn.slice(at + length))
      } catch (error) {
        expect(error).toBeInstanceOf(FatalError)
      }
    }), { numRuns: 500 })
  })
})
