import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ImportedModel } from '../../src/import/imported.ts'
import { importXgboost } from '../../src/import/xgboost.ts'
import { openModel, runModel } from '../onnx/session.ts'

const folder = new URL('fixtures/xgboost/', import.meta.url)

/** Rows, null where a value is missing, and what XGBoost 1.7 answered to each: see fixtures/xgboost.py. */
interface Known {
  readonly rows: readonly (readonly (number | null)[])[]
  readonly expected: readonly (number | readonly number[])[]
}

function fileOf (name: string): Buffer {
  return readFileSync(new URL(`${name}.json`, folder))
}

function knownOf (name: string): Known {
  return JSON.parse(readFileSync(new URL(`${name}.rows.json`, folder), 'utf8')) as Known
}

interface Answers {
  readonly value: readonly number[]
  readonly label: readonly number[]
  readonly probabilities: readonly (readonly number[])[]
}

/** What the imported model answers in the real runtime. */
async function answersOf ({ model, features = [] }: ImportedModel, rows: Known['rows']): Promise<Answers> {
  const session = await openModel(model)
  const data = Float32Array.from(rows.flat(), value => value ?? NaN)
  const outputs = await runModel(session, { X: { type: 'float32', shape: [rows.length, features.length], data } })
  const numbersOf = (name: string) => Array.from((outputs[name]?.data ?? []) as ArrayLike<number | bigint>, Number)
  const probabilities = numbersOf('probabilities')
  const classes = probabilities.length / rows.length
  return {
    value: numbersOf('value'),
    label: numbersOf('label'),
    probabilities: rows.map((_, i) => probabilities.slice(i * classes, (i + 1) * classes)),
  }
}

/** The largest difference, in parts of the value where that is above 1. */
function furthest (actual: readonly number[], expected: readonly (number | readonly number[])[]): number {
  const flat = expected.flat()
  expect(actual).toHaveLength(flat.length)
  return Math.max(...actual.map((value, i) => Math.abs(value - flat[i]!) / Math.max(1, Math.abs(flat[i]!))))
}

const tolerance = 1e-5

describe('a model answers as XGBoost did', () => {
  test.each([
    ['binary, with missing values and a base score', 'binary'],
    ['dart', 'dart'],
    ['early stopping', 'early-stopping'],
    ['hinge', 'hinge'],
  ])('%s', async (_, name) => {
    const { rows, expected } = knownOf(name)
    const { label, probabilities } = await answersOf(importXgboost(fileOf(name), {}), rows)
    expect(furthest(probabilities.map(([, second]) => second!), expected)).toBeLessThan(tolerance)
    expect(furthest(probabilities.map(([first, second]) => first! + second!), rows.map(() => 1))).toBeLessThan(1e-6)
    expect(label).toEqual(expected.map(probability => Number(probability as number > 0.5)))
  })

  test.each([
    ['multi-class', 'multiclass'],
    ['a random forest', 'forest'],
    ['the scikit-learn interface', 'scikit-learn'],
  ])('%s', async (_, name) => {
    const { rows, expected } = knownOf(name)
    const { label, probabilities } = await answersOf(importXgboost(fileOf(name), {}), rows)
    expect(furthest(probabilities.flat(), expected)).toBeLessThan(tolerance)
    expect(label).toEqual(expected.map(row => (row as number[]).indexOf(Math.max(...row as number[]))))
  })

  test('multi-class, where XGBoost answers the class alone', async () => {
    const { rows, expected } = knownOf('softmax')
    const { label, probabilities } = await answersOf(importXgboost(fileOf('softmax'), {}), rows)
    expect(label).toEqual(expected)
    expect(probabilities[0]).toHaveLength(3)
  })

  test('raw scores, as the probabilities that they stand for', async () => {
    const { rows, expected } = knownOf('logitraw')
    const { label, probabilities } = await answersOf(importXgboost(fileOf('logitraw'), {}), rows)
    expect(furthest(probabilities.map(([, second]) => second!), expected.map(score => 1 / (1 + Math.exp(-(score as number)))))).toBeLessThan(tolerance)
    expect(label).toEqual(expected.map(score => Number(score as number > 0)))
  })

  test.each([
    'absolute-error', 'categorical', 'dart-regression', 'poisson', 'rank', 'reg-gamma', 'reg-logistic',
    'reg-pseudohubererror', 'reg-squaredlogerror', 'reg-tweedie', 'regression',
  ])('%s', async name => {
    const { rows, expected } = knownOf(name)
    const imported = importXgboost(fileOf(name), {})
    expect(imported).toMatchObject({ task: 'regression', outputs: { value: 'value' } })
    expect(furthest((await answersOf(imported, rows)).value, expected)).toBeLessThan(tolerance)
  })

  test('one row by itself gets the answer that it gets among many', async () => {
    const { rows } = knownOf('binary')
    const imported = importXgboost(fileOf('binary'), {})
    const { probabilities } = await answersOf(imported, rows)
    for (const [i, row] of rows.entries()) expect((await answersOf(imported, [row])).probabilities[0]).toEqual(probabilities[i])
  })
})

