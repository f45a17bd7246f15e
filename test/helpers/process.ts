import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ServerProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when stderr or stdout matches; rejects when the process ends before. */
  until: (pattern: RegExp) => Promise<RegExpExecArray>
  /** Waits for the end and gives the exit code; null after a signal. */
  exit: () => Promise<number | null>
  stop: () => Promise<void>
}

/** Starts the built server, as `npm start` does, with a clean environment; in one process unless told. */
export function startProcess (env: Record<string, string>, args: readonly string[] = ['dist/main.js']): ServerProcess {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', PORT: '0', HTTP_WORKERS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString(); listeners.forEach(listener => { listener() }) })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString(); listeners.forEach(listener => { listener() }) })
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    until: async pattern => await new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(stderr) ?? pattern.exec(stdout)
        if (found === null) return
        listeners.delete(look)
        resolve(found)
      }
      listeners.add(look)
      ended.then(code => { reject(new Error(`the server ended with ${code}:\n${stderr}${stdout}`)) }, reject)
      look()
    }),
    exit: () => ended,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}
