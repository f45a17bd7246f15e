import { type Html, html } from './html.ts'

export interface BarRow {
  readonly label: string
  readonly value: number
  /** What stands at its end. */
  readonly text: string
}

/** A table with a bar in each row, all to one scale; what is below 0 has none. */
export function barTable (rows: readonly BarRow[], heads: readonly [label: string, text: string]): Html {
  const most = Math.max(...rows.map(({ value }) => value))
  return html`<table class="bars">
<thead><tr><th scope="col">${heads[0]}</th><td></td><th scope="col">${heads[1]}</th></tr></thead>
<tbody>${rows.map(({ label, value, text }) => html`<tr><th scope="row">${label}</th><td><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar" width="${most > 0 ? Math.max(0, Math.round(value / most * 1000) / 10) : 0}" height="10"/></svg></td><td>${text}</td></tr>
`)}</tbody>
</table>`
}
