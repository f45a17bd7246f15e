import type { Baseline } from '../artifact/baseline.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Row } from '../row.ts'
import { type Buckets, addInto, createBuckets, durationBounds, observe, rowBounds } from './buckets.ts'
import { type Outcome, outcomes } from './outcome.ts'
import { type VersionCounts, getOrSet } from './snapshot.ts'
import { RollingWindow, type WindowReport } from './window.ts'

/** Where the time of one request went. */
export interface Timings {
  readonly validateMs: number
  readonly preprocessMs: number
  readonly queueMs: number
  readonly runMs: number
  readonly postprocessMs: number
  readonly totalMs: number
}

export type Stage = 'validate' | 'preprocess' | 'queue' | 'run' | 'postprocess' | 'total'

/** The protocol of our own routes: its series are there, at zero, before the first request. */
const ownProtocol = 'predict'

/**
 * Counts what one version does. Everything that is called per request writes into arrays made
 * beforehand and allocates nothing; Prometheus text is made of them when someone asks.
 */
export class VersionMonitor {
  readonly batchRows: Buckets = createBuckets(rowBounds)
  readonly stages: Readonly<Record<Stage, Buckets>> = {
    validate: createBuckets(durationBounds),
    preprocess: createBuckets(durationBounds),
    queue: createBuckets(durationBounds),
    run: createBuckets(durationBounds),
    postprocess: createBuckets(durationBounds),
    total: createBuckets(durationBounds),
  }

  readonly #manifest: Manifest
  readonly #baseline: Baseline | undefined
  readonly #nowMs: () => number
  /** Per protocol: requests by outcome. */
  readonly #requests = new Map<string, Record<Outcome, number>>([[ownProtocol, noRequests()]])
  readonly #labels: readonly string[]
  /** By class index; without labels all predictions are counted in the only member. */
  readonly #predictions: Float64Array
  readonly #window: RollingWindow
  #inferredRows = 0
  #lastRequestMs = 0

  constructor (manifest: Manifest, baseline: Baseline | undefined, nowMs: () => number) {
    this.#manifest = manifest
    this.#baseline = baseline
    this.#nowMs = nowMs
    this.#labels = manifest.labels ?? []
    this.#predictions = new Float64Array(Math.max(1, this.#labels.length))
    this.#window = new RollingWindow(manifest, baseline, nowMs)
  }

  /**
   * One request that reached the version.
   *
   * @param protocol a constant of the route, never text of the caller's
   * @param timings  undefined when it ended before its time was taken
   * @param rows     how many it brought; 0 when they were never counted
   * @param good     how many of them can have been answered
   */
  request (protocol: string, outcome: Outcome, timings: Timings | undefined, rows: number, good = rows): void {
    let counts = this.#requests.get(protocol)
    if (counts === undefined) this.#requests.set(protocol, counts = noRequests())
    counts[outcome] += 1
    this.#lastRequestMs = this.#nowMs()
    if (outcome === 'ok' || outcome === 'partial') this.#inferredRows += good
    if (rows > 0) observe(this.batchRows, rows)
    if (timings === undefined) return
    const { stages } = this
    observe(stages.validate, timings.validateMs / 1000)
    observe(stages.preprocess, timings.preprocessMs / 1000)
    observe(stages.queue, timings.queueMs / 1000)
    observe(stages.run, timings.runMs / 1000)
    observe(stages.postprocess, timings.postprocessMs / 1000)
    observe(stages.total, timings.totalMs / 1000)
  }

  /**
   * What was predicted of which rows.
   *
   * @param rows        validated, in the manifest's order of features
   * @param predictions class index (classification) or value (regression), one per row
   */
  predictions (rows: readonly Row[], predictions: ArrayLike<number>): void {
    if (this.#labels.length === 0) this.#predictions[0]! += predictions.length
    else this.#countClasses(predictions)
    this.#window.add(rows, predictions)
  }

  /** Rows of the requests that were answered. */
  get inferredRows (): number {
    return this.#inferredRows
  }

  /** When the last request came to its end, in milliseconds since the epoch; 0 before the first. */
  get lastRequestMs (): number {
    return this.#lastRequestMs
  }

  * requestCounts (): Generator<{ protocol: string, outcome: Outcome, count: number }> {
    for (const [protocol, counts] of this.#requests) {
      for (const outcome of outcomes) yield { protocol, outcome, count: counts[outcome] }
    }
  }

  /** Predictions by label; labels that occur twice share a series. A regression has one, with an empty label. */
  predictionCounts (): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    this.#predictions.forEach((count, i) => {
      const label = this.#labels[i] ?? ''
      counts.set(label, (counts.get(label) ?? 0) + count)
    })
    return counts
  }

  counts (): VersionCounts {
    return {
      batchRows: this.batchRows,
      stages: this.stages,
      requests: this.#requests,
      predictions: this.#predictions,
      inferredRows: this.#inferredRows,
      lastRequestMs: this.#lastRequestMs,
      window: this.#window.counts(),
    }
  }

  /** One of the same version that has counted nothing yet. */
  blank (): VersionMonitor {
    return new VersionMonitor(this.#manifest, this.#baseline, this.#nowMs)
  }

  /** Adds what a process has counted of the same version; this one is then for reading only. */
  absorb ({ batchRows, stages, requests, predictions, inferredRows, lastRequestMs, window }: VersionCounts): void {
    this.#inferredRows += inferredRows
    this.#lastRequestMs = Math.max(this.#lastRequestMs, lastRequestMs)
    addInto(this.batchRows, batchRows)
    for (const [stage, buckets] of Object.entries(this.stages)) addInto(buckets, stages[stage] ?? buckets)
    for (const [protocol, counts] of requests) {
      const own = getOrSet(this.#requests, protocol, noRequests)
      for (const outcome of outcomes) own[outcome] += counts[outcome]
    }
    predictions.forEach((count, i) => { this.#predictions[i]! += count })
    this.#window.absorb(window)
  }

  window (): WindowReport | undefined {
    return this.#window.report()
  }

  /** A class that has no label is counted nowhere: writing past the end of a typed array does nothing. */
  #countClasses (predictions: ArrayLike<number>): void {
    for (let i = 0; i < predictions.length; i++) this.#predictions[predictions[i]!]! += 1
  }
}

function noRequests (): Record<Outcome, number> {
  return { ok: 0, partial: 0, invalid: 0, timeout: 0, overloaded: 0, cancelled: 0, error: 0 }
}
