import { pino } from 'pino'
import type { FastifyBaseLogger } from 'fastify'
import pretty from 'pino-pretty'

/** One write for many lines; a line is on its way after this time at the latest. */
const bufferBytes = 4096
const flushMs = 100

export interface Log {
  readonly log: FastifyBaseLogger
  /** Writes what is buffered, at once; for the end of the process. */
  readonly flush: () => void
}

/** One JSON object a line on stdout, or readable lines where a person looks on. */
export function createLog (level: string, stdout: { readonly isTTY?: boolean, readonly fd?: number }): Log {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } }
  if (stdout.isTTY === true) {
    return { log: pino(options, pretty({ sync: true, ignore: 'request_id', singleLine: true })), flush: () => {} }
  }
  const destination = pino.destination({ fd: stdout.fd ?? 1, sync: false, minLength: bufferBytes })
  setInterval(() => destination.flush(), flushMs).unref()
  return { log: pino(options, destination), flush: () => { destination.flushSync() } }
}
