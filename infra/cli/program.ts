import { parseArgs, type ParseArgsConfig } from 'node:util'

/** What a verb sees of the world. */
export interface Terminal {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  readonly env: NodeJS.ProcessEnv
  /** Where answers come from. */
  readonly input: NodeJS.ReadableStream
}

export interface Verb {
  /** What `--help` prints; its first line is the usage. */
  readonly help: string
  readonly start: (args: readonly string[], terminal: Terminal) => Promise<void>
}

/** What the caller can put right: told in one line, without a stack. */
export class Refusal extends Error {}

/** Called in a way that cannot be meant: exit code 2. */
export class Misuse extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>
interface Call<T extends Options> {
  args: string[]
  options: T
  allowPositionals: true
  strict: true
}

/** A verb whose flags `parseArgs` reads. */
export function verbOf<T extends Options> (help: string, options: T, body: (parsed: ReturnType<typeof parseArgs<Call<T>>>, terminal: Terminal) => Promise<void>): Verb {
  return {
    help: help.trim(),
    start: async (args, terminal) => { await body(parseArgs<Call<T>>({ args: [...args], options, allowPositionals: true, strict: true }), terminal) },
  }
}

/** @returns the exit code: 0 done, 1 failed, 2 misused */
export async function run ({ help, start }: Verb, args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(help)
    return 0
  }
  try {
    await start(args, terminal)
    return 0
  } catch (error) {
    if (error instanceof Misuse || isWrongFlag(error)) {
      terminal.err(`${error.message}\n${help.split('\n')[0]!}\n--help explains it`)
      return 2
    }
    terminal.err(error instanceof Refusal ? error.message : error instanceof Error ? error.stack ?? error.message : String(error))
    return 1
  }
}

/** What `parseArgs` throws. */
function isWrongFlag (error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS')
}

/** @throws Misuse unless the text is a number in these limits */
export function numberOf (flag: string, text: string, { least, most }: { least: number, most: number }): number {
  const number = text.trim() === '' ? NaN : Number(text)
  if (!(number >= least && number <= most)) throw new Misuse(`--${flag} must be a number from ${least} to ${most}, not ${JSON.stringify(text)}`)
  return number
}
