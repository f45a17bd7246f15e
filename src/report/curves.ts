import { type Html, html } from './html.ts'
import { missing } from './missing.ts'
import { short } from './numbers.ts'
import { plot, unitAxis } from './plot.ts'
import type { Subject } from './subject.ts'

export function rocSection (subject: Subject): Html {
  const { roc } = subject.metrics
  if (roc === undefined || roc.length === 0) return missing('a ROC curve', subject)
  return html`${plot({
    label: `ROC curve: ${roc.map(({ label, auc }) => `${label}, area ${short(auc)}`).join('; ')}`,
    x: unitAxis('False-positive rate'),
    y: unitAxis('True-positive rate'),
    diagonal: true,
    lines: roc.map(({ points }, colour) => ({ points, colour })),
  })}${legend(roc.map(({ label, auc }) => `${label}: area ${short(auc)}`))}`
}

export function prSection (subject: Subject): Html {
  const { pr } = subject.metrics
  if (pr === undefined || pr.length === 0) return missing('a precision–recall curve', subject)
  return html`${plot({
    label: `Precision–recall curve: ${pr.map(curve => `${curve.label}, average precision ${short(curve.average_precision)}`).join('; ')}`,
    x: unitAxis('Recall'),
    y: unitAxis('Precision'),
    lines: pr.map(({ points }, colour) => ({ points, colour })),
  })}${legend(pr.map(curve => `${curve.label}: average precision ${short(curve.average_precision)}`))}`
}

export function calibrationSection (subject: Subject): Html {
  const { calibration } = subject.metrics
  if (calibration === undefined || calibration.bins.length === 0) return missing('calibration', subject)
  const { label, bins } = calibration
  const what = label === undefined ? 'the predicted class' : `“${label}”`
  return html`${plot({
    label: `Calibration: how often ${what} came true, by its probability`,
    x: unitAxis('Mean probability'),
    y: unitAxis('Share that came true'),
    diagonal: true,
    lines: [{ points: bins.map(({ predicted, observed }) => [predicted, observed] as const), colour: 0, marks: 'with line' }],
  })}
<p class="note">The probability of ${what}. Below the diagonal the model is too sure of it.</p>
<details><summary>Rows per range</summary><div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Probability</th><th scope="col">Mean</th><th scope="col">Came true</th><th scope="col">Rows</th></tr></thead>
<tbody>${bins.map(({ from, to, predicted, observed, count }) => html`<tr><th scope="row">${short(from)} – ${short(to)}</th><td>${short(predicted)}</td><td>${short(observed)}</td><td>${count}</td></tr>
`)}</tbody>
</table></div></details>`
}

function legend (entries: readonly string[]): Html {
  return html`<ul class="legend">${entries.map((entry, colour) => html`<li><svg viewBox="0 0 20 10" aria-hidden="true"><path class="line c${colour % 10}" d="M1 5H19"/></svg>${entry}</li>`)}</ul>`
}
