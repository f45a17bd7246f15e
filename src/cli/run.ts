import { FatalError } from '../errors.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

/** Each is loaded when it is called for: the server needs nothing of what trains, and the other way round. */
export type Verbs = Readonly<Record<string, () => Promise<Verb>>>

const verbs: Verbs = {
  serve: async () => (await import('./serve.ts')).serveVerb,
  import: async () => (await import('./import.ts')).importVerb,
  inspect: async () => (await import('./inspect.ts')).inspect,
  verify: async () => (await import('./verify.ts')).verify,
  predict: async () => (await import('./predict.ts')).predict,
  batch: async () => (await import('./batch.ts')).batch,
  train: async () => (await import('./train.ts')).train,
  report: async () => (await import('./report.ts')).report,
  drift: async () => (await import('./drift.ts')).drift,
  etl: async () => (await import('./etl.ts')).etl,
  job: async () => (await import('./job.ts')).job,
  models: async () => (await import('./models.ts')).models,
  promote: async () => (await import('./promote.ts')).promote,
  rollback: async () => (await import('./rollback.ts')).rollback,
  diff: async () => (await import('./diff.ts')).diff,
  gc: async () => (await import('./gc.ts')).gc,
  publish: async () => (await import('./publish.ts')).publish,
  token: async () => (await import('./token.ts')).token,
}

/**
 * Runs `modelport <verb> …`.
 *
 * @returns the exit code: 0 done, 1 failed, 2 misused
 */
export async function run ([name, ...args]: readonly string[], terminal: Terminal, known = verbs): Promise<number> {
  if (name === undefined) {
    terminal.err(await overview(known))
    return 2
  }
  if (isHelp(name) || name === 'help') {
    terminal.out(await overview(known))
    return 0
  }
  const load = Object.hasOwn(known, name) ? known[name] : undefined
  if (load === undefined) {
    terminal.err(`modelport: there is no verb "${name}"; there are ${Object.keys(known).join(', ')}`)
    return 2
  }
  const verb = await load()
  if (args.some(isHelp)) {
    terminal.out(verb.help)
    return 0
  }
  try {
    await verb.run(args, terminal)
    return 0
  } catch (error) {
    return complain(name, error, terminal)
  }
}

function isHelp (word: string): boolean {
  return word === '--help' || word === '-h'
}

/** Our own complaints are one line; a stack is for what we did not expect. */
function complain (name: string, error: unknown, terminal: Terminal): number {
  if (error instanceof UsageError || isWrongFlag(error)) {
    terminal.err(`modelport ${name}: ${error.message}`)
    terminal.err(`modelport ${name} --help explains it`)
    return 2
  }
  const text = error instanceof FatalError ? error.message : error instanceof Error ? error.stack ?? error.message : String(error)
  terminal.err(`modelport ${name}: ${text}`)
  return 1
}

/** What `parseArgs` throws. */
function isWrongFlag (error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS')
}

async function overview (known: Verbs): Promise<string> {
  const lines = await Promise.all(Object.entries(known).map(async ([name, load]) => `  ${name.padEnd(8)} ${(await load()).summary}`))
  return ['modelport <verb> [options]: a trained model as a production API', '', ...lines, '', 'modelport <verb> --help explains each with an example.'].join('\n')
}
