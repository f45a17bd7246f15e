import { Stack, type StackProps } from 'aws-cdk-lib'
import { CfnBudget } from 'aws-cdk-lib/aws-budgets'
import { AlarmRule, AlarmState, CompositeAlarm, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { CfnRule } from 'aws-cdk-lib/aws-events'
import type { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'
import { AlarmTopic } from '../constructs/alarm-topic.ts'
import { Alarms } from '../constructs/alarms.ts'
import { Overview } from '../constructs/overview.ts'
import { metricsNamespace } from '../constructs/server-environment.ts'
import { type BatchStack, batchMetrics } from './batch.ts'
import type { DataStack } from './data.ts'
import type { LambdaStack } from './lambda.ts'
import type { ServiceStack } from './service.ts'
import type { TrainingStack } from './training.ts'

/** The stacks that are on. */
export interface Watched {
  service?: ServiceStack | undefined
  lambda?: LambdaStack | undefined
  batch?: BatchStack | undefined
  training?: TrainingStack | undefined
}

interface MonitoringProps extends StackProps, Watched {
  environment: string
  config: EnvironmentConfig
  data: DataStack
}

/** What is looked at, what somebody is told of, and what it may cost. */
export class MonitoringStack extends Stack {
  readonly alarms: Alarms
  readonly topic: AlarmTopic

  constructor (scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id, props)
    const { environment, config } = props
    this.topic = new AlarmTopic(this, 'Alarm', { name: `modelport-${environment}`, email: config.monitoring.email })
    this.alarms = new Alarms(this, 'Alarms', { topic: this.topic, environment })
    this.#watch(props)
    if (props.service) this.#broken(environment, props.service)
    if (props.training) this.#tellOfPackages(props.data)
    this.#budget(environment, config.monitoring)
    new Overview(this, 'Overview', { ...props, alarms: this.alarms.all }) // eslint-disable-line no-new
  }

  #watch ({ environment, config, service, lambda, batch, training }: MonitoringProps): void {
    if (service || lambda) this.alarms.server(config.monitoring, service !== undefined)
    if (batch) {
      this.alarms.workflow('Batch', batch.workflow.name, batch.workflow.arn)
      this.alarms.deadLetters('Batch', batch.workflow.name, batch.triggers.deadLetters)
      this.alarms.count('BatchParts', 'Parts of a batch failed: manifest.json of the run names them',
        new Metric({ namespace: metricsNamespace(environment), metricName: batchMetrics.failedParts, statistic: 'Sum' }))
    }
    for (const workflow of training?.workflows ?? []) this.alarms.workflow(workflow.node.id.replace('Workflow', ''), workflow.name, workflow.arn)
    for (const triggers of training?.triggers ?? []) this.alarms.deadLetters(triggers.node.id.replace('Triggers', ''), triggers.node.id.replace('Triggers', '').toLowerCase(), triggers.deadLetters)
  }

  /** One message for what callers notice, whoever has noticed it first: the load balancer or the servers. */
  #broken (environment: string, service: ServiceStack): void {
    const composite = new CompositeAlarm(this, 'Broken', {
      compositeAlarmName: `modelport-${environment}-broken`,
      alarmDescription: 'Callers notice it: errors, slow answers, or no server that is ready. A deployment that is under way is rolled back by itself.',
      alarmRule: AlarmRule.anyOf(...[...service.deploymentAlarms, service.notReady].map(alarm => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    })
    composite.addAlarmAction(new SnsAction(this.topic.topic))
    composite.addOkAction(new SnsAction(this.topic.topic))
  }

  /** New versions wait for a person, who is told; and of what was decided. */
  #tellOfPackages ({ modelPackageGroup }: DataStack): void {
    new CfnRule(this, 'ModelPackages', { // eslint-disable-line no-new
      description: 'Tells of new versions, and of those that were approved or rejected',
      eventPattern: {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Model Package State Change'],
        detail: { ModelPackageGroupName: [modelPackageGroup.modelPackageGroupName] },
      },
      targets: [{
        id: 'topic',
        arn: this.topic.topic.topicArn,
        inputTransformer: {
          inputPathsMap: { package: '$.detail.ModelPackageArn', approval: '$.detail.ModelApprovalStatus', status: '$.detail.ModelPackageStatus' },
          inputTemplate: '"Model package <package>: <approval> (<status>)"',
        },
      }],
    })
  }

  /** Of what carries this environment's tag: the tag must be activated for cost allocation once, in the account's billing console. */
  #budget (environment: string, { monthlyBudgetUsd, email }: EnvironmentConfig['monitoring']): void {
    const subscribers = [{ subscriptionType: 'SNS', address: this.topic.topic.topicArn }, ...(email === undefined ? [] : [{ subscriptionType: 'EMAIL', address: email }])]
    new CfnBudget(this, 'Budget', { // eslint-disable-line no-new
      budget: {
        budgetName: `modelport-${environment}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:environment$${environment}`] },
      },
      notificationsWithSubscribers: [['ACTUAL', 80], ['FORECASTED', 100]].map(([notificationType, threshold]) => ({
        notification: { notificationType: notificationType as string, threshold: threshold as number, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
        subscribers,
      })),
    })
  }
}
