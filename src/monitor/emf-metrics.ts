import type { Outcome } from './outcome.ts'
import type { Stage } from './version-monitor.ts'

/** CloudWatch's units, as far as they are used here. */
export type EmfUnit = 'Count' | 'Milliseconds' | 'Bytes' | 'None'

export interface EmfMetric {
  readonly unit: EmfUnit
  /**
   * `service`: without dimensions. `version`: by model and version, and once more without dimensions, so that an
   * alarm need not know which versions there are. `class`: by model, version and class.
   */
  readonly scope: 'service' | 'version' | 'class'
  /** The CloudWatch statistic that says something of it; `p99` of a distribution, which has every other one too. */
  readonly statistic: 'Sum' | 'Minimum' | 'Maximum' | 'p99'
  readonly about: string
}

function metric (scope: EmfMetric['scope'], unit: EmfUnit, statistic: EmfMetric['statistic'], about: string): EmfMetric {
  return { scope, unit, statistic, about }
}

/** Every metric that is sent to CloudWatch, by its name there; docs/metrics.md has the same table. */
export const emfMetrics = {
  HttpRequests: metric('service', 'Count', 'Sum', 'Answers, those of health checks, metrics and documents left out'),
  Http4xx: metric('service', 'Count', 'Sum', 'Of those, the ones with a status from 400 to 499'),
  Http5xx: metric('service', 'Count', 'Sum', 'Of those, the ones with a status of 500 or more'),
  HttpDuration: metric('service', 'Milliseconds', 'p99', 'From the arrival of a request to the end of its answer'),
  ServiceReady: metric('service', 'Count', 'Minimum', '1 when `/health/ready` answers 200, else 0'),
  EventLoopDelay: metric('service', 'Milliseconds', 'Maximum', '99th percentile of the event loop\'s delay, in the process where it is longest'),
  ResidentMemory: metric('service', 'Bytes', 'Maximum', 'Resident memory of all server processes together'),

  Requests: metric('version', 'Count', 'Sum', 'Requests that reached the version'),
  RequestsOk: metric('version', 'Count', 'Sum', 'Of those, answered in full'),
  RequestsPartial: metric('version', 'Count', 'Sum', 'Answered where some rows were wrong (`?partial=true`)'),
  RequestsInvalid: metric('version', 'Count', 'Sum', 'Refused: the caller\'s fault'),
  RequestsTimeout: metric('version', 'Count', 'Sum', 'Not answered within REQUEST_TIMEOUT_MS'),
  RequestsOverloaded: metric('version', 'Count', 'Sum', 'Refused: too much work waits'),
  RequestsCancelled: metric('version', 'Count', 'Sum', 'The caller left'),
  RequestsError: metric('version', 'Count', 'Sum', 'Failed: our fault'),
  Rows: metric('version', 'Count', 'Sum', 'Rows of the requests that were answered'),
  RequestDuration: metric('version', 'Milliseconds', 'p99', 'All stages of a request together'),
  ValidateDuration: metric('version', 'Milliseconds', 'p99', 'Stage: validate'),
  PreprocessDuration: metric('version', 'Milliseconds', 'p99', 'Stage: preprocess'),
  QueueDuration: metric('version', 'Milliseconds', 'p99', 'Stage: wait for a run'),
  RunDuration: metric('version', 'Milliseconds', 'p99', 'Stage: run the graph'),
  PostprocessDuration: metric('version', 'Milliseconds', 'p99', 'Stage: postprocess'),
  QueueRows: metric('version', 'Count', 'Maximum', 'Rows that wait for inference at this moment'),
  VersionReady: metric('version', 'Count', 'Minimum', '1 when the version serves, else 0'),
  LoadFailed: metric('version', 'Count', 'Maximum', '1 when its files were refused the last time they were read'),
  FeatureDriftPsi: metric('version', 'None', 'Maximum', 'Population stability index of the feature that has drifted most'),
  FeatureDriftKs: metric('version', 'None', 'Maximum', 'The same by Kolmogorov–Smirnov'),
  FeatureDriftJs: metric('version', 'None', 'Maximum', 'The same by Jensen–Shannon'),
  PredictionDriftPsi: metric('version', 'None', 'Maximum', 'Population stability index of the predictions'),
  PredictionDriftKs: metric('version', 'None', 'Maximum', 'The same by Kolmogorov–Smirnov'),
  PredictionDriftJs: metric('version', 'None', 'Maximum', 'The same by Jensen–Shannon'),
  MissingRatio: metric('version', 'None', 'Maximum', 'Share of missing values in the feature that is missing most often'),

  Predictions: metric('class', 'Count', 'Sum', 'Rows predicted as this class'),
} as const satisfies Record<string, EmfMetric>

export type EmfMetricName = keyof typeof emfMetrics

export const emfDimensions = { service: [[]], version: [[], ['model', 'version']], class: [['model', 'version', 'class']] } as const satisfies
  Record<EmfMetric['scope'], readonly (readonly string[])[]>

export const outcomeMetrics = {
  ok: 'RequestsOk',
  partial: 'RequestsPartial',
  invalid: 'RequestsInvalid',
  timeout: 'RequestsTimeout',
  overloaded: 'RequestsOverloaded',
  cancelled: 'RequestsCancelled',
  error: 'RequestsError',
} as const satisfies Record<Outcome, EmfMetricName>

export const stageMetrics = {
  total: 'RequestDuration',
  validate: 'ValidateDuration',
  preprocess: 'PreprocessDuration',
  queue: 'QueueDuration',
  run: 'RunDuration',
  postprocess: 'PostprocessDuration',
} as const satisfies Record<Stage, EmfMetricName>
