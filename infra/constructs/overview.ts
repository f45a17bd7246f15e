import { Duration } from 'aws-cdk-lib'
import { type Alarm, AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, type IWidget, Metric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { batchMetrics } from '../stacks/batch.ts'
import type { Watched } from '../stacks/monitoring.ts'
import { metricsNamespace } from './server-environment.ts'
import { perClass, perVersion, serverMetric } from './server-metrics.ts'

interface OverviewProps extends Watched {
  environment: string
  alarms: Alarm[]
}

/** One page: is it well, who calls, how fast, what goes wrong, what is full, what is predicted, has the world changed, what does it cost. */
export class Overview extends Construct {
  readonly #environment: string

  constructor (scope: Construct, id: string, props: OverviewProps) {
    super(scope, id)
    this.#environment = props.environment
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: `modelport-${props.environment}`, defaultInterval: Duration.hours(6) })
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: props.alarms, width: 24, height: 4 }))
    for (const [title, widgets] of this.#sections(props)) {
      dashboard.addWidgets(new TextWidget({ markdown: `## ${title}`, width: 24, height: 1 }))
      dashboard.addWidgets(...widgets)
    }
  }

  #sections (props: OverviewProps): [string, IWidget[]][] {
    return [
      ...(props.service || props.lambda ? this.#server(props) : []),
      ...(props.batch || props.training ? [['Batch and training', this.#jobs(props)] satisfies [string, IWidget[]]] : []),
      // Only there, and only where billing alerts are on.
      ['Cost', [graph('Estimated charges of the account this month, USD', [new Metric({ namespace: 'AWS/Billing', metricName: 'EstimatedCharges', dimensionsMap: { Currency: 'USD' }, region: 'us-east-1', statistic: 'Maximum', period: Duration.hours(6) })], 24)]],
    ]
  }

  #server ({ service, lambda }: OverviewProps): [string, IWidget[]][] {
    const metric = (...args: [name: Parameters<typeof serverMetric>[1], statistic: string]) => serverMetric(this.#environment, ...args)
    const each = (name: Parameters<typeof perVersion>[1], statistic: string) => perVersion(this.#environment, name, statistic)
    return [
      ['Traffic', [
        graph('Requests a minute', [metric('HttpRequests', 'Sum')], 8),
        graph('Requests by version', [each('Requests', 'Sum')], 8),
        graph('Rows by version', [each('Rows', 'Sum')], 8),
      ]],
      ['Latency, ms', [
        graph('HTTP: p50, p90, p99', ['p50', 'p90', 'p99'].map(statistic => metric('HttpDuration', statistic)), 8),
        graph('p99 by stage', (['ValidateDuration', 'PreprocessDuration', 'QueueDuration', 'RunDuration', 'PostprocessDuration'] as const).map(name => metric(name, 'p99')), 8),
        graph('p99 by version', [each('RequestDuration', 'p99')], 8),
      ]],
      ['Errors', [
        graph('Answers with 4xx and 5xx', [metric('Http4xx', 'Sum'), metric('Http5xx', 'Sum')], 8),
        graph('Requests that were not answered as wished', (['RequestsInvalid', 'RequestsTimeout', 'RequestsOverloaded', 'RequestsError'] as const).map(name => metric(name, 'Sum')), 8),
        graph('Ready; versions refused', [metric('ServiceReady', 'Minimum'), metric('LoadFailed', 'Maximum')], 8),
      ]],
      ['Saturation', [
        ...(service ? [graph('CPU and memory of the tasks, %', ['CPUUtilization', 'MemoryUtilization'].map(name => ofService(service, name)), 8)] : []),
        ...(lambda ? [graph('Function: concurrency, throttles', [lambda.function.metric('ConcurrentExecutions', { statistic: 'Maximum' }), lambda.function.metricThrottles()], 8)] : []),
        graph('Rows that wait', [metric('QueueRows', 'Maximum')], 8),
        graph('Event loop delay, ms; memory, bytes', [metric('EventLoopDelay', 'Maximum')], 8, [metric('ResidentMemory', 'Maximum')]),
      ]],
      ['Predictions', [
        graph('By class', [perClass(this.#environment, 'Predictions', 'Sum')], 12),
        graph('Missing values: the feature that lacks most', [each('MissingRatio', 'Maximum')], 12),
      ]],
      ['Drift: population stability index', [
        graph('The feature that has drifted most', [each('FeatureDriftPsi', 'Maximum')], 12),
        graph('Predictions', [each('PredictionDriftPsi', 'Maximum')], 12),
      ]],
    ]
  }

  #jobs ({ batch, training }: OverviewProps): IWidget[] {
    const workflows = [...(batch ? [batch.workflow] : []), ...(training?.workflows ?? [])]
    const rows = [batchMetrics.rows, batchMetrics.rejected].map(metricName => new Metric({ namespace: metricsNamespace(this.#environment), metricName, statistic: 'Sum', period: Duration.hours(1) }))
    const of = (metricName: string, statistic: string) => workflows.map(({ name, arn }) => new Metric({
      namespace: 'AWS/States', metricName, dimensionsMap: { StateMachineArn: arn }, statistic, label: name, period: Duration.hours(1),
    }))
    return [
      graph('Executions that succeeded', of('ExecutionsSucceeded', 'Sum'), 6),
      graph('Executions that failed', of('ExecutionsFailed', 'Sum'), 6),
      graph('How long they took, ms', of('ExecutionTime', 'Maximum'), 6),
      ...(batch ? [graph('Rows scored and rejected', rows, 6)] : []),
    ]
  }
}

function graph (title: string, left: IMetric[], width: number, right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width, height: 6, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } })
}

function ofService ({ service }: NonNullable<Watched['service']>, metricName: string): Metric {
  return new Metric({ namespace: 'AWS/ECS', metricName, dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName }, statistic: 'Average', period: Duration.minutes(1) })
}
