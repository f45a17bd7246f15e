import type { Buckets } from './buckets.ts'
import { type EmfMetric, type EmfMetricName, emfDimensions, emfMetrics } from './emf-metrics.ts'

/** Many observations at once: CloudWatch takes each value as often as its count says, and makes percentiles of them. */
export interface Distribution {
  readonly Values: readonly number[]
  readonly Counts: readonly number[]
  readonly Max: number
  readonly Min: number
  readonly Count: number
  readonly Sum: number
}

/** Metrics under the same dimensions. */
export interface EmfDocument {
  readonly scope: EmfMetric['scope']
  /** The value of every dimension. */
  readonly dimensions: Readonly<Record<string, string>>
  readonly metrics: readonly (readonly [EmfMetricName, number | Distribution])[]
}

/** CloudWatch's limits. */
const maxMetrics = 100
const maxValues = 100

/** POSIX lets several processes write so many bytes into one pipe without mixing them; and log drivers cut lines above 16 KiB. */
const maxLineBytes = 4096

/**
 * The observations of a histogram, each where it may have been: those of a bucket are spread over it evenly, as
 * Prometheus takes them to be, so that a percentile is off by a fifth of its bucket at most. The sum is exact.
 *
 * @param scale  of a bound, to the metric's unit
 * @returns undefined where nothing was observed
 */
export function distribution ({ bounds, counts, sum }: Buckets, scale = 1): Distribution | undefined {
  const values: number[] = []
  const times: number[] = []
  const parts = Math.floor(maxValues / counts.length)
  counts.forEach((count, i) => {
    const upper = bounds[i]
    const lower = bounds[i - 1] ?? 0
    // How large those beyond the last bound were, nobody knows.
    const places = upper === undefined ? 1 : Math.min(parts, count)
    for (let place = 0; place < places; place++) {
      values.push(round(scale * (upper === undefined ? lower : lower + (upper - lower) * (place + 0.5) / places)))
      times.push(Math.floor(count / places) + (place < count % places ? 1 : 0))
    }
  })
  if (times.length === 0 || times.every(count => count === 0)) return undefined
  const occupied = values.filter((_, i) => times[i]! > 0)
  return {
    Values: occupied,
    Counts: times.filter(count => count > 0),
    Max: occupied.at(-1)!,
    Min: occupied[0]!,
    Count: times.reduce((total, count) => total + count, 0),
    Sum: round(sum * scale),
  }
}

/** Lines in CloudWatch's embedded metric format, each a whole document; what is not a finite number is left out. */
export function emfLines (documents: readonly EmfDocument[], namespace: string, nowMs: number): string[] {
  return documents.flatMap(document => packed(document).map(metrics => lineOf(document, metrics, namespace, nowMs)))
}

type Metrics = EmfDocument['metrics']

function packed (document: EmfDocument): Metrics[] {
  const lines: Metrics[] = []
  let line: Metrics = []
  // Whatever the namespace is, and the time.
  let bytes = 0
  for (const metric of document.metrics) {
    const [name, value] = metric
    if (typeof value === 'number' && !Number.isFinite(value)) continue
    const size = Buffer.byteLength(JSON.stringify([{ Name: name, Unit: emfMetrics[name].unit }, name, value]))
    if (line.length > 0 && (line.length === maxMetrics || bytes + size > maxLineBytes)) {
      lines.push(line)
      line = []
    }
    if (line.length === 0) bytes = Buffer.byteLength(lineOf(document, [], 'x'.repeat(255), Date.now()))
    line = [...line, metric]
    bytes += size
  }
  return line.length === 0 ? lines : [...lines, line]
}

function lineOf ({ scope, dimensions }: EmfDocument, metrics: Metrics, namespace: string, nowMs: number): string {
  return `${JSON.stringify({
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: emfDimensions[scope], Metrics: metrics.map(([name]) => ({ Name: name, Unit: emfMetrics[name].unit })) }],
    },
    ...dimensions,
    ...Object.fromEntries(metrics),
  })}\n`
}

/** Digits beyond these measure nothing, and make lines long. */
function round (value: number): number {
  return Number(value.toPrecision(6))
}
