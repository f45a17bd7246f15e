import { barTable } from './bars.ts'
import { type Html, html } from './html.ts'
import { scoreTitle } from './metrics.ts'
import { missing } from './missing.ts'
import { withSpread } from './numbers.ts'
import type { Subject } from './subject.ts'

const maxFeatures = 30

export function importanceSection (subject: Subject): Html {
  const { importance } = subject.metrics
  if (importance === undefined || importance.features.length === 0) return missing('the importance of features', subject)
  const { metric, repeats, rows, features } = importance
  const listed = features.slice(0, maxFeatures)
  return html`<p class="note">What ${scoreTitle(metric)} loses when a feature's values are shuffled: mean ± standard deviation of ${repeats} repeats on ${rows} rows.</p>
${barTable(listed.map(({ feature, mean, std }) => ({ label: feature, value: mean, text: withSpread({ mean, std }) })), ['Feature', 'Loss'])}
${features.length > listed.length ? html`<p class="note">and ${features.length - listed.length} more, each less than these</p>` : undefined}`
}
