import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from './free-port.ts'

/** Whether `redis-server` is there; where it is not, the tests that need it are skipped and say so. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0
if (!hasRedis) process.stderr.write('Skipped: redis-server is not installed, so the shared rate limit is not tested\n')

export interface RedisServer {
  url: string
  start: () => Promise<void>
  /** Kills it and waits until it is gone. */
  stop: () => Promise<void>
  /** It goes on accepting connections and answers nothing, until `resume`. */
  pause: () => void
  resume: () => void
}

/** A Redis on a free port that writes nothing to disk. `options` are more arguments for it. */
export async function startRedis (...options: string[]): Promise<RedisServer> {
  const port = await freePort()
  let child: ChildProcess | undefined
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    start: async () => { child = await run(port, options) },
    stop: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
    pause: () => { child?.kill('SIGSTOP') },
    resume: () => { child?.kill('SIGCONT') },
  }
  await server.start()
  return server
}

async function run (port: number, options: string[]): Promise<ChildProcess> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options]
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`redis-server ended with ${code}`)))
    child.stdout.on('data', (chunk: Buffer) => { if (chunk.includes('Ready to accept connections')) resolve() })
  })
  return child
}
