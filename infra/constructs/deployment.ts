import { Duration, Stack, Validations } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { AlternateTarget, DeploymentStrategy, type FargateService, type FargateServiceProps, ListenerRuleConfiguration } from 'aws-cdk-lib/aws-ecs'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'
import type { FrontDoor } from './front-door.ts'

type Strategy = On<EnvironmentConfig['service']>['deployment']

/** How a new version takes the place of the old one. All three go back by themselves where tasks do not come up or an alarm goes off. */
export function deploymentOf (strategy: Strategy): Partial<FargateServiceProps> {
  switch (strategy) {
    case 'rolling': return { deploymentStrategy: DeploymentStrategy.ROLLING }
    // A tenth of the callers for ten minutes: long enough for both alarms to see it. The old tasks stay for ten more.
    case 'canary': return {
      deploymentStrategy: DeploymentStrategy.CANARY,
      canaryConfiguration: { stepPercent: 10, stepBakeTime: Duration.minutes(10) },
      bakeTime: Duration.minutes(10),
    }
    // All callers at once; the way back is as quick while the old tasks are there.
    case 'blue-green': return { deploymentStrategy: DeploymentStrategy.BLUE_GREEN, bakeTime: Duration.minutes(15) }
    default: return strategy satisfies never
  }
}

/** Registers the service with the target groups; with two, ECS shifts the traffic by the rule's weights. */
export function attach (service: FargateService, door: FrontDoor, port: { container: string, port: number }): void {
  const alternateTarget = door.green && new AlternateTarget('Green', {
    alternateTargetGroup: door.green,
    productionListener: ListenerRuleConfiguration.applicationListenerRule(door.rule),
    role: shiftRole(service, door),
  })
  const target = service.loadBalancerTarget({ containerName: port.container, containerPort: port.port, ...(alternateTarget && { alternateTarget }) })
  target.attachToApplicationTargetGroup(door.blue)
  for (const group of door.groups) service.node.addDependency(group)
  // ECS refuses a service whose target group no load balancer has.
  service.node.addDependency(door.rule)
}

/** What ECS is while it shifts traffic: these target groups and this rule, and no others. */
function shiftRole (scope: Construct, door: FrontDoor): Role {
  const role = new Role(scope, 'ShiftRole', {
    description: 'ECS shifts traffic between the target groups',
    assumedBy: new ServicePrincipal('ecs.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } } }),
    inlinePolicies: {
      permissions: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: [
              'elasticloadbalancing:DescribeListeners', 'elasticloadbalancing:DescribeRules', 'elasticloadbalancing:DescribeTargetGroups', 'elasticloadbalancing:DescribeTargetHealth',
            ],
            resources: ['*'],
          }),
          new PolicyStatement({ actions: ['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'], resources: door.groups.map(group => group.targetGroupArn) }),
          new PolicyStatement({ actions: ['elasticloadbalancing:ModifyRule'], resources: [door.rule.listenerRuleArn] }),
          new PolicyStatement({ actions: ['elasticloadbalancing:ModifyListener'], resources: [door.listener.listenerArn] }),
        ],
      }),
    },
  })
  Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason: 'Elastic Load Balancing knows no resources for what only describes; what changes anything names its resource.' })
  return role
}

interface AlarmsProps {
  /** What the alarms' names begin with. */
  name: string
  door: FrontDoor
  p99Ms: number
}

/** Alarms that end a deployment and bring the old version back. They look at the load balancer: it sees what callers see, whichever group answers. */
export class DeploymentAlarms extends Construct {
  readonly errors: Alarm
  readonly latency: Alarm

  /** Known before anything is made: the service names them, and must not wait for its own alarms in a circle. */
  readonly names: string[]

  constructor (scope: Construct, id: string, { name, door, p99Ms }: AlarmsProps) {
    super(scope, id)
    const errors = `${name}-errors`
    const latency = `${name}-latency`
    this.names = [errors, latency]
    const period = Duration.minutes(1)
    const { metrics } = door.loadBalancer
    this.errors = new Alarm(this, 'Errors', {
      alarmName: errors,
      alarmDescription: 'More than 1 % of at least 20 requests a minute were answered with 5xx',
      metric: new MathExpression({
        expression: 'IF(requests >= 20, 100 * (FILL(target, 0) + FILL(balancer, 0)) / requests, 0)',
        usingMetrics: {
          requests: metrics.requestCount({ period }),
          target: metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { period }),
          balancer: metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { period }),
        },
        period,
        label: '5xx, percent',
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      // No data is no traffic.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    this.latency = new Alarm(this, 'Latency', {
      alarmName: latency,
      alarmDescription: `One request of a hundred took longer than ${p99Ms} ms`,
      metric: metrics.targetResponseTime({ period, statistic: 'p99' }),
      threshold: p99Ms / 1000,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      // The p99 of a handful of requests is its slowest one.
      evaluateLowSampleCountPercentile: 'ignore',
    })
  }

  get all (): Alarm[] {
    return [this.errors, this.latency]
  }
}
