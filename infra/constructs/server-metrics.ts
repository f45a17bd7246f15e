import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { metricsNamespace } from './server-environment.ts'

/** Names of the metrics that the server writes and that are looked at here; a test compares them with the server's own table. */
export const serverMetrics = {
  service: ['HttpRequests', 'Http4xx', 'Http5xx', 'HttpDuration', 'ServiceReady', 'EventLoopDelay', 'ResidentMemory'],
  version: [
    'Requests', 'RequestsInvalid', 'RequestsOverloaded', 'RequestsTimeout', 'RequestsError', 'Rows', 'RequestDuration', 'ValidateDuration', 'PreprocessDuration', 'QueueDuration', 'RunDuration',
    'PostprocessDuration', 'QueueRows', 'LoadFailed', 'FeatureDriftPsi', 'PredictionDriftPsi', 'MissingRatio',
  ],
  class: ['Predictions'],
} as const

export type ServiceMetric = typeof serverMetrics.service[number] | typeof serverMetrics.version[number]

/** A metric of all versions together: those of a version are written once more without dimensions. */
export function serverMetric (environment: string, metricName: ServiceMetric, statistic: string, period = Duration.minutes(1)): Metric {
  return new Metric({ namespace: metricsNamespace(environment), metricName, statistic, period })
}

/** One line per version, of those that there are. */
export function perVersion (environment: string, metricName: typeof serverMetrics.version[number], statistic: string): MathExpression {
  return search(environment, 'model,version', metricName, statistic)
}

/** One line per model, version and class. */
export function perClass (environment: string, metricName: typeof serverMetrics.class[number], statistic: string): MathExpression {
  return search(environment, 'model,version,class', metricName, statistic)
}

function search (environment: string, dimensions: string, metricName: string, statistic: string): MathExpression {
  return new MathExpression({ expression: `SEARCH('{${metricsNamespace(environment)},${dimensions}} MetricName="${metricName}"', '${statistic}', 300)`, label: '', usingMetrics: {}, period: Duration.minutes(5) })
}
