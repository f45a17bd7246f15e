/** What a verb may touch besides files and the network; tests hand in their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Answers, one line a call; `--json` prints machine-readable text here. */
  out: (line: string) => void
  /** Progress and complaints. */
  err: (line: string) => void
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
