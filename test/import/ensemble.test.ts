import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { treeFault } from '../../src/import/ensemble-fault.ts'
import { zeroThreshold } from '../../src/import/ensemble-shape.ts'
import {
  type CategorySplit, type Ending, type Ensemble, ensembleToOnnx, type Link, type Split, type Tree, type TreeNode,
} from '../../src/import/ensemble.ts'
import { openModel, runModel } from '../onnx/session.ts'

type Rows = readonly (readonly number[])[]
type Input = 'float32' | 'float64'

const scoresOnly: Ending = { task: 'regression', link: { kind: 'identity' } }

/** The outputs of the graph in the real runtime, each as one list. */
async function run (ensemble: Ensemble, ending: Ending, rows: Rows, input: Input = 'float32'): Promise<Record<string, number[]>> {
  const session = await openModel(ensembleToOnnx(ensemble, ending, { input }))
  const data = (input === 'float32' ? Float32Array : Float64Array).from(rows.flat())
  const outputs = await runModel(session, { X: { type: input, shape: [rows.length, ensemble.features], data } })
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as ArrayLike<number | bigint>, Number)]))
}

/** What the scores of a row are, told as simply as can be. */
function scoresOf ({ base, trees }: Ensemble, row: readonly number[]): number[] {
  const scores = [...base]
  for (const { output, nodes } of trees) {
    let node = nodes[0]!
    while (node.kind !== 'leaf') node = nodes[node[wayOf(node, row[node.feature]!)]]!
    scores[output]! += node.value
  }
  return scores
}

function wayOf (node: Split | CategorySplit, value: number): 'yes' | 'no' {
  if (Number.isNaN(value)) return node.missing
  if (node.kind === 'member') return node.categories.includes(node.fraction === 'off' ? Math.trunc(value) : Math.floor(value)) ? 'yes' : 'no'
  if (node.zero === 'missing' && Math.abs(value) <= zeroThreshold) return node.missing
  const { threshold } = node
  const holds = { '<': value < threshold, '<=': value <= threshold, '>': value > threshold, '>=': value >= threshold }[node.test]
  return holds ? 'yes' : 'no'
}

/** Few, so that values stand on thresholds; 0.1 and its like are no float32. */
const notable = [0, -0, 0.1, Math.fround(0.1), 1, 2, 3, -1.5, -0.5, 2.5, 31, 32, 63, 64, 65, 1000, 1e-35, zeroThreshold, -1e-36, 1e30, Infinity, -Infinity]
const numbers = fc.constantFrom(...notable)
const values = fc.oneof({ weight: 4, arbitrary: numbers }, { weight: 1, arbitrary: fc.constant(NaN) })
const leaves = fc.double({ min: -2, max: 2, noNaN: true })
const categories = fc.uniqueArray(fc.constantFrom(0, 1, 2, 3, 5, 31, 32, 63, 64, 65, 999, 1000, 2 ** 24 - 1), { maxLength: 8 })
const ways = fc.constantFrom('yes', 'no')

/** Any tree, its nodes in a shuffled order behind the root. */
function anyTree (gen: fc.GeneratorValue, features: number, outputs: number): Tree {
  const nodes: TreeNode[] = []
  const grow = (depth: number): number => {
    const at = nodes.length
    nodes.push({ kind: 'leaf', value: gen(() => leaves) })
    if (depth === 0 || gen(fc.nat, { max: 4 }) === 0) return at
    const feature = gen(fc.nat, { max: features - 1 })
    const isYesFirst = gen(fc.boolean)
    const [first, second] = [grow(depth - 1), grow(depth - 1)]
    const fork = { feature, yes: isYesFirst ? first : second, no: isYesFirst ? second : first, missing: gen(() => ways) }
    nodes[at] = gen(fc.nat, { max: 2 }) === 0
      ? { kind: 'member', categories: gen(() => categories), fraction: gen(() => fc.constantFrom('down', 'off')), ...fork }
      : { kind: 'split', test: gen(() => fc.constantFrom('<', '<=', '>', '>=')), threshold: gen(() => numbers), zero: gen(() => fc.constantFrom('missing', 'number')), ...fork }
    return at
  }
  grow(4)
  return { output: gen(fc.nat, { max: outputs - 1 }), nodes }
}

function anyEnsemble (gen: fc.GeneratorValue): { ensemble: Ensemble, rows: Rows } {
  const features = 1 + gen(fc.nat, { max: 3 })
  const outputs = 1 + gen(fc.nat, { max: 2 })
  const treeCount = gen(fc.nat, { max: 5 })
  const rowCount = 1 + gen(fc.nat, { max: 30 })
  return {
    ensemble: {
      features,
      outputs,
      base: Array.from({ length: outputs }, () => gen(() => leaves)),
      trees: Array.from({ length: treeCount }, () => anyTree(gen, features, outputs)),
    },
    rows: Array.from({ length: rowCount }, () => Array.from({ length: features }, () => gen(() => values))),
  }
}