describe('what a file says of its model', () => {
  test('names and types of the features, all of which may be missing', () => {
    const { features } = importXgboost(fileOf('regression'), {})
    expect(features!.slice(0, 3)).toEqual([
      { name: 'age', type: 'integer', required: false },
      { name: 'sex', type: 'integer', required: false },
      { name: 'bmi', type: 'number', required: false },
    ])
  })

  test('features without names are counted', () => {
    const { features } = importXgboost(fileOf('multiclass'), {})
    expect(features!.map(({ name }) => name)).toEqual(['f0', 'f1', 'f2', 'f3'])
  })

  test('categories are numbers from 0', () => {
    const { features, notices } = importXgboost(fileOf('categorical'), {})
    expect(features![1]).toMatchObject({ name: 'town', type: 'integer', minimum: 0 })
    expect(notices.join()).toContain('0 for the first: town, kind')
  })

  test('labels are the classes\' numbers unless they are given', () => {
    expect(importXgboost(fileOf('binary'), {}).labels).toEqual(['0', '1'])
    expect(importXgboost(fileOf('multiclass'), { labels: ['a', 'b', 'c'] }).labels).toEqual(['a', 'b', 'c'])
  })

  test('where it comes from', () => {
    const { origin, notices } = importXgboost(fileOf('dart-regression'), {})
    expect(origin).toEqual({ algorithm: 'XGBoost', version: '1.7.4', objective: 'reg:squarederror', booster: 'dart', rounds: 4, trees: 8 })
    expect(notices).toEqual([])
  })

  test('that rounds are left out after early stopping', () => {
    const { origin, notices } = importXgboost(fileOf('early-stopping'), {})
    expect(origin).toMatchObject({ rounds: 7, trees: 7 })
    expect(notices.join()).toContain('first 7 of 11 rounds')
  })
})

/** As much of a file as the tests change. */
interface File {
  learner: {
    attributes: Record<string, string>
    feature_names: string[] | null
    feature_types: string[] | null
    gradient_booster: Booster
    learner_model_param: Record<string, unknown>
    objective: { name: string }
  }
  version: unknown
}
interface Booster {
  name: string
  gbtree?: Booster
  weight_drop?: unknown[]
  model: { gbtree_model_param: Record<string, unknown>, iteration_indptr?: unknown, tree_info: unknown[], trees: Record<string, unknown[]>[] }
}

/** The file of a fixture, changed. `NaN` is null on the way and comes back as it was written. */
function changed (name: string, change: (file: File, tree: Record<string, unknown[]>) => void): Buffer {
  const file = JSON.parse(fileOf(name).toString().replaceAll(/\bNaN\b(?=[,\]])/g, 'null')) as File
  const { gradient_booster: booster } = file.learner
  change(file, (booster.gbtree ?? booster).model.trees[1]!)
  return Buffer.from(JSON.stringify(file).replaceAll(/(?<=[[,])null(?=[,\]])/g, 'NaN'))
}

