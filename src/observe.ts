import type { FastifyBaseLogger } from 'fastify'
import { outcomeOf } from './monitor/outcome.ts'
import type { Monitor } from './monitor/monitor.ts'
import type { VersionMonitor } from './monitor/version-monitor.ts'
import type { InferenceOptions } from './serving/inference.ts'
import type { Model } from './serving/model.ts'
import type { ModelStatus, RegistryEvents } from './serving/status.ts'

/** Joins what serving tells to what counts and logs it; neither knows the other. */
export function observeInference (monitor: Monitor, log: FastifyBaseLogger): RegistryEvents & Pick<InferenceOptions, 'onPrediction'> {
  const monitors = new WeakMap<Model, VersionMonitor>()
  return {
    loaded: (model, status) => {
      const { manifest, artifact, engine, loadMs } = model
      monitors.set(model, monitor.watch({ manifest, baseline: artifact.baseline, aliases: aliasesOf(status, manifest.version), loadMs }))
      log.info({ model: manifest.name, version: manifest.version, load_ms: Math.round(loadMs * 10) / 10, placement: engine.placement.mode }, 'version loaded')
      for (const note of artifact.notes) log.warn({ model: manifest.name, version: manifest.version, note }, 'version is incomplete')
    },
    failed: (status, version, error) => {
      const { name: model } = status
      if (version !== undefined) monitor.refused(model, version, aliasesOf(status, version))
      const { reason = 'INTERNAL' } = error as { reason?: string }
      log.error({ model, version, reason, detail: error.message, cause: reason === 'INTERNAL' ? error : error.cause }, 'version is not served')
    },
    ignored: paths => {
      log.warn({ paths }, 'folders are neither a model nor a version, or cannot be read')
    },
    onPrediction: ({ model, protocol, rows, predictions, requested, partial, timings, error }) => {
      const counted = monitors.get(model)
      const outcome = error !== undefined ? outcomeOf(error) : partial ? 'partial' : 'ok'
      counted?.request(protocol, outcome, timings, requested)
      counted?.predictions(rows, predictions)
    },
  }
}

function aliasesOf ({ aliases, versions }: ModelStatus, version: string): string[] {
  const named = Object.entries(aliases).filter(([, target]) => (typeof target === 'string' ? target : target.version) === version).map(([alias]) => alias)
  return [...versions.keys()].at(-1) === version ? [...named, 'latest'] : named
}
