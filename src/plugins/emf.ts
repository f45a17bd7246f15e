import fp from 'fastify-plugin'
import type { Snapshot } from '../monitor/snapshot.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The metrics as CloudWatch reads them out of the log; undefined where METRICS_EMF is not set. */
    emf: Emf | undefined
  }
}

export interface Emf {
  /** What this process has counted since the last time, for whoever writes it. */
  readonly take: () => Promise<Snapshot>
  /** @param taken  of every process of the service */
  readonly write: (taken: readonly Snapshot[]) => void
  /** Writes if it is time: where the process stands still, no timer can say so. */
  readonly writeIfDue: () => Promise<void>
}

export interface EmfOptions {
  readonly namespace: string | undefined
  readonly seconds: number
  readonly writeLine: ((line: string) => void) | undefined
  /** False where a primary says when to take and who writes. */
  readonly isAlone: boolean
  /** True where the process stands still between requests. */
  readonly isSerial: boolean
}

/** Adds `app.emf`. At its end a process writes what it has not told yet. */
export default fp<EmfOptions>(async (app, { namespace, seconds, writeLine, isAlone, isSerial }) => {
  if (namespace === undefined || writeLine === undefined) {
    app.decorate('emf', undefined)
    return
  }
  const { monitor } = app
  // By the wall clock: the other one may stand still together with the process.
  let writtenMs = Date.now()
  const write = (taken: readonly Snapshot[]): void => {
    writtenMs = Date.now()
    for (const line of monitor.emf(taken, namespace, { ready: app.serviceReady(), hasLoop: !isSerial })) writeLine(line)
  }
  const writeOwn = async (): Promise<void> => { write([await monitor.taken()]) }
  const writeIfDue = async (): Promise<void> => {
    if (Date.now() - writtenMs >= seconds * 1000) await writeOwn()
  }
  app.decorate('emf', { take: () => monitor.taken(), write, writeIfDue })

  const timer = isAlone && !isSerial ? setInterval(() => { writeOwn().catch((error: unknown) => { app.log.error({ err: error }, 'metrics could not be written') }) }, seconds * 1000).unref() : undefined
  app.addHook('onClose', async () => {
    clearInterval(timer)
    for (const line of monitor.emf([await monitor.taken()], namespace, undefined)) writeLine(line)
  })
}, { name: 'emf', fastify: '5.x', dependencies: ['metrics', 'inference'] })
