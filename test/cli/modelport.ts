import { PassThrough, Readable } from 'node:stream'
import { run } from '../../src/cli/run.ts'
import type { TerminalInput } from '../../src/cli/verb.ts'

export interface Ended { code: number, out: string, err: string }

/** Runs `modelport …` in this process. */
export async function modelport (args: readonly string[], { env = {}, in: input }: { env?: Record<string, string>, in?: TerminalInput } = {}): Promise<Ended> {
  const out: string[] = []
  const err: string[] = []
  const code = await run(args, { env, ...(input === undefined ? {} : { in: input }), out: line => out.push(line), err: line => err.push(line) })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** What another command pipes in. */
export function piped (content: string | Uint8Array): TerminalInput {
  return { stream: Readable.from([Buffer.from(content)]), isTerminal: false, questions: new PassThrough() }
}

/** A person who has typed these lines, and what was asked. */
export function typed (...lines: readonly string[]): { input: TerminalInput, asked: () => string } {
  const questions = new PassThrough()
  const texts: string[] = []
  questions.on('data', (chunk: Buffer) => texts.push(chunk.toString()))
  return { input: { stream: Readable.from([lines.map(line => `${line}\n`).join('')]), isTerminal: true, questions }, asked: () => texts.join('') }
}
