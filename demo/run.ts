import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { FatalError } from '../src/errors.ts'
import { CommandError, Commands } from './commands.ts'
import { takeFolder } from './folder.ts'
import { type Plan, steps } from './steps.ts'

const usage = `npm run demo [-- --transactions N] [--seed N] [--output FOLDER] [--modelport COMMAND]

Walks from raw transactions to predictions, with one command for each step, in FOLDER (default: demo/out), which is emptied first.

  --transactions N     rows of the made-up shop's books (default: 200000)
  --seed N             other books (default: 42)
  --modelport COMMAND  how modelport is called (default: npx modelport)
`

const root = resolve(import.meta.dirname, '..')

async function main (): Promise<void> {
  const flags = readFlags()
  await checkMachine()
  const release = await takeFolder(resolve(root, flags.folder))
  const commands = new Commands(root)
  // Ends the step under way, which then fails; what follows it is below.
  let signal: NodeJS.Signals | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      signal = name
      commands.end().catch(() => {})
    })
  }
  try {
    await walk({ ...flags, commands })
  } catch (error) {
    if (signal === undefined) throw error
    process.exitCode = signal === 'SIGINT' ? 130 : 143
    process.stderr.write('\nThe demo was stopped, and its server with it.\n')
  } finally {
    await commands.end()
    await release()
  }
}

async function walk (plan: Plan): Promise<void> {
  const startedMs = performance.now()
  let number = 0
  for await (const { title, command, run } of steps(plan)) {
    print(`\n${++number}. ${title}`, `   $ ${command}`)
    const stepMs = performance.now()
    const told = await run(command)
    print(...told.map(line => `   ${line}`), `   ${secondsSince(stepMs)}`)
  }
  print(
    `\nAll of it took ${secondsSince(startedMs)}. What was made is in ${plan.folder}: report.html for a browser, scored/ with an answer for each customer.`,
    'The server is stopped; the command of its step starts it again.')
}

function readFlags (): Omit<Plan, 'commands'> {
  const { transactions = '200000', seed = '42', output = 'demo/out', modelport = 'npx modelport', help } = parse()
  if (help === true) {
    print(usage)
    process.exit()
  }
  // The folder stands in command lines.
  const isSound = /^[1-9]\d{2,7}$/.test(transactions) && /^\d{1,9}$/.test(seed) && /^[\w./\\:-]+$/.test(output)
  return isSound ? { modelport, folder: output, transactions: Number(transactions), seed: Number(seed) } : misused()
}

function parse () {
  try {
    return parseArgs({
      options: { transactions: { type: 'string' }, seed: { type: 'string' }, output: { type: 'string' }, modelport: { type: 'string' }, help: { type: 'boolean' } },
    }).values
  } catch {
    return misused()
  }
}

function misused (): never {
  process.stderr.write(usage)
  process.exit(2)
}

/** @throws FatalError that says what is missing */
async function checkMachine (): Promise<void> {
  if (!existsSync(join(root, 'dist', 'cli.js'))) throw new FatalError('modelport is not built: npm run build')
  if (spawnSync('curl', ['--version']).status !== 0) throw new FatalError('curl is not installed')
  await import('@duckdb/node-api').catch((error: unknown) => {
    throw new FatalError(`DuckDB, an optional package, is not installed: npm ci --include=optional (${(error as Error).message.split('\n')[0]})`)
  })
}

function print (...lines: readonly string[]): void {
  process.stdout.write(lines.map(line => `${line}\n`).join(''))
}

function secondsSince (ms: number): string {
  return `${((performance.now() - ms) / 1000).toFixed(1)} s`
}

await main().catch((error: unknown) => {
  if (!(error instanceof FatalError || error instanceof CommandError)) throw error
  process.stderr.write(`demo: ${error.message}\n`)
  process.exitCode = 1
})
