import type { Manifest } from '../artifact/manifest.ts'
import type { Prediction } from '../schemas/answer-text.ts'

export const outputFormats = ['csv', 'ndjson'] as const
export type OutputFormat = typeof outputFormats[number]

type Answer = Extract<Prediction, { prediction: number }>

/** How answers are written, a line each. */
export interface OutputLines {
  /** The first line of each part; undefined for none. */
  readonly header: string | undefined
  /** @param kept one value for each column that is kept */
  readonly line: (kept: readonly unknown[], answer: Answer) => string
}

/** What the answers' own columns are called. */
export function answerColumns (format: OutputFormat, { task, labels = [], outputs }: Manifest): string[] {
  if (task !== 'classification') return ['prediction']
  if (format === 'ndjson') return ['prediction', 'class_name', 'probabilities']
  return ['prediction', 'class_name', ...(outputs?.probabilities === undefined ? [] : labels.map(label => `probability_${label}`))]
}

export function compileLines (format: OutputFormat, manifest: Manifest, keep: readonly string[]): OutputLines {
  switch (format) {
    case 'csv': return csvLines(manifest, keep)
    case 'ndjson': return ndjsonLines(keep)
    default: return format satisfies never
  }
}

function csvLines (manifest: Manifest, keep: readonly string[]): OutputLines {
  const names = new Map(manifest.labels?.map(label => [label, `,${quoted(label)}`]))
  return {
    header: [...keep, ...answerColumns('csv', manifest)].map(quoted).join(','),
    line: (kept, { prediction, class_name: name, probabilities = [] }) => {
      let line = ''
      for (const value of kept) line += `${quoted(textOf(value))},`
      line += prediction
      if (name !== undefined) line += names.get(name) ?? ','
      for (const p of probabilities) line += `,${p}`
      return line
    },
  }
}

function ndjsonLines (keep: readonly string[]): OutputLines {
  const keys = keep.map(name => `${JSON.stringify(name)}:`)
  return {
    header: undefined,
    line: (kept, answer) => {
      let line = '{'
      for (let i = 0; i < keys.length; i++) line += `${keys[i]}${JSON.stringify(kept[i] ?? null)},`
      return line + JSON.stringify(answer).slice(1)
    },
  }
}

function textOf (value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** RFC 4180. */
function quoted (text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
