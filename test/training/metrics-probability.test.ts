import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { measureClasses } from '../../src/training/metrics-all.ts'
import { curves, rocAuc } from '../../src/training/metrics-curves.ts'
import { brierScore, calibration, calibrationError, logLoss, probabilityScores } from '../../src/training/metrics-probability.ts'

// The numbers named "reference" are scikit-learn 1.2.1's (Debian's python3-sklearn):
//   from sklearn import metrics as m
//   y = np.array([0,1,1,0,1,0,0,1,1,0,1,0]); p = np.array([.12,.83,.47,.47,.94,.31,.62,.62,.58,.05,.21,.33])
//   m.roc_auc_score(y, p), m.average_precision_score(y, p), m.log_loss(y, p), m.brier_score_loss(y, p), m.roc_curve(y, p)
//   Y, P = the table below
//   m.roc_auc_score(Y, P, multi_class='ovr'), m.log_loss(Y, P), ((P - np.eye(3)[Y]) ** 2).sum(1).mean()
//   m.balanced_accuracy_score(Y, P.argmax(1)), m.f1_score(Y, P.argmax(1), average='macro') and so on

const actual = Int32Array.of(0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0)
const second = [0.12, 0.83, 0.47, 0.47, 0.94, 0.31, 0.62, 0.62, 0.58, 0.05, 0.21, 0.33]
const binary = second.flatMap(p => [1 - p, p])

const actual3 = Int32Array.of(0, 1, 2, 2, 1, 0, 2, 1, 0, 2)
const three = [
  [0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6], [0.3, 0.5, 0.2], [0.4, 0.35, 0.25],
  [0.5, 0.3, 0.2], [0.05, 0.15, 0.8], [0.2, 0.7, 0.1], [0.3, 0.3, 0.4], [0.1, 0.4, 0.5],
].flat()

describe('the reference, with tied scores', () => {
  test('of two classes', () => {
    const { roc_auc: auc, log_loss: loss, brier } = probabilityScores(actual, binary, ['no', 'yes'])
    expect(auc).toBeCloseTo(0.8055555555555556, 12)
    expect(loss).toBeCloseTo(0.5116473752850018, 12)
    expect(brier).toBeCloseTo(0.17379166666666668, 12)
  })

  test('of three', () => {
    expect(rocAuc(actual3, three, 3)).toBeCloseTo(0.8958333333333334, 12)
    expect(logLoss(actual3, three, 3)).toBeCloseTo(0.7207671889102261, 12)
    expect(brierScore(actual3, three, 3)).toBeCloseTo(0.401, 12)
    const predicted = Int32Array.of(0, 1, 2, 1, 0, 0, 2, 1, 2, 2)
    expect(measureClasses(actual3, predicted, ['a', 'b', 'c'], three)).toMatchObject({
      accuracy: 0.7,
      balanced_accuracy: expect.closeTo(0.6944444444444443, 12),
      f1_macro: expect.closeTo(0.6944444444444443, 12),
      precision_macro: expect.closeTo(0.6944444444444443, 12),
      recall_macro: expect.closeTo(0.6944444444444443, 12),
    })
  })

  test('of the curves', () => {
    const { roc: [roc], pr: [pr] } = curves(actual, binary, ['no', 'yes'])
    expect(roc).toEqual({
      label: 'yes',
      auc: expect.closeTo(0.8055555555555556, 12),
      points: [[0, 0], [0, 2 / 6], [1 / 6, 3 / 6], [1 / 6, 4 / 6], [2 / 6, 5 / 6], [4 / 6, 5 / 6], [4 / 6, 1], [1, 1]].map(point => point.map(x => expect.closeTo(x, 12))),
    })
    expect(pr).toMatchObject({ label: 'yes', average_precision: expect.closeTo(0.8107142857142856, 12) })
    expect(pr!.points[0]).toEqual([0, 1])
    expect(pr!.points.at(-1)).toEqual([1, expect.closeTo(0.6, 12)])
  })

  test('of the bins of calibration', () => {
    const { label, bins } = calibration(actual, binary, ['no', 'yes'])
    expect(label).toBe('yes')
    expect(bins.map(({ predicted }) => predicted)).toEqual([0.05, 0.12, 0.21, 0.32, 0.47, 0.58, 0.62, 0.83, 0.94].map(p => expect.closeTo(p, 12)))
    expect(bins.map(({ observed }) => observed)).toEqual([0, 0, 1, 0, 0.5, 1, 0.5, 1, 1])
    expect(bins.map(({ count }) => count)).toEqual([1, 1, 1, 2, 2, 1, 2, 1, 1])
  })
})

