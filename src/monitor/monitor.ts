import { AggregatorRegistry } from 'prom-client'
import type { Baseline } from '../artifact/baseline.ts'
import type { Manifest } from '../artifact/manifest.ts'
import { type Buckets, createBuckets, durationBounds, observe } from './buckets.ts'
import { emfLines } from './emf.ts'
import { type EmfState, emfReport } from './emf-report.ts'
import { exposition } from './exposition.ts'
import { type Counted, type Watched, families } from './families.ts'
import { runtimeMetrics } from './runtime.ts'
import { Since } from './since.ts'
import { type HttpCounts, type QueuedRows, type Snapshot, type VersionSnapshot, addHttp, addQueued, getOrSet } from './snapshot.ts'
import { type VersionStatistics, versionStatistics } from './statistics.ts'
import { VersionMonitor } from './version-monitor.ts'

export interface LoadedVersion {
  readonly manifest: Manifest
  readonly baseline: Baseline | undefined
  /** What points at it now: `production`, `latest`; may be empty. */
  readonly aliases: readonly string[]
  readonly loadMs: number
}

/**
 * All that the service counts, and its Prometheus text. Names, versions, aliases and protocols become
 * labels: they come from the repository and the route table, never from a request.
 */
export class Monitor {
  readonly #versions = new Map<string, Watched>()
  readonly #http: HttpCounts = new Map()
  /** From the start, not from the first scrape: what it measures begins now. */
  readonly #runtime = runtimeMetrics()
  readonly #nowMs: () => number
  readonly #since = new Since()
  #queuedRows: () => Iterable<QueuedRows> = () => []

  constructor ({ nowMs = Date.now }: { nowMs?: () => number } = {}) {
    this.#nowMs = nowMs
  }

  get contentType (): string {
    return this.#runtime.contentType
  }

  /**
   * The version was loaded and serves. Called again for one that is known it renews aliases and load
   * time and keeps the counts; `forget` it first when its files have changed.
   */
  watch ({ manifest, baseline, aliases, loadMs }: LoadedVersion): VersionMonitor {
    const { name, version } = manifest
    const monitor = this.#versions.get(key(name, version))?.loaded?.monitor ?? new VersionMonitor(manifest, baseline, this.#nowMs)
    this.#versions.set(key(name, version), { name, version, aliases, ready: true, refused: false, loaded: { loadMs, monitor } })
    return monitor
  }

  /**
   * The version's files were not taken.
   *
   * @param answers true where it goes on answering from those that it was loaded from
   */
  refused (name: string, version: string, aliases: readonly string[] = [], { answers = false } = {}): void {
    const loaded = this.#versions.get(key(name, version))?.loaded
    this.#versions.set(key(name, version), { name, version, aliases, ready: answers, refused: true, loaded })
  }

  /** Removes the series of a version; requests still under way count into nothing. */
  forget (name: string, version: string): void {
    this.#versions.delete(key(name, version))
  }

  /** @param read asked for the queues each time the metrics are */
  queuedRows (read: () => Iterable<QueuedRows>): void {
    this.#queuedRows = read
  }

  /** One HTTP answer; `method` and `route` as the route table writes them. */
  httpResponse (method: string, route: string, status: number, seconds: number): void {
    const methods = getOrSet(this.#http, route, () => new Map<string, Map<number, Buckets>>())
    const statuses = getOrSet(methods, method, () => new Map<number, Buckets>())
    observe(getOrSet(statuses, status, () => createBuckets(durationBounds)), seconds)
  }

  /** All that this process has counted, to be added to what others have. */
  async snapshot (): Promise<Snapshot> {
    return {
      versions: Array.from(this.#versions.values(), ({ name, version, ready, refused, loaded }) => ({
        name,
        version,
        ready,
        refused,
        loaded: loaded && { loadMs: loaded.loadMs, counts: loaded.monitor.counts() },
      })),
      queued: [...this.#queuedRows()],
      http: this.#http,
      runtime: await this.#runtime.getMetricsAsJSON(),
    }
  }

  /**
   * Everything as Prometheus text: ours, then the runtime's own.
   *
   * @param snapshots of all processes of the service; unset: this process is all of it
   */
  async render (snapshots?: readonly Snapshot[]): Promise<string> {
    const all = await this.#all(snapshots)
    // The start of the process is left out of sums; of several, the first counts.
    const runtime = AggregatorRegistry.aggregate(all.map(({ runtime }) =>
      runtime.map(metric => metric.aggregator === 'omit' ? { ...metric, aggregator: 'min' as const } : metric)))
    return `${exposition(families(this.#sum(all)))}\n${await runtime.metrics()}`
  }

  /**
   * What the versions that were loaded have done since then.
   *
   * @param snapshots as for `render`
   */
  async statistics (snapshots?: readonly Snapshot[]): Promise<VersionStatistics[]> {
    const { versions, queued } = this.#sum(await this.#all(snapshots))
    return versionStatistics(versions, queued)
  }

  /** What this process has counted since the last time; each count is in one of these and in no other. */
  async taken (): Promise<Snapshot> {
    return this.#since.take(await this.snapshot())
  }

  /**
   * What CloudWatch reads out of a log.
   *
   * @param taken  what every process has `taken`
   * @param state  undefined where the process ends
   */
  emf (taken: readonly Snapshot[], namespace: string, state: EmfState | undefined): string[] {
    return emfLines(emfReport(this.#sum(taken), taken.map(({ runtime }) => runtime), state), namespace, this.#nowMs())
  }

  async #all (snapshots: readonly Snapshot[] | undefined): Promise<readonly Snapshot[]> {
    return snapshots ?? [await this.snapshot()]
  }

  #sum (snapshots: readonly Snapshot[]): Counted {
    const versions = Array.from(this.#versions.values(), (own): Watched => {
      const all = snapshots.flatMap(snapshot => snapshot.versions.filter(({ name, version }) => name === own.name && version === own.version))
      return { ...own, ready: all.every(({ ready }) => ready), refused: all.some(({ refused }) => refused), loaded: own.loaded && sumLoaded(own.loaded, all) }
    })
    return { versions, queued: addQueued(snapshots.map(({ queued }) => queued)), http: addHttp(snapshots.map(({ http }) => http)) }
  }
}

/** The counts of all together, and the longest load. */
function sumLoaded ({ monitor }: NonNullable<Watched['loaded']>, snapshots: readonly VersionSnapshot[]): NonNullable<Watched['loaded']> {
  const total = monitor.blank()
  for (const { loaded } of snapshots) {
    if (loaded !== undefined) total.absorb(loaded.counts)
  }
  return { loadMs: Math.max(...snapshots.map(({ loaded }) => loaded?.loadMs ?? 0)), monitor: total }
}

/** Neither a name nor a version holds a slash: both are folders. */
function key (name: string, version: string): string {
  return `${name}/${version}`
}
