import { describe, expect, test } from 'vitest'
import { RollingWindow, halfWindow } from '../../src/monitor/window.ts'
import { houses, housesBaseline, shop, shopBaseline, trainingLike } from './shop.ts'

function clock (): { nowMs: () => number, passMs: (ms: number) => void } {
  let now = 0
  return { nowMs: () => now, passMs: ms => { now += ms } }
}

const shopWindow = (nowMs = () => 0) => new RollingWindow(shop, shopBaseline, nowMs)

/** Of a feature, or of the prediction when none is named. */
function driftOf (window: RollingWindow, test: string, feature?: string): number | undefined {
  const report = window.report()
  const drift = feature === undefined ? report?.prediction : report?.features.find(({ name }) => name === feature)?.drift
  return drift?.find(entry => entry.test === test)?.value
}

function add (window: RollingWindow, { rows, predictions }: ReturnType<typeof trainingLike>): void {
  window.add(rows, predictions)
}

describe('what is reported', () => {
  test('nothing until there are enough rows', () => {
    const window = shopWindow()
    add(window, trainingLike(100))
    expect(window.report()).toBeUndefined()
    add(window, trainingLike(100))
    expect(window.report()).toBeDefined()
  })

  test('no drift and nothing missing for rows like those of the training', () => {
    const window = shopWindow()
    add(window, trainingLike(200))
    const none = (test: string) => ({ test, value: expect.closeTo(0, 12) })
    expect(window.report()).toEqual({
      features: [
        { name: 'age', missingRatio: 0, drift: [none('psi'), none('ks')] },
        { name: 'plan', missingRatio: 0, drift: [none('psi'), none('js')] },
      ],
      prediction: [none('psi'), none('js')],
    })
  })

  test('drift in the feature that changed, and in no other', () => {
    const window = shopWindow()
    const { rows, predictions } = trainingLike(200)
    window.add(rows.map(([, plan]) => [45, plan ?? null]), predictions)
    expect(driftOf(window, 'psi', 'age')).toBeGreaterThan(0.25)
    expect(driftOf(window, 'ks', 'age')).toBeCloseTo(0.8, 12)
    expect(driftOf(window, 'psi', 'plan')).toBeCloseTo(0, 12)
    expect(driftOf(window, 'psi')).toBeCloseTo(0, 12)
  })

  test('a category that the training never saw', () => {
    const window = shopWindow()
    const { rows, predictions } = trainingLike(200)
    window.add(rows.map(([age]) => [age ?? null, 'gold']), predictions)
    expect(driftOf(window, 'psi', 'plan')).toBeGreaterThan(0.25)
    expect(driftOf(window, 'js', 'plan')).toBe(1)
  })

  test('predicted classes that became more frequent', () => {
    const window = shopWindow()
    window.add(trainingLike(200).rows, new Int32Array(200).fill(1))
    expect(driftOf(window, 'psi')).toBeGreaterThan(0.25)
  })

  test('predicted values of a regression', () => {
    const window = new RollingWindow(houses, housesBaseline, () => 0)
    window.add(Array.from({ length: 200 }, (_, i) => [i % 100]), new Float32Array(200).fill(5_000))
    expect(driftOf(window, 'ks', 'area')).toBeCloseTo(0, 12)
    expect(driftOf(window, 'ks')).toBeCloseTo(0.5, 12)
  })

  test('the share of missing values, which the psi counts as a bin and the ks leaves out', () => {
    const window = shopWindow()
    const { rows, predictions } = trainingLike(1_000)
    window.add(rows.map(([age, plan], i) => [i < 500 ? age ?? null : null, plan ?? null]), predictions)
    expect(window.report()?.features[0]?.missingRatio).toBe(0.5)
    expect(driftOf(window, 'psi', 'age')).toBeGreaterThan(0.25)
    expect(driftOf(window, 'ks', 'age')).toBeCloseTo(0, 12)
  })

  test('no ks of the few values that are left when nearly all are missing', () => {
    const window = shopWindow()
    const { rows, predictions } = trainingLike(1_000)
    window.add(rows.map(([, plan], i) => [i < 100 ? 45 : null, plan ?? null]), predictions)
    expect(driftOf(window, 'psi', 'age')).toBeGreaterThan(0.25)
    expect(driftOf(window, 'ks', 'age')).toBeUndefined()
  })
})

describe('without a usable baseline', () => {
  const damaged = (age: object) => ({ ...shopBaseline, features: { ...shopBaseline.features, age } }) as typeof shopBaseline
  test.each([
    ['there is none', undefined],
    ['it lacks the feature', { ...shopBaseline, features: {} }],
    ['it takes the number for a category', damaged({ kind: 'category', categories: ['5'], counts: [1], other: 0, missing: 0 })],
    ['it has fewer counts than bins', damaged({ kind: 'number', edges: [1, 2], counts: [3], missing: 0 })],
    ['it counted nothing', damaged({ kind: 'number', edges: [1], counts: [0, 0], missing: 0 })],
  ])('missing values are still counted, drift is not: %s', (_, baseline) => {
    const window = new RollingWindow(shop, baseline, () => 0)
    window.add(trainingLike(200).rows.map(([, plan], i) => [i < 50 ? null : 5, plan ?? null]), new Int32Array(200))
    expect(window.report()?.features[0]).toEqual({ name: 'age', missingRatio: 0.25, drift: [] })
  })

  test('a tensor model reports neither features nor predictions', () => {
    const { features: _, labels: __, ...tensor } = shop
    const window = new RollingWindow({ ...tensor, task: 'tensor' }, undefined, () => 0)
    window.add(trainingLike(200).rows, new Int32Array(200))
    expect(window.report()).toEqual({ features: [], prediction: [] })
  })
})

describe('what is forgotten', () => {
  const odd = (count: number) => ({ rows: trainingLike(count).rows.map(([, plan]) => [45, plan ?? null]), predictions: trainingLike(count).predictions })

  test('the rows before the last two halves', () => {
    const window = shopWindow()
    add(window, odd(halfWindow.rows))
    add(window, trainingLike(halfWindow.rows - 100))
    expect(driftOf(window, 'ks', 'age')).toBeCloseTo(0.8 * halfWindow.rows / (2 * halfWindow.rows - 100), 12)
    add(window, trainingLike(100))
    expect(driftOf(window, 'ks', 'age')).toBeCloseTo(0, 12)
  })

  test('a half ends after its time, if it has enough rows', () => {
    const { nowMs, passMs } = clock()
    const window = shopWindow(nowMs)
    add(window, odd(100))
    passMs(halfWindow.ageMs)
    add(window, odd(100))
    passMs(halfWindow.ageMs - 1)
    add(window, trainingLike(200))
    expect(driftOf(window, 'ks', 'age')).toBeCloseTo(0.4, 12)
    passMs(1)
    add(window, trainingLike(200))
    expect(driftOf(window, 'ks', 'age')).toBeCloseTo(0, 12)
  })

  test('but never so much that nothing can be said', () => {
    const { nowMs, passMs } = clock()
    const window = shopWindow(nowMs)
    add(window, trainingLike(200))
    passMs(100 * halfWindow.ageMs)
    add(window, trainingLike(100))
    expect(window.report()).toBeDefined()
  })
})
