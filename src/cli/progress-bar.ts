import type { Terminal } from './verb.ts'

const barWidth = 24
const redrawMs = 100

/** One line that changes, on a terminal. */
export interface ProgressBar {
  /** Draws, but not more often than an eye can follow. */
  readonly update: () => void
  /** Prints a line above the bar. */
  readonly say: (text: string) => void
  /** Leaves the last state of the bar standing. */
  readonly end: () => void
}

/**
 * @param state  how far the work is (0 to 1), and what to tell beside that, given the seconds since the start
 * @returns undefined where no person looks on
 */
export function progressBar ({ err, in: input }: Terminal, state: (seconds: number) => { share: number, text: string }): ProgressBar | undefined {
  const screen = input?.questions as NodeJS.WritableStream & { isTTY?: boolean } | undefined
  if (screen?.isTTY !== true) return undefined
  const startedMs = performance.now()
  let [drawnMs, isDrawn] = [0, false]
  const draw = (): void => {
    const { share, text } = state((performance.now() - startedMs) / 1000)
    const full = Math.round(share * barWidth)
    screen.write(`\r\x1B[K[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${Math.floor(share * 100)}%  ${text}`)
    isDrawn = true
  }
  return {
    update: () => {
      const nowMs = performance.now()
      if (nowMs - drawnMs < redrawMs) return
      drawnMs = nowMs
      draw()
    },
    say: text => {
      if (isDrawn) screen.write('\r\x1B[K')
      err(text)
    },
    end: () => {
      if (!isDrawn) return
      draw()
      screen.write('\n')
    },
  }
}

export function clock (seconds: number): string {
  const whole = Math.floor(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const end = `${String(minutes).padStart(hours > 0 ? 2 : 1, '0')}:${String(rest).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${end}` : end
}
