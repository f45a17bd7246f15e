import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { type Config, loadConfig } from './config.ts'
import { FatalError } from './errors.ts'
import { createLog } from './log.ts'
import { welcome } from './welcome.ts'

/**
 * Serves until a signal: settings → app → listen → models. What stops the start is one line on stderr
 * and exit 1.
 */
export async function serve (env: Readonly<Record<string, string | undefined>>): Promise<void> {
  try {
    const config = loadConfig(env)
    const { log, flush } = createLog(config.logLevel, process.stdout)
    process.on('exit', flush)
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
    const app = await buildApp({ config, log, version })
    stopOnSignals(app, config)
    await listen(app, config)
    await app.inference.registry.load(config.defaultModel, () => { announce(app, config) })
  } catch (error) {
    const known = error instanceof FatalError
    process.stderr.write(`modelport: ${known ? error.message : (error as Error).stack}\n`)
    process.exit(1)
  }
}

async function listen (app: FastifyInstance, config: Config): Promise<void> {
  if (config.auth === 'off') app.log.warn('AUTH=off: anybody who reaches this port may predict')
  try {
    await app.listen({ port: config.port, host: config.host })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new FatalError(`cannot listen on ${config.host}:${config.port} (${code}); set PORT or HOST`)
  }
}

function announce (app: FastifyInstance, { auth }: Config): void {
  const { registry } = app.inference
  app.log.info({ start_ms: Math.round(performance.now()), ready: registry.ready, models: registry.list().length }, 'models loaded')
  const { firstRunToken } = app
  const withToken = firstRunToken === undefined ? { kind: 'jwt' as const } : { kind: 'first-run' as const, token: firstRunToken }
  // Not to the log, which never holds a token.
  process.stderr.write(welcome(registry.documented(), portOf(app), auth === 'off' ? { kind: 'open' } : withToken))
}

function portOf (app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port
}

/** The first signal drains, the second one does not wait. */
function stopOnSignals (app: FastifyInstance, { shutdownGraceMs }: Config): void {
  const stop = (signal: NodeJS.Signals): void => {
    if (app.draining()) process.exit(1)
    app.log.info({ signal }, 'draining')
    app.startDraining()
    setTimeout(() => {
      app.log.error({ grace_ms: shutdownGraceMs }, 'requests were still under way at the end of the grace; closed')
      process.exit(1)
    }, shutdownGraceMs).unref()
    app.close().then(() => {
      app.log.info('stopped')
      process.exit(0)
    }, (error: unknown) => {
      app.log.error({ err: error }, 'the shutdown failed')
      process.exit(1)
    })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
