import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { modelStore } from './artifact/model-store.ts'
import type { Config } from './config.ts'
import { cpuCount } from './engine/cpus.ts'
import { createEngineHost } from './engine/engine.ts'
import { Monitor } from './monitor/monitor.ts'
import { observeInference } from './observe.ts'
import type { Peers } from './peers.ts'
import accessLog from './plugins/access-log.ts'
import auth from './plugins/auth.ts'
import docs from './plugins/docs.ts'
import emf from './plugins/emf.ts'
import errors, { answerClientError, sendError } from './plugins/errors.ts'
import inferencePlugin from './plugins/inference.ts'
import lifecycle from './plugins/lifecycle.ts'
import metrics from './plugins/metrics.ts'
import negotiation from './plugins/negotiation.ts'
import rateLimit from './plugins/rate-limit.ts'
import security from './plugins/security.ts'
import { trustProxy } from './plugins/trust-proxy.ts'
import { healthRoutes } from './routes/health.ts'
import { invocationRoutes } from './routes/invocations.ts'
import { metricsRoute } from './routes/metrics.ts'
import { modelRoutes } from './routes/models.ts'
import { oipRoutes } from './routes/oip.ts'
import { oipRepositoryRoutes } from './routes/oip-repository.ts'
import { oipStatsRoutes } from './routes/oip-stats.ts'
import { predictRoutes } from './routes/predict.ts'
import { tfServingRoutes } from './routes/tf-serving.ts'
import { vertexRoutes } from './routes/vertex.ts'
import { Inference } from './serving/inference.ts'
import { Registry } from './serving/registry.ts'

export interface AppOptions {
  readonly config: Config
  readonly log: FastifyBaseLogger
  /** Writes the lines of the access log; unset: they go through `log`. */
  readonly writeInfo?: ((members: string, message: string) => void) | undefined
  /** Writes the lines that CloudWatch reads (METRICS_EMF); unset: there are none. */
  readonly writeLine?: ((line: string) => void) | undefined
  /** The release, for the documents. */
  readonly version: string
  /** The key of this run where none is configured, if other processes have it too. */
  readonly firstRunSecret?: string | undefined
  /** The other processes of the service; unset: this one is all of it. */
  readonly peers?: Peers | undefined
  /** Requests come one at a time, and the process stands still in between: a function, not a server. */
  readonly isSerial?: boolean | undefined
}

/**
 * The whole service, without a port and without models: the caller listens, then calls
 * `app.inference.registry.load()`, then closes. Plugins run their hooks in the order in which they
 * stand here.
 */
export async function buildApp ({ config, log, writeInfo, writeLine, version, firstRunSecret, peers, isSerial = false }: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: log,
    // The log line of a request is ours, and carries its id itself: a child logger per request costs more than the line.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: logger => logger,
    requestIdHeader: false,
    genReqId: request => requestId(request.headers['x-request-id']),
    bodyLimit: config.bodyLimit,
    requestTimeout: 60_000,
    trustProxy: trustProxy(config.trustProxy),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // For parameters and queries only; bodies go through the versions' own, strict readers.
    ajv: { customOptions: { coerceTypes: true, removeAdditional: false, allErrors: true } },
    frameworkErrors: (error, request, reply) => { sendError(error, request, reply.headers({ ...app.securityHeaders, 'x-request-id': request.id })) },
    clientErrorHandler: answerClientError,
  })
  const monitor = new Monitor()
  const host = createEngineHost({ threads: config.inferenceThreads, log })
  const { onPrediction, ...events } = observeInference(monitor, log)
  const store = modelStore(config.modelsDir, {
    cacheFolder: config.modelsCacheDir,
    servesCopies: true,
    onHealth: (health, message) => { log[health.status === 'ok' ? 'info' : 'warn']({ store: health }, message) },
  })
  const registry = new Registry(store, host, events)
  const inference = new Inference({ registry, maxRows: config.maxRows, timeoutMs: config.requestTimeoutMs, onPrediction })
  monitor.queuedRows(() => registry.queuedRows())

  await app.register(security, { config })
  await app.register(errors)
  await app.register(lifecycle, { sheds: !isSerial })
  await app.register(negotiation)
  await app.register(auth, { config, firstRunSecret })
  await app.register(rateLimit, { config, peers })
  await app.register(metrics, { monitor, peers })
  await app.register(accessLog, { enabled: config.accessLog, inputs: config.logInputs, writeInfo })
  await app.register(docs, { config, version, describe: () => registry.documented() })
  await app.register(inferencePlugin, { inference, peers })
  await app.register(emf, { namespace: config.metricsEmf, seconds: config.metricsEmfSeconds, writeLine, isAlone: peers === undefined, isSerial })

  await app.register(healthRoutes)
  await app.register(predictRoutes)
  await app.register(modelRoutes)
  await app.register(oipRoutes, { version })
  await app.register(oipRepositoryRoutes)
  await app.register(oipStatsRoutes)
  await app.register(metricsRoute, { scope: metricsScope(config) })
  await app.register(invocationRoutes, { version, maxRows: config.maxRows, bodyLimit: config.bodyLimit, parallel: cpuCount(), sagemaker: config.sagemaker })
  await app.register(tfServingRoutes, { maxRows: config.maxRows })
  await app.register(vertexRoutes, { healthRoute: config.aipHealthRoute, predictRoute: config.aipPredictRoute, maxRows: config.maxRows })
  return app
}

/** The caller's id where it can stand in a log and a header as it is, else a new one. */
function requestId (given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._:/+=-]{1,128}$/.test(given) ? given : randomUUID()
}

/** Whoever can reach a loopback port is on the machine already. */
function metricsScope ({ auth, metricsAuth, host }: Config): 'metrics' | undefined {
  if (auth === 'off') return undefined
  const loopback = host === 'localhost' || host === '::1' || /^127\./.test(host)
  return (metricsAuth ?? (loopback ? 'off' : 'on')) === 'on' ? 'metrics' : undefined
}