describe('files of other versions', () => {
  async function expectSame (name: string, change: (file: File) => void) {
    const { rows, expected } = knownOf(name)
    const { value, probabilities } = await answersOf(importXgboost(changed(name, change), {}), rows)
    const actual = value.length > 0 ? value : probabilities[0]!.length === 2 ? probabilities.map(([, second]) => second!) : probabilities.flat()
    expect(furthest(actual, expected)).toBeLessThan(tolerance)
  }

  test.each<[string, string, unknown]>([
    ['a list in a text', 'binary', '[6.3E-1]'],
    ['a list of one for several classes', 'multiclass', '[1E-1]'],
    ['a list with one per class', 'multiclass', '[1E-1, 1E-1, 1E-1]'],
    ['a number', 'regression', 152],
    ['a list', 'multiclass', [0.1, 0.1, 0.1]],
    ['another spelling', 'poisson', '+7.5e0'],
  ])('base_score is %s', async (_, name, score) => {
    await expectSame(name, ({ learner }) => { learner.learner_model_param['base_score'] = score })
  })

  test('each class has its own base score', async () => {
    const { rows } = knownOf('multiclass')
    const file = changed('multiclass', ({ learner }) => { learner.learner_model_param['base_score'] = '[1E-1,3.1E0,1E-1]' })
    const [before, after] = [importXgboost(fileOf('multiclass'), {}), importXgboost(file, {})]
    const ratio = ([first = 0, second = 0]: readonly number[]) => Math.log(second / first)
    const scores = (await answersOf(before, rows)).probabilities.map(ratio)
    expect(furthest((await answersOf(after, rows)).probabilities.map(ratio), scores.map(score => score + 3))).toBeLessThan(tolerance)
  })

  test('default_left is true or false', async () => {
    await expectSame('binary', ({ learner }) => {
      for (const tree of learner.gradient_booster.model.trees) tree['default_left'] = tree['default_left']!.map(left => left === 1)
    })
  })

  test('no categories, names, types or attributes are known', async () => {
    await expectSame('binary', ({ learner }) => {
      learner.attributes = {}
      learner.feature_names = null
      learner.feature_types = []
      delete learner.learner_model_param['num_target']
      for (const tree of learner.gradient_booster.model.trees) {
        for (const key of Object.keys(tree)) if (key.startsWith('categories') || key === 'split_type') delete tree[key]
      }
    })
  })

  test('iteration_indptr tells where rounds begin', async () => {
    await expectSame('early-stopping', ({ learner }) => {
      const { model } = learner.gradient_booster
      model.iteration_indptr = [0, 2, 5, 7, 11]
      learner.attributes['best_iteration'] = '2'
    })
  })
})

