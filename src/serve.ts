import { randomBytes } from 'node:crypto'
import cluster from 'node:cluster'
import { type Config, loadConfig } from './config.ts'
import { cpuCount } from './engine/cpus.ts'
import { FatalError } from './errors.ts'
import { type Log, createLog } from './log.ts'
import { platformStart } from './platform.ts'
import { superviseProcesses } from './processes/primary.ts'
import { replacementFlag, tellPrimary } from './processes/server-link.ts'

/** How a primary hands the key of this run, where none is configured, to its server processes. */
const firstRunSecretName = 'MODELPORT_FIRST_RUN_SECRET'

/**
 * Serves until a signal: in this process, or in as many as HTTP_WORKERS says. What stops the start is
 * one line on stderr and exit 1.
 *
 * @param args  what a platform puts behind the name of the image
 */
export async function serve (env: Readonly<Record<string, string | undefined>>, args: readonly string[] = []): Promise<void> {
  try {
    const start = platformStart(env, args)
    const config = loadConfig(start.env)
    const processes = config.httpWorkers ?? cpuCount()
    const log = await createLog(config.logLevel, process.stdout, processes)
    process.on('exit', log.flush)
    if (start.note !== undefined && !cluster.isWorker) log.log.warn(start.note.facts, start.note.message)
    if (cluster.isWorker || processes === 1) {
      // Loaded here: a primary needs nothing of it.
      const { runServer } = await import('./server.ts')
      await runServer({ config, log, processes, firstRunSecret: env[firstRunSecretName], isReplacement: env[replacementFlag] !== undefined })
    } else {
      await supervise(config, processes, log)
    }
  } catch (error) {
    const message = error instanceof FatalError ? error.message : (error as Error).stack ?? String(error)
    if (cluster.isWorker) await tellPrimary({ kind: 'fatal', message })
    else complain(message)
    process.exit(1)
  }
}

async function supervise (config: Config, processes: number, { log }: Log): Promise<void> {
  const { code, reason } = await superviseProcesses({
    config,
    processes,
    env: { [firstRunSecretName]: randomBytes(32).toString('base64url') },
    log,
    welcome: text => { process.stderr.write(text) },
  })
  if (reason !== undefined) complain(reason)
  log.info('stopped')
  process.exit(code)
}

function complain (message: string): void {
  process.stderr.write(`modelport: ${message}\n`)
}
