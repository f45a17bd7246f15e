import { parseArgs, type ParseArgsConfig } from 'node:util'

/** What the caller can put right: told in one line, without a stack. */
export class Refusal extends Error {}

/** Called in a way that cannot be meant: exit code 2. */
export class Misuse extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ args: string[], options: T, allowPositionals: true, strict: true }>>

/**
 * Runs one script: flags, then `body`, then the exit code: 0 done, 1 failed, 2 misused.
 *
 * @param help what `--help` prints; its first line is the usage
 */
export async function program<T extends Options> (help: string, options: T, body: (parsed: Parsed<T>) => Promise<void>): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help.trim())
    return
  }
  try {
    await body(parseArgs<{ args: string[], options: T, allowPositionals: true, strict: true }>({ args, options, allowPositionals: true, strict: true }))
  } catch (error) {
    process.exitCode = complain(error, help.trim().split('\n')[0]!)
  }
}

function complain (error: unknown, usage: string): number {
  if (error instanceof Misuse || isWrongFlag(error)) {
    console.error(`${error.message}\n${usage}\n--help explains it`)
    return 2
  }
  console.error(error instanceof Refusal ? error.message : error)
  return 1
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
