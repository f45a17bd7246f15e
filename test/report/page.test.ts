import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Baseline } from '../../src/artifact/baseline.ts'
import type { Manifest } from '../../src/artifact/manifest.ts'
import { readMetrics } from '../../src/report/metrics.ts'
import { renderReport } from '../../src/report/page.ts'
import { compareScores } from '../../src/report/scores.ts'
import type { Subject } from '../../src/report/subject.ts'

function subject (metrics: Record<string, unknown>, different: Partial<Manifest> = {}, baseline?: Baseline): Subject {
  const manifest: Manifest = {
    schemaVersion: 1,
    name: 'shop',
    version: '1.0.0',
    task: 'classification',
    files: { 'model.onnx': { sha256: 'ab'.repeat(32), bytes: 10 } },
    features: [{ name: 'spent', type: 'number', range: [0, 10] }],
    labels: ['no', 'yes'],
    outputs: { label: 'label' },
    ...different,
  }
  return { manifest, baseline, metrics: readMetrics(metrics), measured: undefined }
}

/** Every tag that is opened is closed in its turn. */
function expectBalanced (page: string): void {
  const open: string[] = []
  for (const [, closing, name = '', self] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*?(\/?)>/g)) {
    if (['meta', 'link'].includes(name) || self === '/') continue
    if (closing === '') open.push(name)
    else expect(open.pop()).toBe(name)
  }
  expect(open).toEqual([])
}

