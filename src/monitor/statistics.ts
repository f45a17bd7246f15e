import type { Buckets } from './buckets.ts'
import type { Watched } from './families.ts'
import type { QueuedRows } from './snapshot.ts'
import type { VersionMonitor } from './version-monitor.ts'

/** How often something happened, and how long all of it took together. */
export interface Spent { readonly count: number, readonly seconds: number }

/** What one version has done since it was loaded. */
export interface VersionStatistics {
  readonly name: string
  readonly version: string
  /** Milliseconds since the epoch; 0 before the first request. */
  readonly lastRequestMs: number
  /** Rows of the requests that were answered. */
  readonly rows: number
  /** Runs of the graph for callers; requests that shared one count once. */
  readonly executions: number
  readonly success: Spent
  /** Their time is not taken. */
  readonly failed: number
  readonly queue: Spent
  readonly input: Spent
  readonly infer: Spent
  readonly output: Spent
}

/** Of every version that was loaded and has not been forgotten since. */
export function versionStatistics (versions: readonly Watched[], engines: Iterable<QueuedRows>): VersionStatistics[] {
  const executions = new Map(Array.from(engines, ({ name, version, executions = 0 }) => [`${name}/${version}`, executions]))
  return versions.flatMap(({ name, version, ready, loaded }) =>
    ready && loaded !== undefined ? [{ name, version, executions: executions.get(`${name}/${version}`) ?? 0, ...statisticsOf(loaded.monitor) }] : [])
}

function statisticsOf (monitor: VersionMonitor): Omit<VersionStatistics, 'name' | 'version' | 'executions'> {
  const { stages, inferredRows, lastRequestMs } = monitor
  let failed = 0
  for (const { outcome, count } of monitor.requestCounts()) {
    if (outcome !== 'ok' && outcome !== 'partial') failed += count
  }
  return {
    lastRequestMs,
    rows: inferredRows,
    success: spent(stages.total),
    failed,
    queue: spent(stages.queue),
    input: spent(stages.preprocess, stages.validate),
    infer: spent(stages.run),
    output: spent(stages.postprocess),
  }
}

function spent (stage: Buckets, ...others: readonly Buckets[]): Spent {
  return { count: stage.counts.reduce((sum, count) => sum + count, 0), seconds: others.reduce((sum, other) => sum + other.sum, stage.sum) }
}
