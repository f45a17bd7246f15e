import type { InputFile } from '../batch/input-files.ts'
import type { Part } from '../batch/job.ts'
import type { BatchEvents } from '../batch/run-batch.ts'
import type { Terminal } from './verb.ts'

const barWidth = 24
const redrawMs = 100

/** How a job goes: a bar where a person looks on, else a line for each part. */
export interface BatchProgress extends BatchEvents {
  /** Leaves the last state of the bar standing. */
  readonly end: () => void
}

export function batchProgress (terminal: Terminal, inputs: readonly InputFile[]): BatchProgress {
  const screen = terminal.in?.questions as NodeJS.WritableStream & { isTTY?: boolean } | undefined
  return screen?.isTTY === true ? bar(terminal, text => { screen.write(text) }, inputs) : lines(terminal)
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

function bar ({ err }: Terminal, write: (text: string) => void, inputs: readonly InputFile[]): BatchProgress {
  const totalBytes = inputs.reduce((sum, { bytes }) => sum + bytes, 0)
  const startedMs = performance.now()
  let [bytes, rows, rejected, drawnMs, drawn] = [0, 0, 0, 0, false]
  const draw = (): void => {
    const seconds = (performance.now() - startedMs) / 1000
    const share = Math.min(1, bytes / Math.max(1, totalBytes))
    const full = Math.round(share * barWidth)
    write(`\r\x1B[K[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${Math.floor(share * 100)}%  ${count(rows, 'row')}  ${Math.round(rows / seconds).toLocaleString('en')} rows/s  ${rejected.toLocaleString('en')} rejected  ${clock(seconds)}`)
    drawn = true
  }
  const drawSometimes = (): void => {
    const nowMs = performance.now()
    if (nowMs - drawnMs < redrawMs) return
    drawnMs = nowMs
    draw()
  }
  const say = (text: string): void => {
    if (drawn) write('\r\x1B[K')
    err(text)
  }
  return {
    notice: text => { say(`notice: ${text}`) },
    resumed: parts => { say(resumedText(parts)) },
    read: more => { bytes += more; drawSometimes() },
    scored: (more, bad) => { rows += more; rejected += bad; drawSometimes() },
    part: () => {},
    end: () => {
      if (!drawn) return
      draw()
      write('\n')
    },
  }
}

function resumedText (parts: readonly Part[]): string {
  return `going on after ${count(parts.length, 'finished part')} of ${count(parts.reduce((sum, { rows }) => sum + rows, 0), 'row')}`
}

export function count (n: number, what: string): string {
  return `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`
}

function clock (seconds: number): string {
  const whole = Math.floor(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const end = `${String(minutes).padStart(hours > 0 ? 2 : 1, '0')}:${String(rest).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${end}` : end
}
