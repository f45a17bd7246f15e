import type { Readable, Writable } from 'node:stream'

/** What a verb may touch besides files and the network; tests hand in their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What is typed or piped in; absent where a verb has nothing to read from. */
  readonly in?: TerminalInput
  /** Answers, one line a call; `--json` prints machine-readable text here. */
  out: (line: string) => void
  /** Progress and complaints. */
  err: (line: string) => void
}

export interface TerminalInput {
  readonly stream: Readable
  /** A person types it, and may be asked. */
  readonly isTerminal: boolean
  /** Where questions stand: not among the answers, which may go into a file. */
  readonly questions: Writable
}

/** The command line was wrong: the message says how; the process exits 2. Other errors exit 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `modelport <name> …`: exit code 0 done, 1 failed, 2 misused. */
export interface Verb {
  readonly name: string
  /** One line for the list of verbs. */
  readonly summary: string
  /** What `--help` prints: usage, every flag, one example. */
  readonly help: string
  run: (args: readonly string[], terminal: Terminal) => Promise<void>
}
