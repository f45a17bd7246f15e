import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export interface BenchServer {
  readonly url: string
  readonly pid: number
  /** From the start of the process to the first 200 of /health/ready, in milliseconds. */
  readonly readyMs: number
  stop: () => Promise<void>
}

/** Starts a built server on a port of its own and waits until it is ready. */
export async function startServer (port: number, env: Record<string, string> = {}): Promise<BenchServer> {
  const startedMs = performance.now()
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const url = `http://127.0.0.1:${port}`
  while (!await isReady(url)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await wait(5)
  }
  return { url, pid: child.pid as number, readyMs: performance.now() - startedMs, stop: () => stop(child) }
}

async function isReady (url: string): Promise<boolean> {
  return await fetch(`${url}/health/ready`).then(response => response.ok, () => false)
}

async function stop (child: ChildProcess): Promise<void> {
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

/** Resident memory in MB (10⁶ bytes), as the operating system counts it. */
export function residentMb (pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024 / 1e6
}

/** User and system time of all of a process's threads so far, in seconds. */
export function cpuSeconds (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticksPerSecond = 100
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
