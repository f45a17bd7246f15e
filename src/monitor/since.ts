import { type Buckets, createBuckets } from './buckets.ts'
import { type HttpCounts, type Snapshot, type VersionCounts, addHttp } from './snapshot.ts'
import type { Outcome } from './outcome.ts'

type Requests = VersionCounts['requests']

interface Told {
  /** An array of the monitor's own: another one of the same version has counted from zero. */
  readonly owner: Float64Array
  readonly counts: VersionCounts
}

/**
 * What was counted between one look and the next, for those who add up themselves. What is no count stays as it
 * is: the window of drift, what waits, the runtime's own.
 */
export class Since {
  #told = new Map<string, Told>()
  #http: HttpCounts = new Map()

  /** @param now as this process counts it, not a copy */
  take (now: Snapshot): Snapshot {
    const told = new Map<string, Told>()
    const versions = now.versions.map(version => {
      if (version.loaded === undefined) return version
      const { loadMs, counts } = version.loaded
      const key = `${version.name}/${version.version}`
      const before = this.#told.get(key)
      told.set(key, { owner: counts.predictions, counts: copyOf(counts) })
      return { ...version, loaded: { loadMs, counts: before?.owner === counts.predictions ? minus(counts, before.counts) : copyOf(counts) } }
    })
    const http = addHttp([now.http])
    for (const [route, methods] of this.#http) {
      for (const [method, statuses] of methods) {
        for (const [status, before] of statuses) subtract(http.get(route)?.get(method)?.get(status), before)
      }
    }
    this.#told = told
    this.#http = addHttp([now.http])
    return { ...now, versions, http }
  }
}

function copyOf (counts: VersionCounts): VersionCounts {
  const { batchRows, stages, requests, predictions } = counts
  return {
    ...counts,
    batchRows: bucketsMinus(batchRows),
    stages: Object.fromEntries(Object.entries(stages).map(([stage, buckets]) => [stage, bucketsMinus(buckets)])),
    requests: requestsMinus(requests),
    predictions: predictions.slice(),
  }
}

function minus (now: VersionCounts, before: VersionCounts): VersionCounts {
  return {
    ...now,
    batchRows: bucketsMinus(now.batchRows, before.batchRows),
    stages: Object.fromEntries(Object.entries(now.stages).map(([stage, buckets]) => [stage, bucketsMinus(buckets, before.stages[stage])])),
    requests: requestsMinus(now.requests, before.requests),
    predictions: now.predictions.map((count, i) => count - before.predictions[i]!),
    inferredRows: now.inferredRows - before.inferredRows,
  }
}

function bucketsMinus (now: Buckets, before?: Buckets): Buckets {
  const copy = { ...createBuckets(now.bounds), counts: now.counts.slice(), sum: now.sum }
  subtract(copy, before)
  return copy
}

function subtract (total: Buckets | undefined, before: Buckets | undefined): void {
  if (total === undefined || before === undefined) return
  before.counts.forEach((count, i) => { total.counts[i]! -= count })
  // Of sums of fractions a hair may be left.
  total.sum = total.counts.every(count => count === 0) ? 0 : Math.max(0, total.sum - before.sum)
}

function requestsMinus (now: Requests, before?: Requests): Requests {
  return new Map(Array.from(now, ([protocol, outcomes]) => {
    const was = before?.get(protocol)
    return [protocol, Object.fromEntries(Object.entries(outcomes).map(([outcome, count]) => [outcome, count - (was?.[outcome as Outcome] ?? 0)])) as Record<Outcome, number>]
  }))
}
