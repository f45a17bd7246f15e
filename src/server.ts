import { readFileSync } from 'node:fs'
import cluster from 'node:cluster'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import type { Config } from './config.ts'
import { cpuCount } from './engine/cpus.ts'
import { ApiError, FatalError } from './errors.ts'
import type { Log } from './log.ts'
import type { RepositoryChange } from './peers.ts'
import type { PreparedChange } from './processes/change-desk.ts'
import { type ServerLink, linkToPrimary } from './processes/server-link.ts'
import type { Watch } from './serving/watch.ts'
import { welcome } from './welcome.ts'

export interface ServerOptions {
  readonly config: Config
  readonly log: Log
  /** Server processes of this service, this one included. */
  readonly processes: number
  /** The key of this run, where none is configured and several processes must have the same. */
  readonly firstRunSecret: string | undefined
  /** It takes the place of one that died, and others answer meanwhile. */
  readonly isReplacement: boolean
}

/**
 * One server process, alone or under a primary: app → listen → models, until a signal.
 *
 * @throws FatalError when it cannot start
 */
export async function runServer ({ config, log, processes, firstRunSecret, isReplacement }: ServerOptions): Promise<void> {
  const running: { app?: FastifyInstance, watch?: Watch | undefined } = {}
  const stop = (signal: string): void => {
    if (running.app === undefined) process.exit(0)
    running.watch?.stop()
    drain(running.app, signal, config.shutdownGraceMs, log)
  }
  let built: (app: FastifyInstance) => void = () => {}
  const whenBuilt = new Promise<FastifyInstance>(resolve => { built = resolve })
  const link = cluster.isWorker
    ? linkToPrimary({
      snapshot: async () => await running.app?.monitor.snapshot(),
      taken: async () => await running.app?.emf?.take(),
      write: taken => { running.app?.emf?.write(taken) },
      prepare: async change => await prepareChange(await whenBuilt, change),
      onDrain: () => { stop('drain') },
      onWatch: () => { running.watch?.start() },
    })
    : undefined
  process.on('SIGTERM', stop)
  // A terminal's Ctrl-C reaches every process of the group; under a primary it is the primary's to decide.
  process.on('SIGINT', signal => { if (link === undefined) stop(signal) })

  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  const threads = config.inferenceThreads ?? Math.max(1, Math.floor(cpuCount() / processes))
  const app = running.app = await buildApp({ config: { ...config, inferenceThreads: threads }, log: log.log, writeInfo: log.writeInfo, writeLine: log.writeLine, version, firstRunSecret, peers: link?.peers })
  built(app)
  if (link !== undefined) log.log.info({ pid: process.pid }, 'server process started')
  const load = async (): Promise<void> => {
    const { registry } = app.inference
    const watch = running.watch = watchRepository(app, config)
    await watch?.remember()
    await registry.load(config.defaultModel, { settled: () => { announce(app, config, link) }, resume: await link?.resume })
    if (link === undefined) watch?.start()
    link?.tell({ kind: 'loaded', state: registry.state() })
  }
  // Liveness answers while the models load; but where others answer meanwhile, a connection had better go to them.
  if (isReplacement) await load()
  await listen(app, config)
  if (!isReplacement) await load()
}

/** A folder is the operator's own, who says when to look; what is in a bucket was put there by somebody elsewhere. */
const s3PollSeconds = 30

function watchRepository (app: FastifyInstance, { modelsDir, modelsPollSeconds }: Config): Watch | undefined {
  const seconds = modelsPollSeconds ?? (/^s3:/i.test(modelsDir) ? s3PollSeconds : 0)
  return seconds === 0 ? undefined : app.inference.registry.watch({ everyMs: seconds * 1000, load: app.repository.load, log: app.log })
}

async function prepareChange (app: FastifyInstance, change: RepositoryChange): Promise<PreparedChange> {
  const { registry } = app.inference
  const { proposal, commit, abort } = await registry.prepare(change).catch((error: unknown) => {
    if (!(error instanceof ApiError)) app.log.error({ err: error, ...change }, 'a change failed')
    throw error
  })
  return {
    proposal,
    commit: refused => {
      const refusal = commit(refused)
      return { refusal, state: registry.stateOf(change.model), defaultModel: registry.state().defaultModel }
    },
    abort,
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

function announce (app: FastifyInstance, { auth, port }: Config, link: ServerLink | undefined): void {
  const { registry } = app.inference
  app.log.info({ start_ms: Math.round(performance.now()), ready: registry.ready, models: registry.list().length }, 'models loaded')
  const { firstRunToken } = app
  const withToken = firstRunToken === undefined ? { kind: 'jwt' as const } : { kind: 'first-run' as const, token: firstRunToken }
  const address = app.server.address() as AddressInfo | null
  const text = welcome(registry.documented(), address?.port ?? port, auth === 'off' ? { kind: 'open' } : withToken)
  // To whoever looks on, not to the log, which never holds a token.
  if (link === undefined) process.stderr.write(text)
  else link.tell({ kind: 'settled', welcome: text })
}

/** Answers what is under way and takes nothing new. The second signal does not wait. */
function drain (app: FastifyInstance, signal: string, graceMs: number, log: Log): void {
  if (app.draining()) endNow(log)
  app.log.info({ signal }, 'draining')
  app.startDraining()
  setTimeout(() => {
    app.log.error({ grace_ms: graceMs }, 'requests were still under way at the end of the grace; closed')
    endNow(log)
  }, graceMs).unref()
  app.close().then(() => {
    app.log.info('stopped')
    process.exit(0)
  }, (error: unknown) => {
    app.log.error({ err: error }, 'the shutdown failed')
    process.exit(1)
  })
}

/** `process.exit` in the middle of a run in a worker thread aborts with a core dump. */
function endNow ({ flush }: Log): never {
  flush()
  process.kill(process.pid, 'SIGKILL')
  throw new Error('unreachable')
}
