import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import { type Buckets, addInto, createBuckets } from './buckets.ts'
import type { Outcome } from './outcome.ts'
import type { WindowCounts } from './window.ts'

/** What one process has counted of one version. */
export interface VersionCounts {
  readonly batchRows: Buckets
  readonly stages: Readonly<Record<string, Buckets>>
  readonly requests: ReadonlyMap<string, Readonly<Record<Outcome, number>>>
  readonly predictions: Float64Array
  readonly inferredRows: number
  readonly lastRequestMs: number
  readonly window: WindowCounts
}

/** What a version's engine tells of itself. */
export interface QueuedRows {
  readonly name: string
  readonly version: string
  /** That wait for a run now. */
  readonly rows: number
  /** Runs of the graph for callers; requests that shared one count once. */
  readonly executions?: number
}

export interface VersionSnapshot {
  readonly name: string
  readonly version: string
  readonly ready: boolean
  /** Its present files were not taken. */
  readonly refused: boolean
  /** Of one that was loaded at some time. */
  readonly loaded: { readonly loadMs: number, readonly counts: VersionCounts } | undefined
}

/** HTTP durations by route pattern, method and status. */
export type HttpCounts = Map<string, Map<string, Map<number, Buckets>>>

/** All that one process has counted: plain data, so that it can cross to another process. */
export interface Snapshot {
  readonly versions: readonly VersionSnapshot[]
  readonly queued: readonly QueuedRows[]
  readonly http: HttpCounts
  /** The runtime's own metrics, as prom-client gives them. */
  readonly runtime: readonly MetricObjectWithValues<MetricValue<string>>[]
}

/** What the engines of all processes tell, by version. */
export function addQueued (all: readonly (readonly QueuedRows[])[]): QueuedRows[] {
  const total = new Map<string, QueuedRows>()
  for (const { name, version, rows, executions = 0 } of all.flat()) {
    const key = `${name}/${version}`
    const others = total.get(key)
    total.set(key, { name, version, rows: rows + (others?.rows ?? 0), executions: executions + (others?.executions ?? 0) })
  }
  return [...total.values()]
}

/** The sum of what several processes counted. */
export function addHttp (all: readonly HttpCounts[]): HttpCounts {
  const total: HttpCounts = new Map()
  for (const http of all) {
    for (const [route, methods] of http) {
      const ofRoute = getOrSet(total, route, () => new Map<string, Map<number, Buckets>>())
      for (const [method, statuses] of methods) {
        const ofMethod = getOrSet(ofRoute, method, () => new Map<number, Buckets>())
        for (const [status, buckets] of statuses) addInto(getOrSet(ofMethod, status, () => createBuckets(buckets.bounds)), buckets)
      }
    }
  }
  return total
}

export function getOrSet<Key, T> (map: Map<Key, T>, key: Key, make: () => T): T {
  let value = map.get(key)
  if (value === undefined) map.set(key, value = make())
  return value
}