/** Every row: what is wrong, the file, and what the message must hold. */
const refusals: [string, Uint8Array, RegExp][] = [
  ['UBJSON', Buffer.from('{L\0\0\0\0\0\0\0\x07learner'), /save_model\("model\.json"\)/],
  ['bytes that are no text', Buffer.from([0x7b, 0x22, 0xff, 0xfe]), /UTF-8/],
  ['nothing', Buffer.alloc(0), /not JSON/],
  ['a file cut short', fileOf('categorical').subarray(0, 5000), /its end is missing/],
  ['other JSON', Buffer.from('{"a": 1}'), /no "learner"/],
  ['dump_model', Buffer.from('[{"nodeid": 0}]'), /dump_model/],
  ['a text', Buffer.from('"learner"'), /^\/: must be an object/],
  ['no objective', changed('binary', file => { file.learner.objective = { name: 7 as unknown as string } }), /^\/learner\/objective\/name: must be a text, not 7/],
  ['an unknown objective', changed('binary', file => { file.learner.objective.name = 'my:own' }), /^\/learner\/objective\/name: "my:own" is not supported.*binary:logistic/],
  ['a member of Object', changed('binary', file => { file.learner.objective.name = 'constructor' }), /^\/learner\/objective\/name: "constructor" is not/],
  ['gblinear', changed('binary', file => { file.learner.gradient_booster.name = 'gblinear' }), /^\/learner\/gradient_booster\/name: gblinear .*gbtree/],
  ['another booster', changed('binary', file => { file.learner.gradient_booster.name = 'x'.repeat(500) }), /^\/learner\/gradient_booster\/name: "x{50,60}…" is not/],
  ['no booster', changed('binary', file => { delete (file.learner as Partial<File['learner']>).gradient_booster }), /^\/learner\/gradient_booster: .*missing/],
  ['no features', changed('binary', file => { file.learner.learner_model_param['num_feature'] = '0' }), /num_feature: must be a whole number, 1 or more/],
  ['a claim of features', changed('binary', file => { file.learner.learner_model_param['num_feature'] = '4000000000' }), /num_feature: 4000000000 features/],
  ['names for other features', changed('binary', file => { file.learner.feature_names!.pop() }), /^\/learner\/feature_names: holds 7 values, 8 expected/],
  ['a name that is no text', changed('binary', file => { file.learner.feature_names![2] = {} as string }), /^\/learner\/feature_names\/2: must be a text, not an object/],
  ['an unknown type', changed('regression', file => { file.learner.feature_types![2] = 'toString' }), /^\/learner\/feature_types\/2: "toString"/],
  ['several targets', changed('regression', file => { file.learner.learner_model_param['num_target'] = '3' }), /num_target: the model has 3 targets/],
  ['classes for one score', changed('binary', file => { file.learner.learner_model_param['num_class'] = '3' }), /num_class: is 3/],
  ['a claim of classes', changed('multiclass', file => { file.learner.learner_model_param['num_class'] = '1000000000' }), /num_class: must be from 2 to the number of trees, 12/],
  ['a base score of words', changed('binary', file => { file.learner.learner_model_param['base_score'] = 'half' }), /base_score: .*"half"/],
  ['no base score', changed('binary', file => { delete file.learner.learner_model_param['base_score'] }), /base_score: is missing/],
  ['too many base scores', changed('multiclass', file => { file.learner.learner_model_param['base_score'] = '[1,2]' }), /base_score: holds 2 values for 3 scores/],
  ['a mean that cannot be', changed('poisson', file => { file.learner.learner_model_param['base_score'] = '-1' }), /base_score: -1 cannot be/],
  ['an empty base score', changed('binary', file => { file.learner.learner_model_param['base_score'] = [] }), /base_score: is an empty list/],
  ['a version in words', changed('binary', file => { file.version = ['one'] }), /^\/version: /],
  ['a best round behind the last', changed('binary', file => { file.learner.attributes['best_iteration'] = '6' }), /best_iteration: is round 6, .*0 to 5/],
  ['a best round in words', changed('binary', file => { file.learner.attributes['best_iteration'] = '-1' }), /best_iteration: must be a whole number/],
  ['no trees', changed('binary', file => { file.learner.gradient_booster.model.trees = [] }), /^\/learner\/gradient_booster\/model\/trees: is empty/],
  ['a round cut short', changed('multiclass', file => { file.learner.gradient_booster.model.trees.pop() }), /model\/trees: holds 11 trees, .* 3/],
  ['a tree less than told', changed('binary', file => { file.learner.gradient_booster.model.trees.pop() }), /tree_info: holds 6 values, 5 expected/],
  ['rounds that fall', changed('binary', file => { file.learner.gradient_booster.model.iteration_indptr = [0, 4, 2, 6] }), /iteration_indptr: must rise/],
  ['a tree for no class', changed('multiclass', file => { file.learner.gradient_booster.model.tree_info[4] = 3 }), /tree_info\/4: is score 3/],
  ['a dart weight less', changed('dart', file => { file.learner.gradient_booster.weight_drop!.pop() }), /^\/learner\/gradient_booster\/weight_drop: holds 5 values, 6 expected/],
  ['a dart weight that is no number', changed('dart', file => { file.learner.gradient_booster.weight_drop![2] = null }), /weight_drop\/2: /],
  ['a tree that is none', changed('binary', file => { file.learner.gradient_booster.model.trees[3] = [] as never }), /trees\/3: must be an object, not a list/],
  ['leaves of several values', changed('binary', (_, tree) => { tree['tree_param'] = { size_leaf_vector: '3' } as never }), /trees\/1\/tree_param\/size_leaf_vector: .*one_output_per_tree/],
  ['another number of nodes', changed('binary', (_, tree) => { tree['tree_param'] = { num_nodes: '99' } as never }), /trees\/1\/tree_param\/num_nodes: is 99/],
  ['a short array', changed('binary', (_, tree) => { tree['right_children']!.pop() }), /trees\/1\/right_children: holds 12 values, 13 expected/],
  ['no array', changed('binary', (_, tree) => { delete tree['default_left'] }), /trees\/1\/default_left: must be a list, and is missing/],
  ['a child in words', changed('binary', (_, tree) => { tree['left_children']![0] = '1' }), /trees\/1\/left_children\/0: must be a whole number, not "1"/],
  ['a child out of range', changed('binary', (_, tree) => { tree['left_children']![0] = 13 }), /trees\/1\/left_children\/0: leads to node 13, .*0 to 12/],
  ['half a leaf', changed('binary', (_, tree) => { tree['right_children']![0] = -1 }), /trees\/1\/right_children\/0: leads to node -1/],
  ['a cycle', changed('binary', (_, tree) => { tree['left_children']![1] = 0 }), /trees\/1\/left_children\/1: leads to node 0, where another/],
  ['a node that is its own child', changed('binary', (_, tree) => { tree['right_children']![2] = 2 }), /trees\/1\/right_children\/2: leads to node 2/],
  ['a feature that is none', changed('binary', (_, tree) => { tree['split_indices']![0] = 8 }), /trees\/1\/split_indices\/0: tests feature 8, .*0 to 7/],
  ['a threshold NaN', changed('binary', (_, tree) => { tree['split_conditions']![0] = null }), /trees\/1\/split_conditions\/0: has the threshold NaN/],
  ['a leaf of NaN', changed('binary', (_, tree) => { tree['split_conditions']![12] = null }), /trees\/1\/split_conditions\/12: is a leaf of NaN/],
  ['a leaf beyond float32', changed('binary', (_, tree) => { tree['split_conditions']![12] = 1e39 }), /trees\/1\/split_conditions\/12: is a leaf of Infinity/],
  ['a set of no node', changed('categorical', (_, tree) => { tree['categories_nodes']![0] = 5000 }), /trees\/1\/categories_nodes\/0: is node 5000/],
  ['a set twice', changed('categorical', (_, tree) => { tree['categories_nodes']![1] = tree['categories_nodes']![0] }), /trees\/1\/categories_nodes\/1: .*once more/],
  ['a set beyond the end', changed('categorical', (_, tree) => { tree['categories_sizes']![0] = 1e9 }), /trees\/1\/categories_segments\/0: takes 1000000000/],
  ['a negative segment', changed('categorical', (_, tree) => { tree['categories_segments']![0] = -1 }), /trees\/1\/categories_segments\/0: takes/],
  ['a categorical node without a set', changed('categorical', (_, tree) => {
    for (const key of ['categories_nodes', 'categories_segments', 'categories_sizes']) tree[key] = []
  }), /trees\/1\/split_type\/\d+: calls node/],
  ['a negative category', changed('categorical', (_, tree) => { tree['categories']![0] = -4 }), /trees\/1\/categories_nodes\/\d+: has the category -4/],
]

