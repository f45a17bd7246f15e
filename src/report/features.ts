import type { Histogram } from '../artifact/baseline.ts'
import type { Feature } from '../artifact/manifest.ts'
import { barTable } from './bars.ts'
import { type Html, html } from './html.ts'
import { short } from './numbers.ts'
import { axis, plot } from './plot.ts'
import type { Subject } from './subject.ts'

/** More pictures than this nobody looks at. */
const maxFeatures = 60
const maxCategories = 12

/** The training data as baseline.json counts it: each feature, and what the model says. */
export function featuresSection ({ manifest: { features = [] }, baseline }: Subject): Html {
  if (baseline === undefined) return html`<p class="missing">There is no baseline.json: nothing is known of the data that the model has learned from.</p>`
  const listed = features.filter(({ name }) => Object.hasOwn(baseline.features, name))
  const more = listed.length - maxFeatures
  return html`<div class="cards">
${listed.slice(0, maxFeatures).map(feature => card(titleOf(feature), baseline.features[feature.name]!, feature.range))}
${card('Prediction', baseline.prediction, undefined)}
</div>
${more > 0 ? html`<p class="note">and ${more} more features</p>` : undefined}`
}

function titleOf ({ name, unit }: Feature): string {
  return unit === undefined ? name : `${name} (${unit})`
}

function card (title: string, histogram: Histogram, range: Feature['range']): Html {
  return html`<figure class="card"><figcaption>${title}</figcaption>
${histogram.kind === 'number' ? numbers(title, histogram, range) : categories(histogram)}
${histogram.missing > 0 ? html`<p class="note">missing in ${histogram.missing} rows</p>` : undefined}
</figure>`
}

/** Bars of rows per unit: the bins hold about the same number of rows and differ in width. */
function numbers (title: string, { edges, counts }: Extract<Histogram, { kind: 'number' }>, range: Feature['range']): Html {
  if (edges.length === 0) return html`<p class="note">${range === undefined ? 'one range' : `${short(range[0])} to ${short(range[1])}`}: ${counts[0]} rows</p>`
  const [low, high] = outerEdges(edges, range)
  const borders = [low, ...edges, high]
  const bars = counts.map((count, i) => {
    const [from, to] = [borders[i]!, borders[i + 1]!]
    return { from, to, height: to > from ? count / (to - from) : 0, title: `${short(from)} to ${short(to)}: ${count} rows` }
  })
  return plot({
    label: `Histogram of ${title}`,
    x: axis('', low, high),
    y: axis('Rows per unit', 0, Math.max(...bars.map(({ height }) => height))),
    bars,
  })
}

/** The outer bins are open: they end where the training data does, else they are as wide as their neighbours. */
function outerEdges (edges: readonly number[], range: Feature['range']): [number, number] {
  const [first, last] = [edges[0]!, edges.at(-1)!]
  const left = edges[1] === undefined ? Math.abs(first) || 1 : edges[1] - first
  const right = edges.length < 2 ? Math.abs(last) || 1 : last - edges.at(-2)!
  return [Math.min(first, range?.[0] ?? first - left), Math.max(last, range?.[1] ?? last + right)]
}

function categories ({ categories, counts, other }: Extract<Histogram, { kind: 'category' }>): Html {
  const rows = categories.map((category, i) => ({ label: String(category), value: counts[i] ?? 0, text: String(counts[i] ?? 0) }))
  const listed = rows.length > maxCategories ? rows.sort((a, b) => b.value - a.value).slice(0, maxCategories) : rows
  const rest = rows.slice(listed.length).reduce((sum, { value }) => sum + value, other)
  const last = rest > 0 ? [{ label: 'others', value: rest, text: String(rest) }] : []
  return barTable([...listed, ...last], ['', 'Rows'])
}
