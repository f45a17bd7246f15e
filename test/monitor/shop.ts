import type { Baseline } from '../../src/artifact/baseline.ts'
import type { Manifest } from '../../src/artifact/manifest.ts'
import type { Row } from '../../src/row.ts'

/** A classifier with a number and a category, either of which may be missing. */
export const shop: Manifest = {
  schemaVersion: 1,
  name: 'shop',
  version: '1.0.0',
  task: 'classification',
  files: {},
  features: [{ name: 'age', type: 'number', required: false }, { name: 'plan', type: 'string', required: false }],
  labels: ['stays', 'leaves'],
  outputs: { label: 'label' },
}

/** 100 rows: ages 0–9, 10–19, … 40 and more, 20 each; three quarters basic. */
export const shopBaseline: Baseline = {
  schemaVersion: 1,
  rows: 100,
  features: {
    age: { kind: 'number', edges: [10, 20, 30, 40], counts: [20, 20, 20, 20, 20], missing: 0 },
    plan: { kind: 'category', categories: ['basic', 'pro'], counts: [75, 25], other: 0, missing: 0 },
  },
  prediction: { kind: 'category', categories: ['leaves', 'stays'], counts: [40, 60], other: 0, missing: 0 },
}

/** Rows and predictions with just the shares of the baseline; `count` a multiple of 100. */
export function trainingLike (count: number): { rows: Row[], predictions: number[] } {
  return {
    rows: Array.from({ length: count }, (_, i) => [5 + 10 * (i % 5), i % 4 === 3 ? 'pro' : 'basic']),
    predictions: Array.from({ length: count }, (_, i) => i % 5 < 3 ? 0 : 1),
  }
}

export const houses: Manifest = {
  schemaVersion: 1,
  name: 'houses',
  version: '2',
  task: 'regression',
  files: {},
  features: [{ name: 'area', type: 'number' }],
  outputs: { value: 'value' },
}

export const housesBaseline: Baseline = {
  schemaVersion: 1,
  rows: 100,
  features: { area: { kind: 'number', edges: [50], counts: [50, 50], missing: 0 } },
  prediction: { kind: 'number', edges: [1_000], counts: [50, 50], missing: 0 },
}
