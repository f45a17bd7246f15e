import { addInto, createBuckets, durationBounds } from './buckets.ts'
import { type Distribution, type EmfDocument, distribution } from './emf.ts'
import { type EmfMetricName, outcomeMetrics, stageMetrics } from './emf-metrics.ts'
import type { DriftTest } from './drift.ts'
import type { Counted, Watched } from './families.ts'
import { type Outcome, outcomes } from './outcome.ts'
import type { HttpCounts, QueuedRows, Snapshot } from './snapshot.ts'

/** What a service tells of itself beside its counts. */
export interface EmfState {
  /** Whether the whole service can answer. */
  readonly ready: boolean
  /** False where the process has stood still: its loop was late for no fault of its own. */
  readonly hasLoop: boolean
}

type Metric = readonly [EmfMetricName, number | Distribution | undefined]

/** Each class is a series that costs; a model with more has the others in one. */
const maxClasses = 50

/** Routes that are asked by clockwork, and pages for people: no part of the traffic that is watched. */
const notTraffic = /^\/(health|v2\/health|ping$|metrics$|docs|redoc)/

/**
 * Everything that CloudWatch is told.
 *
 * @param counted  what was counted since the last report
 * @param state    undefined for the last report of a process: then only what was counted is told
 */
export function emfReport ({ versions, queued, http }: Counted, runtime: Snapshot['runtime'][], state: EmfState | undefined): EmfDocument[] {
  const documents: EmfDocument[] = [
    { scope: 'service', dimensions: {}, metrics: known([...httpMetrics(http), ...(state === undefined ? [] : stateMetrics(runtime, state))]) },
    ...versions.flatMap(version => {
      const dimensions = { model: version.name, version: version.version }
      const metrics = known([...countMetrics(version), ...(state === undefined ? [] : versionState(version, queued))])
      return [{ scope: 'version' as const, dimensions, metrics }, ...classDocuments(version, dimensions)]
    }),
  ]
  return documents.filter(({ metrics }) => metrics.length > 0)
}

function httpMetrics (http: HttpCounts): Metric[] {
  const total = createBuckets(durationBounds)
  const answers = { all: 0, of4xx: 0, of5xx: 0 }
  for (const [route, methods] of http) {
    if (notTraffic.test(route)) continue
    for (const statuses of methods.values()) {
      for (const [status, buckets] of statuses) {
        const count = buckets.counts.reduce((sum, some) => sum + some, 0)
        answers.all += count
        if (status >= 500) answers.of5xx += count
        else if (status >= 400) answers.of4xx += count
        addInto(total, buckets)
      }
    }
  }
  return [['HttpRequests', answers.all], ['Http4xx', answers.of4xx], ['Http5xx', answers.of5xx], ['HttpDuration', distribution(total, 1000)]]
}

function stateMetrics (runtime: Snapshot['runtime'][], { ready, hasLoop }: EmfState): Metric[] {
  const delays = gauges(runtime, 'nodejs_eventloop_lag_p99_seconds')
  const resident = gauges(runtime, 'process_resident_memory_bytes')
  return [
    ['ServiceReady', ready ? 1 : 0],
    ['EventLoopDelay', hasLoop && delays.length > 0 ? 1000 * Math.max(...delays) : undefined],
    ['ResidentMemory', resident.length > 0 ? resident.reduce((total, bytes) => total + bytes, 0) : undefined],
  ]
}

/** The value in each process. */
function gauges (runtime: Snapshot['runtime'][], name: string): number[] {
  return runtime.flatMap(metrics => metrics.find(metric => metric.name === name)?.values[0]?.value ?? []).filter(value => Number.isFinite(value))
}

function countMetrics ({ loaded }: Watched): Metric[] {
  if (loaded === undefined) return []
  const { monitor } = loaded
  const requests = Object.fromEntries(outcomes.map(outcome => [outcome, 0])) as Record<Outcome, number>
  for (const { outcome, count } of monitor.requestCounts()) requests[outcome] += count
  return [
    ['Requests', outcomes.reduce((sum, outcome) => sum + requests[outcome], 0)],
    ...outcomes.map(outcome => [outcomeMetrics[outcome], requests[outcome]] as const),
    ['Rows', monitor.inferredRows],
    ...Object.entries(monitor.stages).map(([stage, buckets]) => [stageMetrics[stage as keyof typeof stageMetrics], distribution(buckets, 1000)] as const),
  ]
}

function versionState ({ name, version, ready, refused, loaded }: Watched, queued: Iterable<QueuedRows>): Metric[] {
  const waiting = Array.from(queued).find(one => one.name === name && one.version === version)
  const report = loaded?.monitor.window()
  const features = report?.features ?? []
  const worst = (drift: readonly { readonly test: DriftTest, readonly value: number }[], test: DriftTest): number | undefined =>
    largest(drift.filter(one => one.test === test).map(({ value }) => value))
  const ofFeatures = features.flatMap(({ drift }) => drift)
  const ofPredictions = report?.prediction ?? []
  return [
    ['QueueRows', waiting?.rows],
    ['VersionReady', ready ? 1 : 0],
    ['LoadFailed', refused ? 1 : 0],
    ['FeatureDriftPsi', worst(ofFeatures, 'psi')],
    ['FeatureDriftKs', worst(ofFeatures, 'ks')],
    ['FeatureDriftJs', worst(ofFeatures, 'js')],
    ['PredictionDriftPsi', worst(ofPredictions, 'psi')],
    ['PredictionDriftKs', worst(ofPredictions, 'ks')],
    ['PredictionDriftJs', worst(ofPredictions, 'js')],
    ['MissingRatio', largest(features.map(({ missingRatio }) => missingRatio))],
  ]
}

function largest (values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values)
}

/** A regression has no classes; its rows are counted all the same. */
function classDocuments ({ loaded }: Watched, dimensions: Readonly<Record<string, string>>): EmfDocument[] {
  const counts = new Map<string, number>()
  for (const [label, count] of loaded?.monitor.predictionCounts() ?? []) {
    if (label === '') continue
    const name = counts.size < maxClasses ? dimensionValue(label) : '(others)'
    counts.set(name, (counts.get(name) ?? 0) + count)
  }
  return Array.from(counts, ([label, count]) => ({ scope: 'class', dimensions: { ...dimensions, class: label }, metrics: [['Predictions', count]] }))
}

/** CloudWatch takes printable ASCII that is not blank and does not begin with a colon. */
function dimensionValue (label: string): string {
  const ascii = label.replace(/[^\x20-\x7e]|^:|^\s+$/gu, part => Array.from(part, character => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`).join(''))
  return ascii.slice(0, 250)
}

function known (metrics: readonly Metric[]): EmfDocument['metrics'] {
  return metrics.filter((metric): metric is readonly [EmfMetricName, number | Distribution] => metric[1] !== undefined)
}
