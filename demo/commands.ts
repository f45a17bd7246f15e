import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { settings } from '../src/config.ts'

/** Lines of a failed command's complaints that are shown. */
const maxComplaints = 15
const killAfterMs = 10_000

export class CommandError extends Error {}

export interface Ended { readonly out: string, readonly err: string }

/** A command that goes on until it is ended. */
export interface Service {
  /** Waits for a text on stderr. @throws CommandError when the command ends before */
  until: (pattern: RegExp) => Promise<RegExpExecArray>
}

/** Runs command lines in the shell, as somebody who types them does, and ends all of them when it is told to. */
export class Commands {
  readonly #folder: string
  readonly #running = new Set<ChildProcess>()
  #isEnding = false

  /** @param folder in which they run */
  constructor (folder: string) {
    this.#folder = folder
  }

  /** @throws CommandError with what it has said, when it fails */
  async run (line: string): Promise<Ended> {
    const { child, said } = this.#start(line)
    const [code] = await once(child, 'close') as [number | null]
    if (code !== 0) throw failed(line, code, said)
    return said
  }

  service (line: string): Service {
    const { child, said } = this.#start(line)
    return {
      until: pattern => new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(said.err)
          if (found !== null) resolve(found)
        }
        child.stderr?.on('data', look)
        child.once('error', reject)
        child.once('close', code => { reject(failed(line, code, said)) })
        look()
      }),
    }
  }

  /** Ends what still runs and waits until it has ended; nothing is started from now on. */
  async end (): Promise<void> {
    this.#isEnding = true
    await Promise.all(Array.from(this.#running, async child => {
      const closed = once(child, 'close')
      signalAll(child, 'SIGTERM')
      const late = setTimeout(() => { signalAll(child, 'SIGKILL') }, killAfterMs)
      await closed
      clearTimeout(late)
    }))
  }

  #start (line: string): { child: ChildProcess, said: { out: string, err: string } } {
    if (this.#isEnding) throw new CommandError(`not started any more: ${line}`)
    // A group of their own: npx, its shell and what they start are ended as one.
    const child = spawn(line, { shell: true, cwd: this.#folder, detached: process.platform !== 'win32', stdio: ['ignore', 'pipe', 'pipe'], env: environment() })
    const said = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => { said.out += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => { said.err += chunk.toString() })
    this.#running.add(child)
    child.once('close', () => this.#running.delete(child))
    return { child, said }
  }
}

function signalAll ({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' })
    return
  }
  try {
    process.kill(-pid, signal)
  } catch {
    // It has just ended.
  }
}

/** This process's own, without settings of modelport's that are meant for something else than the demo. */
function environment (): NodeJS.ProcessEnv {
  const meant = Object.entries(settings).flatMap(([name, setting]) => [name, `${name}_FILE`, ...'aliases' in setting ? setting.aliases ?? [] : []])
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !meant.includes(name)))
}

function failed (line: string, code: number | null, { out, err }: Ended): CommandError {
  const complaints = `${out}${err}`.trim().split('\n').slice(-maxComplaints).map(text => `   ${text}`)
  return new CommandError([`it ended with ${code ?? 'a signal'}: ${line}`, ...complaints].join('\n'))
}