describe('what cannot be told', () => {
  test.each([[Int32Array.of(0, 0, 0)], [Int32Array.of(1, 1, 1)], [new Int32Array(0)]])('rows of one class, or none, have no AUC: %j', rows => {
    const probabilities = Array.from(rows, () => [0.4, 0.6]).flat()
    expect(probabilityScores(rows, probabilities, ['no', 'yes'])).not.toHaveProperty('roc_auc')
    expect(curves(rows, probabilities, ['no', 'yes']).roc).toEqual([])
  })

  test('a class that does not occur is left out of the mean, and has no curve', () => {
    const rows = Int32Array.of(0, 1, 0)
    const probabilities = [0.6, 0.3, 0.1, 0.2, 0.5, 0.3, 0.5, 0.4, 0.1]
    expect(rocAuc(rows, probabilities, 3)).toBe(1)
    const { roc, pr } = curves(rows, probabilities, ['a', 'b', 'c'])
    expect([roc, pr].map(list => list.map(({ label }) => label))).toEqual([['a', 'b'], ['a', 'b']])
  })

  test('a class with no row does not count in balanced accuracy', () => {
    const { balanced_accuracy: balanced, recall_macro: recall } = measureClasses(Int32Array.of(0, 0), Int32Array.of(0, 0), ['a', 'b'], undefined)
    expect({ balanced, recall }).toEqual({ balanced: 1, recall: 0.5 })
  })

  test('a model without probabilities is judged by its classes alone', () => {
    expect(Object.keys(measureClasses(Int32Array.of(0, 1), Int32Array.of(0, 1), ['a', 'b'], undefined)))
      .toEqual(['accuracy', 'f1_macro', 'balanced_accuracy', 'precision_macro', 'recall_macro', 'per_class', 'confusion_matrix'])
  })

  test('a probability of 0 for what happened costs much, but not infinitely much', () => {
    expect(logLoss(Int32Array.of(0), [0, 1], 2)).toBeCloseTo(52 * Math.LN2, 12)
  })

  test('more than ten classes have scores, and no tangle of curves', () => {
    const labels = Array.from({ length: 11 }, (_, k) => `c${k}`)
    const rows = Int32Array.from(labels, (_, k) => k)
    const probabilities = labels.flatMap((_, row) => labels.map((_, k) => k === row ? 1 : 0))
    expect(rocAuc(rows, probabilities, 11)).toBe(1)
    expect(curves(rows, probabilities, labels)).toEqual({ roc: [], pr: [] })
  })
})

/** Rows of two classes with few distinct scores, so that ties are many. */
const rows = fc.array(fc.record({ k: fc.integer({ min: 0, max: 1 }), p: fc.integer({ min: 0, max: 12 }).map(n => n / 12) }), { minLength: 1, maxLength: 60 })
  .map(list => ({ actual: Int32Array.from(list, ({ k }) => k), scores: list.map(({ p }) => p) }))

function flat (scores: readonly number[]): number[] {
  return scores.flatMap(p => [1 - p, p])
}

describe('for any rows', () => {
  test('AUC is the share of pairs that are in the right order, ties half', () => {
    fc.assert(fc.property(rows, ({ actual, scores }) => {
      let [pairs, right] = [0, 0]
      actual.forEach((a, i) => actual.forEach((b, j) => {
        if (a !== 1 || b !== 0) return
        pairs += 1
        right += scores[i]! > scores[j]! ? 1 : scores[i] === scores[j] ? 0.5 : 0
      }))
      const auc = rocAuc(actual, flat(scores), 2)
      if (pairs === 0) expect(auc).toBeUndefined()
      else expect(auc).toBeCloseTo(right / pairs, 10)
    }))
  })

  test('AUC only looks at the order of scores, and the other way round is its complement', () => {
    fc.assert(fc.property(rows, ({ actual, scores }) => {
      const auc = rocAuc(actual, flat(scores), 2)
      if (auc === undefined) return
      expect(rocAuc(actual, flat(scores.map(p => p ** 3)), 2)).toBeCloseTo(auc, 10)
      expect(rocAuc(actual, flat(scores.map(p => 1 - p)), 2)).toBeCloseTo(1 - auc, 10)
    }))
  })

  test('scores stay in their bounds, whatever the order of the rows', () => {
    fc.assert(fc.property(rows, ({ actual, scores }) => {
      const found = probabilityScores(actual, flat(scores), ['no', 'yes'])
      const turned = probabilityScores(actual.toReversed(), flat(scores.toReversed()), ['no', 'yes'])
      for (const [name, score] of Object.entries(found)) {
        expect(score, name).toBeGreaterThanOrEqual(0)
        expect(score, name).toBeLessThanOrEqual(name === 'log_loss' ? 52 * Math.LN2 : 1)
        expect(turned[name as keyof typeof found], name).toBeCloseTo(score, 10)
      }
    }))
  })

  test('curves climb from corner to corner in at most 60 points', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 2000 }), fc.integer(), (count, seed) => {
      const actual = Int32Array.from({ length: count }, (_, i) => (i * 7919 + seed) % 3 === 0 ? 1 : 0)
      actual.set([0, 1])
      const { roc: [roc], pr: [pr] } = curves(actual, flat(Array.from(actual, (_, i) => (i * 104_729 % count) / count)), ['no', 'yes'])
      expect(roc!.points[0]).toEqual([0, 0])
      expect(roc!.points.at(-1)).toEqual([1, 1])
      expect(Math.max(roc!.points.length, pr!.points.length)).toBeLessThanOrEqual(60)
      for (const curve of [roc!, pr!]) {
        for (const [i, [x, y]] of curve.points.entries()) {
          expect(x).toBeGreaterThanOrEqual(curve.points[i - 1]?.[0] ?? 0)
          expect(y >= 0 && y <= 1).toBe(true)
        }
      }
    }), { numRuns: 20 })
  })

  test('bins hold every row once, and their error weighs them by it', () => {
    fc.assert(fc.property(rows, ({ actual, scores }) => {
      const found = calibration(actual, flat(scores), ['no', 'yes'])
      expect(found.bins.reduce((sum, { count }) => sum + count, 0)).toBe(actual.length)
      for (const { from, to, predicted } of found.bins) expect(predicted >= from - 1e-12 && predicted <= to + 1e-12).toBe(true)
      expect(calibrationError({ bins: found.bins.map(bin => ({ ...bin, observed: bin.predicted })) })).toBe(0)
    }))
  })
})

test('of more than two classes calibration looks at the one that is most probable', () => {
  const { label, bins } = calibration(actual3, three, ['a', 'b', 'c'])
  expect(label).toBeUndefined()
  expect(bins.map(({ from, count, observed }) => [from, count, observed])).toEqual([[0.4, 2, 0], [0.5, 3, 2 / 3], [0.6, 2, 1], [0.7, 2, 1], [0.8, 1, 1]])
})
