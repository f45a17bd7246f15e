import { type Html, html } from './html.ts'
import type { Metrics } from './metrics.ts'
import { missing } from './missing.ts'
import { percent, short } from './numbers.ts'
import type { Subject } from './subject.ts'

/** More classes than this do not fit a table that a person reads. */
const maxClasses = 40
const maxConfusions = 30
/** Shades of the heat map. */
const shades = 9

export function perClassSection (subject: Subject): Html {
  const { per_class: classes } = subject.metrics
  if (classes === undefined) return missing('scores per class', subject)
  return html`<div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Class</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">F1</th><th scope="col">Rows</th></tr></thead>
<tbody>${classes.map(({ label, precision, recall, f1, support }) => html`<tr><th scope="row">${label}</th><td>${short(precision)}</td><td>${short(recall)}</td><td>${short(f1)}</td><td>${support}</td></tr>
`)}</tbody>
</table></div>`
}

export function confusionSection (subject: Subject): Html {
  const { metrics, manifest: { labels = [] } } = subject
  const matrix = metrics.confusion_matrix
  if (matrix === undefined || matrix.length !== labels.length) return missing('a confusion matrix', subject)
  return matrix.length > maxClasses ? confusions(matrix, labels) : heatMap(matrix, labels)
}

type Matrix = NonNullable<Metrics['confusion_matrix']>

function heatMap (matrix: Matrix, labels: readonly string[]): Html {
  return html`<div class="scroll"><table class="heat">
<thead><tr><td></td><th scope="colgroup" colspan="${labels.length}">Predicted</th></tr>
<tr><th scope="col">Actual</th>${labels.map(label => html`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${matrix.map((row, actual) => html`<tr><th scope="row">${labels[actual]}</th>${row.map((count, predicted) => cell(row, count, actual === predicted))}</tr>
`)}</tbody>
</table></div>
<p class="note">The larger a cell's share of its class, the stronger its colour. Outlined: told rightly.</p>`
}

function cell (row: readonly number[], count: number, right: boolean): Html {
  const total = row.reduce((sum, count) => sum + count, 0)
  const share = total === 0 ? 0 : count / total
  return html`<td class="h${Math.ceil(share * shades)}${right ? ' right' : ''}" title="${percent(share)} of the class">${count}</td>`
}

function confusions (matrix: Matrix, labels: readonly string[]): Html {
  const wrong = matrix.flatMap((row, actual) => row.flatMap((count, predicted) => count > 0 && actual !== predicted ? [{ actual, predicted, count }] : []))
  const listed = wrong.sort((a, b) => b.count - a.count).slice(0, maxConfusions)
  return html`<p class="note">With ${labels.length} classes, the ${listed.length} most frequent confusions instead of the whole matrix.</p>
<div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Actual</th><th scope="col">Predicted</th><th scope="col">Rows</th></tr></thead>
<tbody>${listed.map(({ actual, predicted, count }) => html`<tr><th scope="row">${labels[actual]}</th><td>${labels[predicted]}</td><td>${count}</td></tr>
`)}</tbody>
</table></div>`
}
