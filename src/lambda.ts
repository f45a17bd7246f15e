import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildApp } from './app.ts'
import { loadConfig } from './config.ts'
import { type LambdaHandler, createHandler } from './lambda/handler.ts'
import { createLog } from './log.ts'

/** The folder of the package: models/ and package.json are beside dist/ and src/. */
const root = new URL('../', import.meta.url)

/**
 * The whole service behind a function, with its models loaded: all of it before the first request, while
 * Lambda lends a full CPU for nothing. A function answers one request at a time and stands still in between.
 *
 * @throws FatalError when it cannot start, which Lambda shows as the error of the initialisation
 */
async function start (env: Readonly<Record<string, string | undefined>>): Promise<LambdaHandler> {
  const startedMs = performance.now()
  const packaged = fileURLToPath(new URL('models', root))
  const config = loadConfig({
    ...env,
    MODELS_DIR: env['MODELS_DIR'] || (existsSync(packaged) ? packaged : undefined),
    // Nobody reads a token that a function prints, and each of its processes would have a key of its own.
    NODE_ENV: 'production',
    // Whoever reaches the gateway is not on this machine.
    HOST: '0.0.0.0',
  })
  const { log, writeInfo, writeLine, flush } = await createLog(config.logLevel, { fd: 1 })
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string }
  const app = await buildApp({ config, log, writeInfo, writeLine, version, isSerial: true })
  await app.ready()
  if (config.auth === 'off') log.warn('AUTH=off: anybody who reaches this function may predict')
  const { registry } = app.inference
  await registry.load(config.defaultModel)
  log.info({ start_ms: Math.round(performance.now() - startedMs), ready: registry.ready, models: registry.list().length }, 'models loaded')
  flush()
  // Comes before the end only where an extension is registered, with half a second to go.
  process.once('SIGTERM', () => {
    const end = (): void => {
      flush()
      process.exit(0)
    }
    app.close().then(end, end)
  })
  return createHandler({
    answer: async request => await app.inject({ ...request, method: request.method as 'GET' }),
    securityHeaders: app.securityHeaders,
    warn: (facts, message) => { log.warn(facts, message) },
    beforeFreeze: async () => {
      await app.emf?.writeIfDue()
      flush()
    },
  })
}

export const handler = await start(process.env)