describe('a file is refused in one line that names the place', () => {
  test.each(refusals)('%s', (_, file, message) => {
    const error = errorOf(() => importXgboost(file, {}))
    expect(error.name).toBe('FatalError')
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('\n')
    expect(error.message.length).toBeLessThan(600)
  })

  test.each([
    ['the wrong number of labels', 'multiclass', ['a', 'b'], /2 labels are given \(a, b\), and the model has 3 classes/],
    ['labels for a regression', 'regression', ['a', 'b'], /labels are for classifications/],
  ])('%s', (_, name, labels, message) => {
    expect(errorOf(() => importXgboost(fileOf(name), { labels })).message).toMatch(message)
  })

  test('whatever stands in its place, a value is refused or makes a model that runs', async () => {
    const strange = fc.oneof(
      fc.constantFrom<unknown>(null, -1, 0, 1, 2.5, 1e9, 1e39, '', '-1', '7', 'NaN', '1e400', [], {}, [[]], true),
      fc.jsonValue({ maxDepth: 2 })
    )
    const names = fc.constantFrom('categorical', 'dart', 'forest')
    await fc.assert(fc.asyncProperty(names, strange, fc.infiniteStream(fc.nat({ max: 1000 })), async (name, value, steps) => {
      const file = changed(name, whole => { replaceSomewhere(whole, value, steps) })
      const imported = importedOr(() => importXgboost(file, {}))
      if (imported === undefined) return
      const row = imported.features!.map(() => 1)
      await answersOf(imported, [row, row.map(() => null)])
    }), { numRuns: 120 })
  })

  test('a tree as deep as a stack', () => {
    const depth = 100_000
    const file = changed('binary', (_, tree) => {
      const nodes = Array.from({ length: 2 * depth + 1 }, (_, i) => i)
      delete tree['split_type']
      delete tree['tree_param']
      tree['left_children'] = nodes.map(i => i % 2 === 0 && i < 2 * depth ? i + 1 : -1)
      tree['right_children'] = nodes.map(i => i % 2 === 0 && i < 2 * depth ? i + 2 : -1)
      for (const key of ['split_indices', 'split_conditions', 'default_left']) tree[key] = nodes.map(() => 0)
    })
    expect(errorOf(() => importXgboost(file, {})).message).toMatch(/trees\/1\/left_children\/2001: stands more than 1000 levels/)
  })
})

/** Goes down into the file, at each step to one of the values there, and replaces the last. */
function replaceSomewhere (file: object, value: unknown, steps: Iterator<number>): void {
  let parent = file as Record<string, unknown>
  for (;;) {
    const keys = Object.keys(parent)
    const key = keys[steps.next().value as number % keys.length]!
    const next = parent[key]
    if (typeof next !== 'object' || next === null || Object.keys(next).length === 0) {
      parent[key] = value
      return
    }
    parent = next as Record<string, unknown>
  }
}

/** Nothing where the file is refused as it should be. */
function importedOr (run: () => ImportedModel): ImportedModel | undefined {
  try {
    return run()
  } catch (error) {
    if ((error as Error).name === 'FatalError') return undefined
    throw error
  }
}

function errorOf (run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}
