import { type Html, html } from './html.ts'
import { knownScores, scoreTitle } from './metrics.ts'
import { missing } from './missing.ts'
import { short, signed, withSpread } from './numbers.ts'
import { type Subject, isTrainingData, measuredOn, titleOf } from './subject.ts'

/** Differences below this come from rounding. */
const noise = 1e-6

export interface Difference {
  readonly first: number
  readonly second: number
  /** Second less first. */
  readonly difference: number
  /** Undefined where they are the same, or nobody knows which is better. */
  readonly second_is?: 'better' | 'worse'
}

/** By metric, of what both versions have. */
export function compareScores (first: Subject, second: Subject): Record<string, Difference> {
  const [a, b] = [first.metrics.scores, second.metrics.scores]
  return Object.fromEntries(Object.keys(a).filter(name => Object.hasOwn(b, name)).map(name => [name, differenceOf(name, a[name]!, b[name]!)]))
}

function differenceOf (name: string, first: number, second: number): Difference {
  const difference = second - first
  const better = Object.hasOwn(knownScores, name) ? knownScores[name]?.better : undefined
  if (better === undefined || Math.abs(difference) < noise) return { first, second, difference }
  return { first, second, difference, second_is: (difference > 0) === (better === 'higher') ? 'better' : 'worse' }
}

/** Every score, with its spread over the folds; of two versions side by side. */
export function scoresSection (subjects: readonly Subject[]): Html {
  const names = [...new Set(subjects.flatMap(({ metrics }) => Object.keys(metrics.scores)))]
  return html`${subjects.map(subject => basis(subject, subjects.length > 1))}
${names.length === 0 ? undefined : table(subjects, names)}`
}

function basis (subject: Subject, named: boolean): Html {
  const { metrics } = subject
  if (Object.keys(metrics.scores).length === 0) return missing(named ? `scores of ${titleOf(subject)}` : 'scores', subject)
  const rows = measuredOn(subject)
  return html`<p>${named ? `${titleOf(subject)}: measured` : 'Measured'} ${rows === undefined ? 'on rows that the manifest does not name' : `on ${rows}`}.</p>
${isTrainingData(subject) ? html`<p class="warning">The model has learned from these very rows: the scores flatter it.</p>` : undefined}`
}

function table (subjects: readonly Subject[], names: readonly string[]): Html {
  const differences = subjects.length === 2 ? compareScores(subjects[0]!, subjects[1]!) : undefined
  return html`<div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Score</th>${subjects.map(subject => heads(subject, subjects.length > 1))}${differences === undefined ? undefined : html`<th scope="col">Difference</th>`}</tr></thead>
<tbody>${names.map(name => html`<tr><th scope="row">${scoreTitle(name)}</th>${subjects.map(subject => cells(subject, name))}${differences === undefined ? undefined : html`<td>${told(Object.hasOwn(differences, name) ? differences[name] : undefined)}</td>`}</tr>
`)}</tbody>
</table></div>`
}

function heads (subject: Subject, named: boolean): Html {
  const { metrics: { cv } } = subject
  const title = named ? titleOf(subject) : 'Measured'
  return html`<th scope="col">${title}</th>${cv === undefined ? undefined : html`<th scope="col">${cv.folds}-fold cross-validation</th>`}`
}

function cells ({ metrics: { scores, cv } }: Subject, name: string): Html {
  const score = Object.hasOwn(scores, name) ? short(scores[name]!) : '–'
  const spread = cv !== undefined && Object.hasOwn(cv.scores, name) ? cv.scores[name] : undefined
  return html`<td>${score}</td>${cv === undefined ? undefined : html`<td>${spread === undefined ? '–' : withSpread(spread)}</td>`}`
}

function told (difference: Difference | undefined): Html {
  if (difference === undefined) return html`–`
  if (Math.abs(difference.difference) < noise) return html`same`
  const { second_is: judgement } = difference
  return html`<span class="${judgement ?? ''}">${signed(difference.difference)}${judgement === undefined ? '' : ` ${judgement}`}</span>`
}
