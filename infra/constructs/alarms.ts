import { Duration } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, type IMetric, MathExpression, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'
import type { AlarmTopic } from './alarm-topic.ts'
import { serverMetric } from './server-metrics.ts'

interface AlarmSpec {
  description: string
  metric: IMetric
  threshold: number
  /** How many of the last periods must be beyond the threshold. */
  of: [number, number]
  /** What no data means. */
  missing: TreatMissingData
  below?: boolean
}

/** What a person is told of, each with what it means and what no data means. */
export class Alarms extends Construct {
  readonly all: Alarm[] = []
  readonly #topic: AlarmTopic
  readonly #environment: string

  constructor (scope: Construct, id: string, { topic, environment }: { topic: AlarmTopic, environment: string }) {
    super(scope, id)
    this.#topic = topic
    this.#environment = environment
  }

  /** @param runsAlways whether silence means that nothing runs; a function that nobody calls is silent too */
  server ({ p99Ms, drift }: EnvironmentConfig['monitoring'], runsAlways: boolean): void {
    const metric = (name: Parameters<typeof serverMetric>[1], statistic: string, minutes = 1) => serverMetric(this.#environment, name, statistic, Duration.minutes(minutes))
    // No requests, no slow ones and no failed ones.
    const quiet = TreatMissingData.NOT_BREACHING
    this.#add('Latency', { description: `One request of a hundred took longer than ${p99Ms} ms, as the server measures it`, metric: metric('HttpDuration', 'p99'), threshold: p99Ms, of: [3, 5], missing: quiet })
    this.#add('Errors', {
      description: 'More than 1 % of at least 20 requests a minute were answered with 5xx, as the server counts them',
      metric: new MathExpression({
        expression: 'IF(requests >= 20, 100 * errors / requests, 0)',
        usingMetrics: { requests: metric('HttpRequests', 'Sum'), errors: metric('Http5xx', 'Sum') },
        period: Duration.minutes(1),
        label: '5xx, percent',
      }),
      threshold: 1,
      of: [2, 3],
      missing: quiet,
    })
    this.#add('NotReady', {
      description: 'A server says that it is not ready; /health/ready names the model and the reason',
      metric: metric('ServiceReady', 'Minimum'),
      threshold: 1,
      below: true,
      of: [5, 5],
      missing: runsAlways ? TreatMissingData.BREACHING : quiet,
    })
    this.#add('LoadFailed', { description: 'The files of a version were refused: modelport verify tells why', metric: metric('LoadFailed', 'Maximum', 5), threshold: 0, of: [2, 2], missing: quiet })
    // Few rows, no drift: what was seen last still holds.
    this.#add('FeatureDrift', { description: `A feature is not what it was in training: its population stability index is above ${drift}`, metric: metric('FeatureDriftPsi', 'Maximum', 15), threshold: drift, of: [3, 4], missing: TreatMissingData.IGNORE })
    this.#add('PredictionDrift', { description: `The predictions are not what they were in training: their population stability index is above ${drift}`, metric: metric('PredictionDriftPsi', 'Maximum', 15), threshold: drift, of: [3, 4], missing: TreatMissingData.IGNORE })
  }

  /** Executions that ended badly; without executions there is no metric. */
  workflow (id: string, name: string, arn: string): void {
    const ended = (metricName: string) => new Metric({ namespace: 'AWS/States', metricName, dimensionsMap: { StateMachineArn: arn }, statistic: 'Sum', period: Duration.minutes(5) })
    this.#add(`${id}Failed`, {
      description: `An execution of ${name} failed, timed out or was aborted: its history tells why`,
      metric: new MathExpression({
        expression: 'FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)',
        usingMetrics: { failed: ended('ExecutionsFailed'), timedOut: ended('ExecutionsTimedOut'), aborted: ended('ExecutionsAborted') },
        period: Duration.minutes(5),
        label: 'Executions that ended badly',
      }),
      threshold: 0,
      of: [1, 1],
      missing: TreatMissingData.NOT_BREACHING,
    })
  }

  /** An empty queue that nobody asks falls silent. */
  deadLetters (id: string, what: string, queue: IQueue): void {
    this.#add(`${id}DeadLetters`, {
      description: `An event could not start ${what}: it waits in the queue of dead letters for two weeks`,
      metric: new Metric({ namespace: 'AWS/SQS', metricName: 'ApproximateNumberOfMessagesVisible', dimensionsMap: { QueueName: queue.queueName }, statistic: 'Maximum', period: Duration.minutes(5) }),
      threshold: 0,
      of: [1, 1],
      missing: TreatMissingData.NOT_BREACHING,
    })
  }

  /** A line of the log that came once is no metric at other times. */
  count (id: string, description: string, metric: IMetric): void {
    this.#add(id, { description, metric, threshold: 0, of: [1, 1], missing: TreatMissingData.NOT_BREACHING })
  }

  #add (id: string, { description, metric, threshold, of: [datapointsToAlarm, evaluationPeriods], missing, below = false }: AlarmSpec): void {
    const alarm = new Alarm(this, id, {
      alarmName: `modelport-${this.#environment}-${id.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}`,
      alarmDescription: description,
      metric,
      threshold,
      comparisonOperator: below ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm,
      evaluationPeriods,
      treatMissingData: missing,
    })
    alarm.addAlarmAction(new SnsAction(this.#topic.topic))
    alarm.addOkAction(new SnsAction(this.#topic.topic))
    this.all.push(alarm)
  }
}
