import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A script of the bench in a process of its own. */
export function script (file: string, args: readonly string[] = [], nodeFlags: readonly string[] = []): Program {
  return { command: process.execPath, args: [...nodeFlags, '--import', 'tsx', file, ...args] }
}

const running = new Set<ChildProcess>()

/** Starts a program with a clean environment; it does not outlive the bench. */
export function start ({ command, args, env = {} }: Program, stdio: ('ignore' | 'pipe' | 'inherit' | number)[]): ChildProcess {
  const child = spawn(command, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Runs a program to its end and reads the last line that it prints, which is JSON. */
export async function runForJson<T> (program: Program): Promise<T> {
  const child = start(program, ['ignore', 'pipe', 'inherit'])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const [code] = await once(child, 'close') as [number | null]
  if (code !== 0) throw new Error(`${program.command} ${program.args.join(' ')} ended with ${code}: ${output}`)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as T
}

/** Asks a process to end and waits until it has. */
export async function stop (child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

/** For the end of the bench, whatever its reason. */
export function killAll (): void {
  for (const child of running) child.kill('SIGKILL')
}

const ticksPerSecond = 100

/** User and system time of all threads of a process and of those that it started, in seconds, as the operating system counts it. */
export function cpuSeconds (pid: number): number {
  return sum(tree(pid).map(({ fields }) => (Number(fields[11]) + Number(fields[12])) / ticksPerSecond))
}

/** Resident memory of a process and of those that it started in MB (10⁶ bytes); what they share counts for each. */
export function residentMb (pid: number): number {
  return sum(tree(pid).map(({ pid }) => {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kib) * 1024 / 1e6
  }))
}

/** What stands in /proc/<pid>/stat behind the program's name: state, parent, … */
interface Stat { readonly pid: number, readonly fields: readonly string[] }

function tree (root: number): Stat[] {
  const all = readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => stat(Number(name)))
  const found = all.filter(({ pid }) => pid === root)
  // Grows while it is walked: children behind their parents.
  for (const { pid } of found) found.push(...all.filter(({ fields }) => Number(fields[1]) === pid))
  return found
}

function stat (pid: number): Stat[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return [{ pid, fields: text.slice(text.lastIndexOf(') ') + 2).split(' ') }]
  } catch {
    // It ended meanwhile.
    return []
  }
}

/** CPU time since the machine started that neither this process nor what it started, and what has ended, has used, in seconds. */
export function othersCpuSeconds (): number {
  const [user, nice, system, , , irq, softirq] = (/^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '').split(' ').map(Number)
  const own = stat(process.pid)[0]?.fields.slice(11, 15).map(Number) ?? []
  return (sum([user, nice, system, irq, softirq].map(ticks => ticks ?? NaN)) - sum(own)) / ticksPerSecond
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
