import { type DestinationStream, type LoggerOptions, pino } from 'pino'
import type { FastifyBaseLogger } from 'fastify'

/** A line is on its way after this time at the latest. */
const flushMs = 100
/** One write for some hundred lines: a write for each dozen was a tenth of a request's cost. */
const bufferBytes = 64 * 1024
/** What several processes may write into one pipe without mixing their lines (POSIX, PIPE_BUF). */
const sharedBytes = 4096

export interface Log {
  readonly log: FastifyBaseLogger
  /** Writes what is buffered, at once; for the end of the process. */
  readonly flush: () => void
}

/**
 * One JSON object a line on stdout, or readable lines where a person looks on.
 *
 * @param shared other processes write to the same stdout
 */
export async function createLog (level: string, stdout: { readonly isTTY?: boolean, readonly fd?: number }, shared: boolean): Promise<Log> {
  const options: LoggerOptions = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
  }
  if (stdout.isTTY === true) {
    const { default: pretty } = await import('pino-pretty')
    return { log: pino(options, pretty({ sync: true, ignore: 'request_id', singleLine: true }) as DestinationStream), flush: () => {} }
  }
  const bytes = shared ? sharedBytes : bufferBytes
  const destination = pino.destination({ fd: stdout.fd ?? 1, sync: false, minLength: bytes * 3 / 4, maxWrite: bytes })
  setInterval(() => destination.flush(), flushMs).unref()
  return { log: pino(options, destination), flush: () => { destination.flushSync() } }
}
