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
      // Other files under the same name: what was counted of the old ones says nothing of these.
      monitor.forget(manifest.name, manifest.version)
      monitors.set(model, monitor.watch({ manifest, baseline: artifact.baseline, aliases: aliasesOf(status, manifest.version), loadMs }))
      log.info({ model: manifest.name, version: manifest.version, load_ms: Math.round(loadMs * 10) / 10, placement: engine.placement.mode }, 'version loaded')
      for (const note of artifact.notes) log.warn({ model: manifest.name, version: manifest.version, note }, 'version is incomplete')
    },
    kept: ({ manifest, artifact, loadMs }, status) => {
      monitor.watch({ manifest, baseline: artifact.baseline, aliases: aliasesOf(status, manifest.version), loadMs })
    },
    unloaded: ({ name: model }, version) => {
      monitor.forget(model, version)
      log.info({ model, version }, 'version unloaded')
    },
    failed: (status, version, error) => {
      const { name: model } = status
      if (version !== undefined) monitor.refused(model, version, aliasesOf(status, version), { answers: status.versions.get(version)?.state === 'ready' })
      const { reason = 'INTERNAL' } = error as { reason?: string }
      log.error({ model, version, reason, detail: error.message, cause: reason === 'INTERNAL' ? error : error.cause }, 'version is not served')
    },
    ignored: paths => {
      log.warn({ paths }, 'folders are neither a model nor a version, or cannot be read')
    },
    unreadable: error => {
      log.error({ err: error }, 'the repository cannot be read')
    },
    onPrediction: ({ model, protocol, rows, predictions, requested, partial, timings, error }) => {
      const counted = monitors.get(model)
      const outcome = error !== undefined ? outcomeOf(error) : partial ? 'partial' : 'ok'
      counted?.request(protocol, outcome, timings, requested, partial ? rows.length : requested)
      counted?.predictions(rows, predictions)
    },
  }
}

function aliasesOf ({ aliases, versions }: ModelStatus, version: string): string[] {
  const named = Object.entries(aliases).filter(([, target]) => (typeof target === 'string' ? target : target.version) === version).map(([alias]) => alias)
  return [...versions.keys()].at(-1) === version ? [...named, 'latest'] : named
}
