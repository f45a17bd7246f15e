import { expect, test } from 'vitest'
import { type Experiment, crossValidate, evaluateHoldout, featureColumns } from '../../src/training/evaluate.ts'

/** Three columns: two that together are one feature, which decides, and noise. */
function experiment (rows: number, classOf: (row: number) => number, count: number): Experiment {
  const data = Float32Array.from({ length: rows * 3 }, (_, i) => {
    const row = Math.floor(i / 3)
    return [classOf(row), 1 - classOf(row), row * 7919 % 101][i % 3]!
  })
  return {
    matrix: { data, rows, columns: 3 },
    target: { kind: 'classes', classes: Int32Array.from({ length: rows }, (_, row) => classOf(row)), count },
    labels: Array.from({ length: count }, (_, k) => `c${k}`),
    learner: { algorithm: 'random-forest', params: { trees: 20, maxDepth: 4, minSamplesLeaf: 1, maxFeatures: 'all', bootstrap: true } },
    seed: 42,
  }
}

test('columns that belong to one feature are shuffled together, and noise is not missed', async () => {
  const features = [{ name: 'pair', width: 2 }, { name: 'noise', width: 1 }]
  const { metrics: { importance } } = await evaluateHoldout({ ...experiment(200, row => row % 2, 2), features }, 0.25)
  expect(importance).toMatchObject({ metric: 'accuracy', repeats: 5, rows: 50 })
  expect(importance!.features.map(({ feature }) => feature)).toEqual(['pair', 'noise'])
  expect(importance!.features[0]!.mean).toBeGreaterThan(0.3)
  expect(importance!.features[1]!.mean).toBe(0)
})

test('a feature has as many columns as its encoding', () => {
  const steps = [{ oneHot: { categories: ['a', 'b', 'c'], unknown: 'ignore' as const } }]
  const columns = [{ feature: 'plan', steps }, { feature: 'age', steps: [] }, { feature: 'city', steps: [{ ordinal: { categories: ['x', 'y'], unknown: -1 } }] }]
  expect(featureColumns(columns).map(({ width }) => width)).toEqual([3, 1, 1])
})

test('a perfect model has perfect scores, and its curves beside them', async () => {
  const { metrics } = await evaluateHoldout(experiment(100, row => row % 2, 2), 0.2)
  expect(metrics).toMatchObject({ accuracy: 1, roc_auc: 1, brier: expect.closeTo(0, 6), roc: [{ label: 'c1', auc: 1 }], pr: [{ label: 'c1' }], calibration: { label: 'c1' } })
  expect(metrics).not.toHaveProperty('importance')
})

test('a fold without a class does not hide the others\' score, and curves are not for folds', async () => {
  const rare = await crossValidate(experiment(30, row => row === 3 ? 1 : 0, 2), 3)
  expect(rare['accuracy']!.mean).toBeGreaterThan(0.9)
  expect(Object.keys(rare).toSorted()).toEqual(['accuracy', 'balanced_accuracy', 'brier', 'ece', 'f1_macro', 'log_loss', 'precision_macro', 'recall_macro', 'roc_auc'])
  expect(rare).not.toHaveProperty('per_class')
})

test('a score that no fold can tell is left out', async () => {
  expect(await crossValidate(experiment(12, row => row % 2, 2), 12)).not.toHaveProperty('roc_auc')
})
