import { type Html, html } from './html.ts'
import { missing } from './missing.ts'
import { short } from './numbers.ts'
import { axis, plot } from './plot.ts'
import type { Subject } from './subject.ts'

const quantileTitles: Readonly<Record<string, string>> = { min: 'Lowest', p05: '5 %', p25: '25 %', p50: 'Median', p75: '75 %', p95: '95 %', max: 'Highest' }

export function residualsSection (subject: Subject): Html {
  const { residuals } = subject.metrics
  if (residuals === undefined) return missing('residuals', subject)
  const { mean, quantiles, histogram: { edges, counts } } = residuals
  const isPoint = edges[0] === edges.at(-1)
  return html`${isPoint
    ? html`<p>Every residual is ${short(edges[0]!)}.</p>`
    : plot({
      label: 'Histogram of the residuals',
      x: axis('Actual − predicted', edges[0]!, edges.at(-1)!),
      y: axis('Rows', 0, Math.max(...counts)),
      bars: counts.map((height, i) => ({ from: edges[i]!, to: edges[i + 1]!, height, title: `${short(edges[i]!)} to ${short(edges[i + 1]!)}: ${height} rows` })),
    })}
<div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Mean</th>${Object.keys(quantiles).map(name => html`<th scope="col">${Object.hasOwn(quantileTitles, name) ? quantileTitles[name] : name}</th>`)}</tr></thead>
<tbody><tr><td>${short(mean)}</td>${Object.values(quantiles).map(value => html`<td>${short(value)}</td>`)}</tr></tbody>
</table></div>`
}

export function scatterSection (subject: Subject): Html {
  const { points = [] } = subject.metrics.residuals ?? {}
  if (points.length === 0) return missing('predictions beside actual values', subject)
  const values = points.flat()
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return html`${plot({
    label: 'Predicted value by actual value',
    x: axis('Actual', low, high),
    y: axis('Predicted', low, high),
    diagonal: true,
    lines: [{ points, colour: 0, marks: 'alone' }],
  })}
<p class="note">${points.length} rows. On the diagonal the prediction is right.</p>`
}
