import type { InputFile } from '../batch/input-files.ts'
import type { Part } from '../batch/job.ts'
import type { BatchEvents } from '../batch/run-batch.ts'
import { clock, progressBar } from './progress-bar.ts'
import type { Terminal } from './verb.ts'

/** How a job goes: a bar where a person looks on, else a line for each part. */
export interface BatchProgress extends BatchEvents {
  /** Leaves the last state of the bar standing. */
  readonly end: () => void
}

export function batchProgress (terminal: Terminal, inputs: readonly InputFile[]): BatchProgress {
  return bar(terminal, inputs) ?? lines(terminal)
}

function lines ({ err }: Terminal): BatchProgress {
  return {
    notice: text => { err(`notice: ${text}`) },
    resumed: parts => { err(resumedText(parts)) },
    read: () => {},
    scored: () => {},
    part: ({ file, rows, rejected }) => { err(`${file}  ${count(rows, 'row')}${rejected === undefined ? '' : `, ${rejected.rows} rejected`}`) },
    end: () => {},
  }
}

function bar (terminal: Terminal, inputs: readonly InputFile[]): BatchProgress | undefined {
  const totalBytes = inputs.reduce((sum, { bytes }) => sum + bytes, 0)
  let [bytes, rows, rejected] = [0, 0, 0]
  const bar = progressBar(terminal, seconds => ({
    share: Math.min(1, bytes / Math.max(1, totalBytes)),
    text: `${count(rows, 'row')}  ${Math.round(rows / seconds).toLocaleString('en')} rows/s  ${rejected.toLocaleString('en')} rejected  ${clock(seconds)}`,
  }))
  if (bar === undefined) return undefined
  return {
    notice: text => { bar.say(`notice: ${text}`) },
    resumed: parts => { bar.say(resumedText(parts)) },
    read: more => { bytes += more; bar.update() },
    scored: (more, bad) => { rows += more; rejected += bad; bar.update() },
    part: () => {},
    end: bar.end,
  }
}

function resumedText (parts: readonly Part[]): string {
  return `going on after ${count(parts.length, 'finished part')} of ${count(parts.reduce((sum, { rows }) => sum + rows, 0), 'row')}`
}

export function count (n: number, what: string): string {
  return `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`
}
