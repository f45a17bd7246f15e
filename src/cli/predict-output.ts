import type { Manifest } from '../artifact/manifest.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import type { PredictResult } from '../serving/inference.ts'

export const formats = ['text', 'json', 'ndjson', 'csv'] as const
export type Format = typeof formats[number]

/** The answers as lines: for a person, or as `/predict` answers, or one line a row. */
export function printAnswers (result: PredictResult, manifest: Manifest, format: Format): string[] {
  const { single, predictions, warnings, timings } = result
  switch (format) {
    case 'text': return single ? oneAnswer(predictions, manifest) : table(predictions, manifest)
    case 'json': return [result.writeAnswer({ single, predictions, warnings, latencyMs: Math.round(timings.totalMs * 1000) / 1000 })]
    case 'ndjson': return predictions.map(prediction => JSON.stringify(prediction))
    case 'csv': return csv(predictions, manifest)
    default: return format satisfies never
  }
}

/** More classes than this are not read side by side. */
const maxColumns = 8
/** Of more classes only the likeliest are listed. */
const maxListed = 10

function oneAnswer (predictions: readonly Prediction[], { name, version, labels = [] }: Manifest): string[] {
  return predictions.flatMap(answer => {
    if ('errors' in answer) return []
    const head = `${name} ${version}: ${answer.class_name ?? answer.prediction}`
    if (answer.probabilities === undefined) return [head]
    const classes = answer.probabilities.map((p, k) => ({ label: labels[k] ?? String(k), p }))
    const listed = classes.length > maxListed ? classes.sort((a, b) => b.p - a.p).slice(0, maxListed) : classes
    const more = classes.length - listed.length
    return [head, ...aligned(listed.map(({ label, p }) => [label, share(p)])).map(line => `  ${line}`), ...(more > 0 ? [`  and ${more} more`] : [])]
  })
}

/** Rows count from 0, as in the paths of faults and warnings. */
function table (predictions: readonly Prediction[], { name, version, task, labels = [] }: Manifest): string[] {
  const withShares = predictions.some(answer => 'probabilities' in answer)
  const wide = labels.length > maxColumns
  const head = ['row', task === 'classification' ? 'class' : 'prediction', ...(!withShares ? [] : wide ? ['probability'] : labels)]
  const rows = predictions.map((answer, row) => {
    if ('errors' in answer) return [String(row)]
    const { prediction, class_name: label, probabilities = [] } = answer
    return [String(row), label ?? String(prediction), ...(wide ? probabilities.slice(prediction, prediction + 1) : probabilities).map(share)]
  })
  return [`${name} ${version}`, ...aligned([head, ...rows])]
}

function csv (predictions: readonly Prediction[], { task, labels = [], outputs }: Manifest): string[] {
  const shares = outputs?.probabilities === undefined ? [] : labels.map(label => `probability_${label}`)
  const head = task === 'classification' ? ['prediction', 'class_name', ...shares] : ['prediction']
  const rows = predictions.map(answer => {
    if ('errors' in answer) return []
    const { prediction, class_name: label, probabilities = [] } = answer
    return [prediction, ...(label === undefined ? [] : [label]), ...probabilities]
  })
  return [head, ...rows].map(cells => cells.map(quote).join(','))
}

function share (p: number): string {
  return p.toFixed(4)
}

/** Columns of one width each. */
function aligned (rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => { widths[i] = Math.max(widths[i] ?? 0, cell.length) })
  return rows.map(row => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd())
}

/** RFC 4180. */
function quote (cell: string | number): string {
  const text = String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