test('nothing in the page runs, is fetched, or is styled from outside of its policy', () => {
  const page = renderReport([subject({ accuracy: 0.9 })])
  expect(page).not.toMatch(/<script|\son\w+=|\sstyle=|https?:/)
  expect(page).toMatch(/default-src &#39;none&#39;|default-src 'none'/)
})

const hostile = '</title><script>alert(1)</script>"\'>'

test('texts of a manifest stay texts, wherever they stand', () => {
  const metrics = {
    [hostile]: 1,
    confusion_matrix: [[1, 0], [0, 1]],
    per_class: [{ label: hostile, precision: 1, recall: 1, f1: 1, support: 1 }],
    roc: [{ label: hostile, auc: 1, points: [[0, 0], [1, 1]] }],
    importance: { metric: hostile, repeats: 1, rows: 1, features: [{ feature: hostile, mean: 1, std: 0 }] },
    cv: { folds: 2, [hostile]: { mean: 1, std: 0 } },
  }
  const manifest = { description: hostile, labels: [hostile, 'b'], createdAt: hostile, features: [{ name: hostile, type: 'number' as const, unit: hostile }], training: { [hostile]: { [hostile]: [hostile] } } }
  const histogram = { kind: 'category' as const, categories: [hostile], counts: [1], other: 0, missing: 0 }
  const page = renderReport([subject(metrics, manifest, { schemaVersion: 1, rows: 1, features: { [hostile]: histogram }, prediction: histogram })])
  expect(page).not.toContain('<script>')
  expectBalanced(page)
})

test('whatever stands in a manifest\'s metrics, there is a page', () => {
  const names = fc.constantFrom('per_class', 'confusion_matrix', 'roc', 'pr', 'calibration', 'importance', 'residuals', 'test', 'cv', 'accuracy', '__proto__')
  const parts = [
    [], {}, null, 'x', [[]], [[1]], [[1, 2], [3]], { bins: [] }, { folds: 3, accuracy: 1 }, { features: [], metric: 'r2', rows: 0, repeats: 0 },
    [{ label: 'a', auc: 1, points: [] }], { mean: 0, quantiles: {}, histogram: { edges: [0, 1], counts: [1, 2] }, points: [] },
  ]
  fc.assert(fc.property(fc.dictionary(names, fc.oneof(fc.constantFrom(...parts), fc.jsonValue())), fc.constantFrom<Manifest['task']>('classification', 'regression', 'tensor'), (metrics, task) => {
    expectBalanced(renderReport([subject(metrics, { task })]))
    expectBalanced(renderReport([subject(metrics, { task }), subject({}, { task, version: '2.0.0' })]))
  }), { numRuns: 60 })
})

describe('what a version does not say is left out with a line', () => {
  test.each([
    ['classification', ['scores', 'scores per class', 'a confusion matrix', 'a ROC curve', 'a precision–recall curve', 'calibration', 'the importance of features']],
    ['regression', ['scores', 'predictions beside actual values', 'residuals', 'the importance of features']],
    ['tensor', ['scores']],
  ] as const)('of a %s', (task, lines) => {
    const page = renderReport([subject({}, { task })])
    expect(Array.from(page.matchAll(/The manifest does not have (.+?):/g), ([, what]) => what)).toEqual(lines)
    expect(page.includes('There is no baseline.json')).toBe(task !== 'tensor')
  })
})

test('the histogram of a feature reaches as far as the training data did', () => {
  const prediction = { kind: 'category' as const, categories: ['no', 'yes'], counts: [30, 10], other: 0, missing: 0 }
  const spent = { kind: 'number' as const, edges: [2, 4], counts: [10, 20, 10], missing: 3 }
  const page = renderReport([subject({}, {}, { schemaVersion: 1, rows: 43, features: { spent }, prediction })])
  for (const text of ['0 to 2: 10 rows', '2 to 4: 20 rows', '4 to 10: 10 rows', 'missing in 3 rows']) expect(page).toContain(text)
})

test('with many classes the matrix becomes a list of its most frequent confusions', () => {
  const labels = Array.from({ length: 50 }, (_, k) => `c${k}`)
  const matrix = labels.map((_, i) => labels.map((_, j) => i === j ? 100 : i === 7 && j === 9 ? 5 : 0))
  const page = renderReport([subject({ confusion_matrix: matrix }, { labels })])
  expect(page).toContain('<th scope="row">c7</th><td>c9</td><td>5</td>')
  expect(page).not.toContain('class="heat"')
})

test('scores on the very rows that a model has learned from are called what they are', () => {
  const measured = { file: 'shop.csv', sha256: 'cd'.repeat(32), rows: 10, target: 'returns' }
  const learned = { ...subject({ accuracy: 1 }, { training: { sha256: measured.sha256 } }), measured }
  const unseen = { ...subject({ accuracy: 1 }, { training: { sha256: 'ef'.repeat(32) } }), measured }
  expect([learned, unseen].map(subject => renderReport([subject]).includes('has learned from these very rows'))).toEqual([true, false])
})

describe('two versions', () => {
  const first = subject({ accuracy: 0.9, log_loss: 0.3, f1_macro: 0.8, own: 1 }, { training: { rows: 10, seed: 1 } })
  const second = subject({ accuracy: 0.92, log_loss: 0.4, f1_macro: 0.8, own: 2 }, { version: '2.0.0', training: { rows: 10, seed: 2 } })

  test('differ for better or worse as each score means it', () => {
    expect(compareScores(first, second)).toEqual({
      accuracy: { first: 0.9, second: 0.92, difference: expect.closeTo(0.02, 9), second_is: 'better' },
      log_loss: { first: 0.3, second: 0.4, difference: expect.closeTo(0.1, 9), second_is: 'worse' },
      f1_macro: { first: 0.8, second: 0.8, difference: 0 },
      own: { first: 1, second: 2, difference: 1 },
    })
  })

  test('stand side by side, with what differs marked', () => {
    const page = renderReport([first, second])
    for (const text of ['<span class="better">+0.02 better</span>', '<span class="worse">+0.1 worse</span>', '<td>same</td>']) expect(page).toContain(text)
    const marked = Array.from(page.matchAll(/<tr class="differs"><th scope="row">(\w+)/g), ([, name]) => name)
    expect(marked).toEqual(['Seed'])
    expectBalanced(page)
  })

  /** The colours of the lines of each picture whose label begins so, and its legend. */
  function pictures (page: string, title: string): { label: string, colours: string[], legend: string[] }[] {
    return Array.from(page.matchAll(new RegExp(`<svg class="plot"[^>]*aria-label="(${title}[^"]*)">([^]*?)</svg>\\s*(?:<ul class="legend">([^]*?)</ul>)?`, 'g')), ([, label = '', drawing = '', legend = '']) => ({
      label,
      colours: Array.from(drawing.matchAll(/<path class="line (c\d)"/g), ([, colour = '']) => colour),
      legend: Array.from(legend.matchAll(/<\/svg>([^<]+)<\/li>/g), ([, text = '']) => text),
    }))
  }

  const points = [[0, 0], [0.2, 0.8], [1, 1]]
  const bins = [{ from: 0, to: 0.5, count: 3, predicted: 0.2, observed: 0.1 }, { from: 0.5, to: 1, count: 3, predicted: 0.7, observed: 0.9 }]

  test('have their curves in one picture for each class, and their calibration in one', () => {
    const of = (auc: number, labels: readonly string[]) => ({
      roc: labels.map(label => ({ label, auc, points })), pr: labels.map(label => ({ label, average_precision: auc, points })), calibration: { label: 'yes', bins },
    })
    const page = renderReport([subject(of(0.8, ['no', 'yes'])), subject(of(0.9, ['yes', 'maybe']), { version: '2.0.0' })])
    expect(pictures(page, 'ROC curve')).toEqual([
      { label: 'ROC curve: shop 1.0.0, area 0.8', colours: ['c0'], legend: ['shop 1.0.0: area 0.8'] },
      { label: 'ROC curve: shop 1.0.0, area 0.8; shop 2.0.0, area 0.9', colours: ['c0', 'c1'], legend: ['shop 1.0.0: area 0.8', 'shop 2.0.0: area 0.9'] },
      { label: 'ROC curve: shop 2.0.0, area 0.9', colours: ['c1'], legend: ['shop 2.0.0: area 0.9'] },
    ])
    expect(pictures(page, 'Precision')).toHaveLength(3)
    expect(pictures(page, 'Calibration')).toMatchObject([{ colours: ['c0', 'c1'], legend: ['shop 1.0.0: “yes”', 'shop 2.0.0: “yes”'] }])
    expectBalanced(page)
  })

  test('of which one has no curve say so, and show the other', () => {
    const page = renderReport([subject({}), subject({ roc: [{ label: 'yes', auc: 0.9, points }], calibration: { bins } }, { version: '2.0.0' })])
    expect(page).toMatch(/<h2>ROC curve<\/h2>\n<h3>shop 1\.0\.0<\/h3>\n<p class="missing">The manifest does not have a ROC curve:/)
    expect(pictures(page, 'ROC curve')).toMatchObject([{ colours: ['c1'], legend: ['shop 2.0.0: area 0.9'] }])
    expect(pictures(page, 'Calibration')).toMatchObject([{ colours: ['c1'], legend: ['shop 2.0.0: the predicted class'] }])
    expectBalanced(page)
  })
})
