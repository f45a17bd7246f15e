import { createHash } from 'node:crypto'
import { confusionSection, perClassSection } from './classes.ts'
import { calibrationSection, prSection, rocSection } from './curves.ts'
import { featuresSection } from './features.ts'
import { type Html, html } from './html.ts'
import { importanceSection } from './importance.ts'
import { provenanceSection } from './provenance.ts'
import { residualsSection, scatterSection } from './residuals.ts'
import { scoresSection } from './scores.ts'
import { style } from './style.ts'
import { type Subject, titleOf } from './subject.ts'

/**
 * One page that needs nothing but itself: no script, no request, and a policy that allows none.
 *
 * @param subjects one version, or two to set side by side
 */
export function renderReport (subjects: readonly Subject[]): string {
  const title = subjects.map(titleOf).join(' and ')
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}: report</title>
<link rel="icon" href="data:,">
<style>${{ markup: style }}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${subjects.map(({ manifest: { description } }) => description === undefined ? undefined : html`<p>${description}</p>`)}
${sections(subjects)}
<footer>Written by modelport report.</footer>
</main>
</body>
</html>
`
  return page.markup
}

function sections (subjects: readonly Subject[]): Html {
  const tasks = new Set(subjects.map(({ manifest }) => manifest.task))
  const classes = tasks.has('classification')
    ? [
        ['Classes', beside(perClassSection)], ['Confusion matrix', beside(confusionSection)], ['ROC curve', rocSection],
        ['Precision–recall curve', prSection], ['Calibration', calibrationSection],
      ] as const
    : []
  const values = tasks.has('regression') ? [['Predicted and actual', beside(scatterSection)], ['Residuals', beside(residualsSection)]] as const : []
  const isTabular = classes.length + values.length > 0
  const pictures = isTabular ? [...classes, ...values, ['Importance', beside(importanceSection)] as const] : []
  return html`<div class="${subjects.length === 1 ? 'sections' : ''}">
${block('Scores', scoresSection(subjects))}
${pictures.map(([title, section]) => block(title, section(subjects)))}
</div>
${isTabular ? block('Training data', beside(featuresSection)(subjects)) : undefined}
${block('Provenance', provenanceSection(subjects))}`
}

function block (title: string, content: Html): Html {
  return html`<section><h2>${title}</h2>
${content}</section>
`
}

/** A section of one version, or of two side by side: what cannot be laid over each other. */
function beside (section: (subject: Subject) => Html): (subjects: readonly Subject[]) => Html {
  return subjects => {
    const [only] = subjects
    if (only !== undefined && subjects.length === 1) return section(only)
    return html`<div class="pair">${subjects.map(subject => html`<div><h3>${titleOf(subject)}</h3>
${section(subject)}</div>`)}</div>`
  }
}