describe('a graph of trees', () => {
  test.each<Input>(['float32', 'float64'])('scores every row of %s as the trees do', async input => {
    await fc.assert(fc.asyncProperty(fc.gen(), async gen => {
      const { ensemble, rows } = anyEnsemble(gen)
      const seen = input === 'float32' ? rows.map(row => row.map(Math.fround)) : rows
      const { probabilities } = await run(ensemble, { task: 'classification', link: { kind: 'identity' } }, rows, input)
      // With one score, both classes are answered.
      const expected = seen.flatMap(row => {
        const scores = scoresOf(ensemble, row)
        return scores.length === 1 ? [1 - scores[0]!, scores[0]!] : scores
      })
      expect(probabilities).toHaveLength(expected.length)
      for (const [i, score] of expected.entries()) expect(probabilities![i]).toBeCloseTo(score, 5)
    }), { numRuns: 60 })
  })

  test('a thousand trees add up to what they are, for one row as for many', async () => {
    const trees = Array.from({ length: 1000 }, (_, i): Tree => ({
      output: 0,
      nodes: [
        { kind: 'split', feature: 0, test: '<=', threshold: i, yes: 1, no: 2, missing: 'no' },
        { kind: 'leaf', value: 1e4 + i / 7 }, { kind: 'leaf', value: -1e4 - 1 / (i + 3) },
      ],
    }))
    const ensemble = { features: 1, outputs: 1, base: [1 / 3], trees }
    const rows = Array.from({ length: 400 }, (_, i) => [i * 2.5])
    const { value } = await run(ensemble, scoresOnly, rows)
    expect(value).toEqual(rows.map(row => Math.fround(scoresOf(ensemble, row)[0]!)))
    expect((await run(ensemble, scoresOnly, rows.slice(7, 8))).value).toEqual(value!.slice(7, 8))
  })

  test('a threshold that is no float32 parts its neighbours', async () => {
    const threshold = 0.1
    const above = Math.fround(threshold)
    const below = above - 2 ** -27
    const nodes: TreeNode[] = [
      { kind: 'split', feature: 0, test: '<=', threshold, yes: 1, no: 2, missing: 'no' }, { kind: 'leaf', value: 1 }, { kind: 'leaf', value: 2 },
    ]
    const { value } = await run({ features: 1, outputs: 1, base: [0], trees: [{ output: 0, nodes }] }, scoresOnly, [[below], [above]])
    expect(value).toEqual([1, 2])
  })

  test('a set of very many categories', async () => {
    const even = Array.from({ length: 200_000 }, (_, i) => i * 2)
    const nodes: TreeNode[] = [
      { kind: 'member', feature: 0, categories: even, yes: 1, no: 2, missing: 'yes' }, { kind: 'leaf', value: 1 }, { kind: 'leaf', value: 2 },
    ]
    const rows = [[0], [1], [399_998], [400_000], [2.5], [3.5], [-0.5], [NaN], [1e30]]
    const { value } = await run({ features: 1, outputs: 1, base: [0], trees: [{ output: 0, nodes }] }, scoresOnly, rows)
    expect(value).toEqual([1, 2, 1, 2, 1, 2, 2, 1, 2])
  })

  test('a tree of the largest depth', async () => {
    const nodes = chain(1000)
    expect(treeFault({ output: 0, nodes }, 1)).toBeUndefined()
    const { value } = await run({ features: 1, outputs: 1, base: [0], trees: [{ output: 0, nodes }] }, scoresOnly, [[2.5], [998.5], [1e6]])
    expect(value).toEqual([3, 999, -1])
  })

  test('nodes that nothing leads to are left out', () => {
    const leaf: TreeNode = { kind: 'leaf', value: 1 }
    const stray: TreeNode = { kind: 'split', feature: 99, test: '<', threshold: NaN, yes: 7, no: 1, missing: 'no' }
    const bytes = (nodes: TreeNode[]) => ensembleToOnnx({ features: 1, outputs: 1, base: [0], trees: [{ output: 0, nodes }] }, scoresOnly)
    expect(bytes([leaf, stray])).toEqual(bytes([leaf]))
  })
})

