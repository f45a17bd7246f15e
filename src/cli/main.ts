import { FatalError } from '../errors.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

/** Loaded when called for: the server needs nothing of what trains, and the other way round. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  serve: async () => (await import('./serve.ts')).serveVerb,
  train: async () => (await import('./train.ts')).train,
  token: async () => (await import('./token.ts')).token,
}

const terminal: Terminal = {
  env: process.env,
  out: line => { process.stdout.write(`${line}\n`) },
  err: line => { process.stderr.write(`${line}\n`) },
}

/** @returns the exit code: 0 done, 1 failed, 2 misused */
async function run ([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(await overview())
    return name === undefined ? 2 : 0
  }
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (load === undefined) {
    terminal.err(`modelport: there is no verb "${name}"; there are ${Object.keys(verbs).join(', ')}`)
    return 2
  }
  const verb = await load()
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(verb.help)
    return 0
  }
  try {
    await verb.run(args, terminal)
    return 0
  } catch (error) {
    return complain(name, error as Error & { code?: string })
  }
}

/** Our own complaints are one line; a stack is for what we did not expect. */
function complain (name: string, error: Error & { code?: string }): number {
  const misused = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS') === true
  const known = misused || error instanceof FatalError
  terminal.err(`modelport ${name}: ${known ? error.message : error.stack}`)
  if (misused) terminal.err(`modelport ${name} --help explains it`)
  return misused ? 2 : 1
}

async function overview (): Promise<string> {
  const lines = await Promise.all(Object.entries(verbs).map(async ([name, load]) => `  ${name.padEnd(8)} ${(await load()).summary}`))
  return ['modelport <verb> [options]: a trained model as a production API', '', ...lines, '', 'modelport <verb> --help explains each with an example.'].join('\n')
}

process.exitCode = await run(process.argv.slice(2))
