import type { Manifest } from '../artifact/manifest.ts'
import { type ByteWriter, quoted } from './byte-writer.ts'

export const outputFormats = ['csv', 'ndjson', 'parquet'] as const
export type OutputFormat = typeof outputFormats[number]

/** Whether kept columns of features are the numbers and truths that they stand for; CSV has texts. */
export function isTyped (format: OutputFormat): boolean {
  return format !== 'csv'
}

/** How answers are written, a line each: first the columns that are kept, then the answer. */
export interface OutputLines {
  /** The first line of each part, '' for none. */
  readonly header: string
  /** @param values  one for each column that is kept */
  readonly kept: (to: ByteWriter, values: readonly unknown[]) => void
  /** The same for one column whose cell of CSV goes on as it is; absent where that cannot be. */
  readonly keptCell?: (to: ByteWriter, text: string, start: number, end: number) => void
  /** @param prediction  the index of a class, or a value */
  readonly answer: (to: ByteWriter, prediction: number, probabilities: readonly number[] | undefined) => void
}

/** What the answers' own columns are called. */
export function answerColumns (format: OutputFormat, { task, labels = [], outputs }: Manifest): string[] {
  if (task !== 'classification') return ['prediction']
  if (format === 'ndjson') return ['prediction', 'class_name', 'probabilities']
  return ['prediction', 'class_name', ...(outputs?.probabilities === undefined ? [] : labels.map(label => `probability_${label}`))]
}

export function compileLines (format: OutputFormat, manifest: Manifest, keep: readonly string[]): OutputLines {
  switch (format) {
    case 'csv': return { ...csvLines(manifest, quoted), header: `${[...keep, ...answerColumns('csv', manifest)].map(quoted).join(',')}\n` }
    case 'parquet': return csvLines(manifest, stated)
    case 'ndjson': return ndjsonLines(manifest, keep)
    default: return format satisfies never
  }
}

const [comma, newline] = [0x2c, 0x0a]

/** @param write  a text as a cell */
function csvLines (manifest: Manifest, write: (text: string) => string): OutputLines {
  const names = classNames(manifest, label => `,${write(label)}`)
  return {
    header: '',
    kept: (to, values) => {
      for (const value of values) {
        if (value !== null && value !== undefined) to.text(write(textOf(value)))
        to.byte(comma)
      }
    },
    keptCell: (to, text, start, end) => {
      if (start === end) to.text(write(''))
      to.cell(text, start, end)
      to.byte(comma)
    },
    answer: (to, prediction, probabilities) => {
      to.number(prediction)
      if (names !== undefined) to.copy(names[prediction] as Uint8Array)
      if (probabilities !== undefined) {
        for (let i = 0; i < probabilities.length; i++) {
          to.byte(comma)
          to.number(probabilities[i] as number)
        }
      }
      to.byte(newline)
    },
  }
}

function ndjsonLines (manifest: Manifest, keep: readonly string[]): OutputLines {
  const names = classNames(manifest, label => `,"class_name":${JSON.stringify(label)}`)
  const keys = keep.map((name, i) => Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  const start = Buffer.from(`${keep.length === 0 ? '{' : ','}"prediction":`)
  const probabilitiesStart = Buffer.from(',"probabilities":[')
  const [end, endOfAll] = [Buffer.from('}\n'), Buffer.from(']}\n')]
  return {
    header: '',
    kept: (to, values) => {
      for (let i = 0; i < keys.length; i++) {
        to.copy(keys[i] as Uint8Array)
        to.text(jsonOf(values[i]))
      }
    },
    answer: (to, prediction, probabilities) => {
      to.copy(start)
      to.number(prediction)
      if (names !== undefined) to.copy(names[prediction] as Uint8Array)
      if (probabilities === undefined) {
        to.copy(end)
        return
      }
      to.copy(probabilitiesStart)
      for (let i = 0; i < probabilities.length; i++) {
        if (i > 0) to.byte(comma)
        to.number(probabilities[i] as number)
      }
      to.copy(endOfAll)
    },
  }
}

/** By class, as they are written; undefined where there are no classes. */
function classNames ({ task, labels = [] }: Manifest, write: (label: string) => string): readonly Uint8Array[] | undefined {
  return task === 'classification' ? labels.map(label => Buffer.from(write(label))) : undefined
}

/** A value that is JSON already. */
export class JsonText {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }
}

function jsonOf (value: unknown): string {
  return value instanceof JsonText ? value.text : JSON.stringify(value ?? null)
}

function textOf (value: unknown): string {
  return typeof value === 'string' ? value : jsonOf(value)
}

/** A text beside what is missing: a cell that is empty without quotes. */
function stated (text: string): string {
  return text === '' ? '""' : quoted(text)
}
