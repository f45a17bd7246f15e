import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../test/helpers/free-port.ts'
import { type Program, cpuSeconds, residentMb, start, stop } from './processes.ts'

export interface BenchServer {
  readonly url: string
  /** From the start of the process to the first 200 of its readiness route, in milliseconds. */
  readonly readyMs: number
  readonly cpuSeconds: () => number
  readonly residentMb: () => number
  /** Empties the file that the server's log goes to. */
  readonly dropLog: () => void
  readonly stop: () => Promise<void>
}

/** How a server is started on a port, and which route says that it is ready. */
export interface Launch {
  readonly name: string
  readonly program: (port: number) => Program
  readonly readyPath: string
}

const patienceMs = 30_000

/** Starts a server on a free port and waits until it is ready. Its output goes to a file in `folder`. */
export async function startServer ({ name, program, readyPath }: Launch, folder: string): Promise<BenchServer> {
  const port = await freePort()
  const logFile = join(folder, `${name}-${port}.log`)
  const log = openSync(logFile, 'a')
  const startedMs = performance.now()
  const child = start(program(port), ['ignore', log, log])
  closeSync(log)
  const url = `http://127.0.0.1:${port}`
  while (!await isReady(url + readyPath)) {
    if (child.exitCode !== null || performance.now() - startedMs > patienceMs) {
      throw new Error(`${name} did not become ready:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
    }
    await wait(5)
  }
  const pid = child.pid as number
  return {
    url,
    readyMs: performance.now() - startedMs,
    cpuSeconds: () => cpuSeconds(pid),
    residentMb: () => residentMb(pid),
    dropLog: () => { truncateSync(logFile) },
    stop: () => stop(child),
  }
}

async function isReady (url: string): Promise<boolean> {
  return await fetch(url).then(response => response.ok, () => false)
}
