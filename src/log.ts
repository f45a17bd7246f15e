import { type DestinationStream, type LoggerOptions, pino } from 'pino'
import type { FastifyBaseLogger } from 'fastify'

/** A line is on its way after this time at the latest. */
const flushMs = 100
/** A write costs as much as a dozen lines. */
const writeBytes = 32_768
/** POSIX lets several processes write so many bytes into one pipe without mixing them (PIPE_BUF). */
const sharedWriteBytes = 4096

export interface Log {
  readonly log: FastifyBaseLogger
  /**
   * Writes what `log.info` would, from members that are JSON already; for what logs once per request.
   * Absent where a person looks on, and where the level leaves it out.
   */
  readonly writeInfo: ((members: string, message: string) => void) | undefined
  /** Writes a line that is whole, whatever the level. */
  readonly writeLine: (line: string) => void
  /** Writes what is buffered, at once; for the end of the process. */
  readonly flush: () => void
}

/**
 * One JSON object a line on stdout, or readable lines where a person looks on.
 *
 * @param writers  processes that write into the same stdout
 */
export async function createLog (level: string, stdout: { readonly isTTY?: boolean, readonly fd?: number }, writers = 1): Promise<Log> {
  const options: LoggerOptions = {
    level,
    base: undefined,
    timestamp: () => `,"time":"${isoTime()}"`,
    formatters: { level: label => ({ level: label }) },
  }
  if (stdout.isTTY === true) {
    const { default: pretty } = await import('pino-pretty')
    return { log: pino(options, pretty({ sync: true, ignore: 'request_id', singleLine: true }) as DestinationStream), writeInfo: undefined, writeLine: line => { process.stdout.write(line) }, flush: () => {} }
  }
  // Synchronous: a write by a thread takes a turn of the event loop, and a busy server makes more lines
  // in a turn than it may write at once, so that they pile up without end.
  const { lines, flush } = batched(pino.destination({ fd: stdout.fd ?? 1, sync: true }), writers === 1 ? writeBytes : sharedWriteBytes)
  const log = pino(options, lines)
  const writeInfo = (members: string, message: string): void => { lines.write(`{"level":"info","time":"${isoTime()}",${members},"msg":"${message}"}\n`) }
  return { log, writeInfo: log.isLevelEnabled('info') ? writeInfo : undefined, writeLine: line => { lines.write(line) }, flush }
}

let timeMs = 0
let timeText = ''

/** Many requests end within one millisecond, and to write the time takes longer than the rest of a short line. */
function isoTime (): string {
  const nowMs = Date.now()
  if (nowMs !== timeMs) {
    timeMs = nowMs
    timeText = new Date(nowMs).toISOString()
  }
  return timeText
}

/** Writes many lines at a time: a write for each would cost more than to make it. */
function batched (destination: ReturnType<typeof pino.destination>, maxBytes: number): { lines: DestinationStream, flush: () => void } {
  let waiting = ''
  const handOn = (): void => {
    if (waiting !== '') destination.write(waiting)
    waiting = ''
  }
  setInterval(handOn, flushMs).unref()
  return {
    lines: {
      write: line => {
        // What is handed on together is written together, so it must fit.
        if (waiting.length + line.length > maxBytes) handOn()
        waiting += line
      },
    },
    flush: handOn,
  }
}
