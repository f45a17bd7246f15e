import { Duration } from 'aws-cdk-lib'
import { CfnScalingPolicy, Schedule } from 'aws-cdk-lib/aws-applicationautoscaling'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import type { EnvironmentConfig, On } from '../config.ts'
import type { FrontDoor } from './front-door.ts'

/** More tasks for CPU or for requests, whichever asks for more; other limits by the clock. */
export function scaleTasks (service: FargateService, door: FrontDoor, config: On<EnvironmentConfig['service']>): void {
  const tasks = service.autoScaleTaskCount({ minCapacity: config.minTasks, maxCapacity: config.maxTasks })
  const cooldowns = { scaleInCooldown: Duration.minutes(5), scaleOutCooldown: Duration.minutes(1) }
  tasks.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: config.cpuTargetPercent, ...cooldowns })
  const policy = new CfnScalingPolicy(service, 'RequestsPolicy', {
    policyName: 'requests-per-task',
    policyType: 'TargetTrackingScaling',
    resourceId: `service/${service.cluster.clusterName}/${service.serviceName}`,
    scalableDimension: 'ecs:service:DesiredCount',
    serviceNamespace: 'ecs',
    targetTrackingScalingPolicyConfiguration: {
      targetValue: config.requestsPerTargetPerMinute,
      scaleInCooldown: cooldowns.scaleInCooldown.toSeconds(),
      scaleOutCooldown: cooldowns.scaleOutCooldown.toSeconds(),
      customizedMetricSpecification: { metrics: requestsPerTask(door) },
    },
  })
  policy.node.addDependency(tasks)
  for (const [index, { cron, minTasks, maxTasks }] of config.schedule.entries()) {
    tasks.scaleOnSchedule(`Schedule${index}`, { schedule: Schedule.expression(`cron(${cron})`), minCapacity: minTasks, maxCapacity: maxTasks })
  }
}

/**
 * Requests per task and minute. The ready-made metric names one target group, and after a deployment the traffic is in the other one:
 * the sum is right with either, and with both while traffic shifts, because both then have as many tasks.
 */
function requestsPerTask (door: FrontDoor): CfnScalingPolicy.TargetTrackingMetricDataQueryProperty[] {
  const names = door.groups.map((_, index) => `requests${index}`)
  const metrics = door.groups.map((group, index) => ({
    id: `requests${index}`,
    returnData: false,
    metricStat: {
      stat: 'Sum',
      metric: {
        namespace: 'AWS/ApplicationELB',
        metricName: 'RequestCountPerTarget',
        dimensions: [{ name: 'TargetGroup', value: group.targetGroupFullName }],
      },
    },
  }))
  return [...metrics, { id: 'perTask', returnData: true, expression: names.map(name => `FILL(${name}, 0)`).join(' + '), label: 'Requests per task and minute' }]
}
