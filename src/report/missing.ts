import { type Html, html } from './html.ts'
import type { Subject } from './subject.ts'

/** A line in the place of what cannot be shown, and how to come by it. */
export function missing (what: string, { measured }: Subject): Html {
  const why = measured === undefined
    ? `The manifest does not have ${what}: a report with --data, on rows with known answers, measures it.`
    : `The model's answers do not give ${what}.`
  return html`<p class="missing">${why}</p>`
}