describe('what becomes of the scores', () => {
  const scores = [-30, -2, -0.25, 0, 0.5, 3, 40]

  /** One row per score. */
  const steps: Ensemble = {
    features: 1,
    outputs: 1,
    base: [0],
    trees: scores.slice(1).map((score, i) => ({
      output: 0,
      nodes: [
        { kind: 'split', feature: 0, test: '<=', threshold: i, yes: 1, no: 2, missing: 'no' },
        { kind: 'leaf', value: i === 0 ? scores[0]! : 0 },
        { kind: 'leaf', value: i === 0 ? score : score - scores[i]! },
      ],
    })),
  }
  const rows = scores.map((_, i) => [i])

  test.each<[Link, (score: number) => number]>([
    [{ kind: 'identity' }, score => score],
    [{ kind: 'sigmoid' }, score => 1 / (1 + Math.exp(-score))],
    [{ kind: 'sigmoid', slope: 0.4 }, score => 1 / (1 + Math.exp(-0.4 * score))],
    [{ kind: 'exp' }, Math.exp],
    [{ kind: 'softplus' }, score => score + Math.log1p(Math.exp(-score))],
    [{ kind: 'signedSquare' }, score => score * Math.abs(score)],
    [{ kind: 'step' }, score => score > 0 ? 1 : 0],
  ])('%j of a regression', async (link, expected) => {
    const { value } = await run(steps, { task: 'regression', link }, rows)
    for (const [i, score] of scores.entries()) expect(Math.abs(value![i]! / expected(score) - 1) < 1e-5 || Math.abs(value![i]! - expected(score)) < 1e-6).toBe(true)
  })

  test('two classes from one score', async () => {
    const { label, probabilities } = await run(steps, { task: 'classification', link: { kind: 'sigmoid' } }, rows)
    expect(label).toEqual(scores.map(score => score > 0 ? 1 : 0))
    for (const [i, score] of scores.entries()) {
      expect(probabilities![2 * i]).toBeCloseTo(1 / (1 + Math.exp(score)), 6)
      expect(probabilities![2 * i + 1]).toBeCloseTo(1 / (1 + Math.exp(-score)), 6)
    }
  })

  test.each<[Link['kind'], number[]]>([
    ['softmax', [1, Math.E, Math.E ** 2].map(part => part / (1 + Math.E + Math.E ** 2))],
    ['sigmoid', [0, 1, 2].map(score => 1 / (1 + Math.exp(-score)))],
  ])('several classes by %s, though no tree adds to them', async (kind, expected) => {
    const ensemble = { features: 1, outputs: 3, base: [0, 1, 2], trees: [] }
    const { label, probabilities } = await run(ensemble, { task: 'classification', link: { kind } }, [[0]])
    expect(label).toEqual([2])
    for (const [i, probability] of expected.entries()) expect(probabilities![i]).toBeCloseTo(probability, 6)
  })
})

/** Node 2i tests for less than i; node 2i + 1 is a leaf of i, and the last one of -1. */
function chain (depth: number): TreeNode[] {
  const nodes: TreeNode[] = []
  for (let i = 0; i < depth; i++) {
    nodes.push({ kind: 'split', feature: 0, test: '<', threshold: i, yes: 2 * i + 1, no: 2 * i + 2, missing: 'no' }, { kind: 'leaf', value: i })
  }
  return [...nodes, { kind: 'leaf', value: -1 }]
}

describe('nodes that are no tree', () => {
  const leaf: TreeNode = { kind: 'leaf', value: 1 }
  const split: Split = { kind: 'split', feature: 0, test: '<', threshold: 1, yes: 1, no: 2, missing: 'no' }
  const member: CategorySplit = { kind: 'member', feature: 0, categories: [1], yes: 1, no: 2, missing: 'no' }

  test.each<[string, TreeNode[], number, string, RegExp]>([
    ['none', [], 0, 'depth', /at least one/],
    ['a child that is not there', [{ ...split, no: 3 }, leaf, leaf], 0, 'no', /leads to node 3, .* 0 to 2/],
    ['a child below 0', [{ ...split, yes: -1 }, leaf, leaf], 0, 'yes', /leads to node -1/],
    ['a child of a fraction', [{ ...split, yes: 0.5 }, leaf, leaf], 0, 'yes', /leads to node 0.5/],
    ['a way back to the root', [split, leaf, { ...split, yes: 0, no: 1 }], 2, 'yes', /leads to node 0/],
    ['a shared child', [split, leaf, { ...split, yes: 1, no: 3 }, leaf], 2, 'yes', /leads to node 1, where another/],
    ['one child twice', [{ ...split, no: 1 }, leaf], 0, 'no', /leads to node 1/],
    ['a feature beyond the last', [{ ...split, feature: 2 }, leaf, leaf], 0, 'feature', /feature 2, .* 0 to 1/],
    ['a threshold that is no number', [{ ...split, threshold: NaN }, leaf, leaf], 0, 'value', /NaN/],
    ['a leaf without end', [split, leaf, { kind: 'leaf', value: Infinity }], 2, 'value', /Infinity/],
    ['a category below 0', [{ ...member, categories: [3, -1] }, leaf, leaf], 0, 'categories', /category -1/],
    ['a category too large', [{ ...member, categories: [2 ** 24] }, leaf, leaf], 0, 'categories', /category 16777216/],
    ['a tree too deep', chain(1001), 2001, 'depth', /more than 1000 levels/],
  ])('%s', (_, nodes, node, part, message) => {
    const fault = treeFault({ output: 0, nodes }, 2)
    expect(fault).toMatchObject({ node, part })
    expect(fault!.message).toMatch(message)
  })

  test('every tree that can be made is one', () => {
    fc.assert(fc.property(fc.gen(), gen => {
      const { ensemble: { trees, features } } = anyEnsemble(gen)
      for (const tree of trees) expect(treeFault(tree, features)).toBeUndefined()
    }))
  })
})
