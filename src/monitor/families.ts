import type { Family } from './exposition.ts'
import type { HttpCounts, QueuedRows } from './snapshot.ts'
import type { VersionMonitor } from './version-monitor.ts'

/** A version that the repository holds, loaded or refused. */
export interface Watched {
  readonly name: string
  readonly version: string
  readonly aliases: readonly string[]
  readonly ready: boolean
  /** Its present files were not taken; it may still answer from those that it was loaded from. */
  readonly refused: boolean
  /** Of one that was loaded at some time. */
  readonly loaded: { readonly loadMs: number, readonly monitor: VersionMonitor } | undefined
}

/** All that is counted, at one moment. */
export interface Counted {
  readonly versions: readonly Watched[]
  readonly queued: Iterable<QueuedRows>
  readonly http: HttpCounts
}

type Loaded = Watched & { readonly loaded: NonNullable<Watched['loaded']> }

/** Every metric of our own, in the order of docs/metrics.md. */
export function families ({ versions, queued, http }: Counted): Family[] {
  const loaded = versions.filter((version): version is Loaded => version.loaded !== undefined)
  return [...requestFamilies(loaded, queued), ...modelFamilies(versions, loaded), ...driftFamilies(loaded), httpFamily(http)]
}

function requestFamilies (loaded: readonly Loaded[], queued: Iterable<QueuedRows>): Family[] {
  return [{
    name: 'modelport_requests_total',
    type: 'counter',
    help: 'Requests that reached a model version, by how they ended',
    labels: ['model', 'version', 'protocol', 'outcome'],
    samples: perVersion(loaded, ({ monitor }) => Array.from(monitor.requestCounts(),
      ({ protocol, outcome, count }) => [[protocol, outcome], count])),
  }, {
    name: 'modelport_request_duration_seconds',
    type: 'histogram',
    help: 'Time that a request spent in each stage, and in all of them',
    labels: ['model', 'version', 'stage'],
    samples: perVersion(loaded, ({ monitor }) => Object.entries(monitor.stages).map(([stage, buckets]) => [[stage], buckets])),
  }, {
    name: 'modelport_batch_rows',
    type: 'histogram',
    help: 'Rows in one request',
    labels: ['model', 'version'],
    samples: perVersion(loaded, ({ monitor }) => [[[], monitor.batchRows]]),
  }, {
    name: 'modelport_queue_rows',
    type: 'gauge',
    help: 'Rows that wait for inference now',
    labels: ['model', 'version'],
    samples: Array.from(queued, ({ name, version, rows }) => [[name, version], rows] as const),
  }]
}

function modelFamilies (versions: readonly Watched[], loaded: readonly Loaded[]): Family[] {
  return [{
    name: 'modelport_model_ready',
    type: 'gauge',
    help: '1 when the version serves, 0 when it was refused; one series per alias, or one with an empty alias',
    labels: ['model', 'version', 'alias'],
    samples: versions.flatMap(({ name, version, aliases, ready }) =>
      (aliases.length === 0 ? [''] : aliases).map(alias => [[name, version, alias], ready ? 1 : 0] as const)),
  }, {
    name: 'modelport_model_load_failed',
    type: 'gauge',
    help: '1 when the files of the version were refused the last time they were read',
    labels: ['model', 'version'],
    samples: versions.map(({ name, version, refused }) => [[name, version], refused ? 1 : 0] as const),
  }, {
    name: 'modelport_model_load_seconds',
    type: 'gauge',
    help: 'Time from reading the version to its first golden answer',
    labels: ['model', 'version'],
    samples: perVersion(loaded, ({ loadMs }) => [[[], loadMs / 1000]]),
  }, {
    name: 'modelport_predictions_total',
    type: 'counter',
    help: 'Rows predicted, by predicted class; a regression has one series with an empty class',
    labels: ['model', 'version', 'class'],
    samples: perVersion(loaded, ({ monitor }) => Array.from(monitor.predictionCounts(), ([label, count]) => [[label], count])),
  }]
}

function driftFamilies (loaded: readonly Loaded[]): Family[] {
  const reports = loaded.map(version => ({ ...version, report: version.loaded.monitor.window() }))
  const perReport = <T>(read: (report: NonNullable<typeof reports[number]['report']>) => [string[], T][]): [string[], T][] =>
    reports.flatMap(({ name, version, report }) => report === undefined
      ? []
      : read(report).map(([labels, value]): [string[], T] => [[name, version, ...labels], value]))
  return [{
    name: 'modelport_feature_drift',
    type: 'gauge',
    help: 'Distance of the recent rows from the training data, by feature and test',
    labels: ['model', 'version', 'feature', 'test'],
    samples: perReport(({ features }) => features.flatMap(({ name, drift }) =>
      drift.map(({ test, value }): [string[], number] => [[name, test], value]))),
  }, {
    name: 'modelport_feature_missing_ratio',
    type: 'gauge',
    help: 'Share of the recent rows in which the feature was missing',
    labels: ['model', 'version', 'feature'],
    samples: perReport(({ features }) => features.map(({ name, missingRatio }) => [[name], missingRatio])),
  }, {
    name: 'modelport_prediction_drift',
    type: 'gauge',
    help: 'Distance of the recent predictions from those on the training data, by test',
    labels: ['model', 'version', 'test'],
    samples: perReport(({ prediction }) => prediction.map(({ test, value }) => [[test], value])),
  }]
}

function httpFamily (http: HttpCounts): Family {
  return {
    name: 'http_server_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the arrival of a request to the end of its answer',
    labels: ['method', 'route', 'status'],
    samples: Array.from(http, ([route, methods]) => Array.from(methods, ([method, statuses]) =>
      Array.from(statuses, ([status, buckets]) => [[method, route, `${status}`], buckets] as const))).flat(2),
  }
}

/** The series of each version, with its name and version before their own labels. */
function perVersion<T> (loaded: readonly Loaded[], read: (loaded: Loaded['loaded']) => [string[], T][]): [string[], T][] {
  return loaded.flatMap(({ name, version, loaded }) => read(loaded).map(([labels, value]): [string[], T] => [[name, version, ...labels], value]))
}
