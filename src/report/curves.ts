import { type Html, html } from './html.ts'
import type { Metrics } from './metrics.ts'
import { missing } from './missing.ts'
import { short } from './numbers.ts'
import { type Axis, plot, unitAxis } from './plot.ts'
import { type Subject, titleOf } from './subject.ts'

/** One class against all others. */
interface Curve {
  readonly label: string
  readonly points: readonly (readonly [number, number])[]
  /** In words. */
  readonly score: string
}

/** What differs between the two kinds of curve. */
interface Kind {
  readonly title: string
  /** As a sentence names what is missing. */
  readonly what: string
  readonly x: Axis
  readonly y: Axis
  readonly diagonal: boolean
  readonly curvesOf: (metrics: Metrics) => readonly Curve[]
}

const roc: Kind = {
  title: 'ROC curve',
  what: 'a ROC curve',
  x: unitAxis('False-positive rate'),
  y: unitAxis('True-positive rate'),
  diagonal: true,
  curvesOf: ({ roc = [] }) => roc.map(({ label, points, auc }) => ({ label, points, score: `area ${short(auc)}` })),
}

const pr: Kind = {
  title: 'Precision–recall curve',
  what: 'a precision–recall curve',
  x: unitAxis('Recall'),
  y: unitAxis('Precision'),
  diagonal: false,
  curvesOf: ({ pr = [] }) => pr.map(curve => ({ label: curve.label, points: curve.points, score: `average precision ${short(curve.average_precision)}` })),
}

/** Of one version all classes in one picture; of two a picture for each class, with both in it. */
export function rocSection (subjects: readonly Subject[]): Html {
  return curvesSection(subjects, roc)
}

export function prSection (subjects: readonly Subject[]): Html {
  return curvesSection(subjects, pr)
}

function curvesSection (subjects: readonly Subject[], kind: Kind): Html {
  const all = subjects.map(subject => ({ subject, curves: kind.curvesOf(subject.metrics) }))
  const [only] = all
  const lines = all.filter(({ curves }) => curves.length === 0).map(({ subject }) => absent(subject, subjects, kind.what))
  if (lines.length === subjects.length) return html`${lines}`
  if (only !== undefined && subjects.length === 1) return picture(kind, only.curves.map(({ label, points, score }, colour) => ({ colour, name: label, points, score })))
  const labels = [...new Set(all.flatMap(({ curves }) => curves.map(({ label }) => label)))]
  const pictures = labels.map(label => html`<figure class="card"><figcaption>${label}</figcaption>
${picture(kind, all.flatMap(({ subject, curves }, colour) => curves.filter(curve => curve.label === label).map(({ points, score }) => ({ colour, name: titleOf(subject), points, score }))))}
</figure>
`)
  return html`${lines}<div class="cards">
${pictures}</div>`
}

interface Shown { readonly colour: number, readonly name: string, readonly points: Curve['points'], readonly score: string }

function picture ({ title, x, y, diagonal }: Kind, shown: readonly Shown[]): Html {
  return html`${plot({
    label: `${title}: ${shown.map(({ name, score }) => `${name}, ${score}`).join('; ')}`,
    x,
    y,
    diagonal,
    lines: shown.map(({ points, colour }) => ({ points, colour })),
  })}${legend(shown.map(({ colour, name, score }) => ({ colour, text: `${name}: ${score}` })))}`
}

/** Both versions' in one picture: the diagonal is the same for both. */
export function calibrationSection (subjects: readonly Subject[]): Html {
  const found = subjects.flatMap((subject, colour) => {
    const { calibration } = subject.metrics
    return calibration === undefined || calibration.bins.length === 0 ? [] : [{ subject, colour, what: calibration.label === undefined ? 'the predicted class' : `“${calibration.label}”`, bins: calibration.bins }]
  })
  const lines = subjects.filter(subject => found.every(other => other.subject !== subject)).map(subject => absent(subject, subjects, 'calibration'))
  if (found.length === 0) return html`${lines}`
  const isOne = subjects.length === 1
  const whats = [...new Set(found.map(({ what }) => what))].join(' or ')
  return html`${lines}${plot({
    label: `Calibration: how often ${whats} came true, by its probability`,
    x: unitAxis('Mean probability'),
    y: unitAxis('Share that came true'),
    diagonal: true,
    lines: found.map(({ bins, colour }) => ({ points: bins.map(({ predicted, observed }) => [predicted, observed] as const), colour, marks: 'with line' })),
  })}
${isOne ? undefined : legend(found.map(({ subject, colour, what }) => ({ colour, text: `${titleOf(subject)}: ${what}` })))}
<p class="note">The probability of ${whats}. Below the diagonal ${isOne ? 'the' : 'a'} model is too sure of it.</p>
${found.map(({ subject, bins }) => ranges(bins, isOne ? 'Rows per range' : `Rows per range: ${titleOf(subject)}`))}`
}

function ranges (bins: NonNullable<Metrics['calibration']>['bins'], title: string): Html {
  return html`<details><summary>${title}</summary><div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Probability</th><th scope="col">Mean</th><th scope="col">Came true</th><th scope="col">Rows</th></tr></thead>
<tbody>${bins.map(({ from, to, predicted, observed, count }) => html`<tr><th scope="row">${short(from)} – ${short(to)}</th><td>${short(predicted)}</td><td>${short(observed)}</td><td>${count}</td></tr>
`)}</tbody>
</table></div></details>
`
}

/** Of two versions it is said which one has nothing to show. */
function absent (subject: Subject, subjects: readonly Subject[], what: string): Html {
  if (subjects.length === 1) return missing(what, subject)
  return html`<h3>${titleOf(subject)}</h3>
${missing(what, subject)}
`
}

function legend (entries: readonly { readonly colour: number, readonly text: string }[]): Html {
  return html`<ul class="legend">${entries.map(({ colour, text }) => html`<li><svg viewBox="0 0 20 10" aria-hidden="true"><path class="line c${colour % 10}" d="M1 5H19"/></svg>${text}</li>`)}</ul>`
}
