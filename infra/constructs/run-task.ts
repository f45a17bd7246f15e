import { Stack } from 'aws-cdk-lib'
import type { ICluster } from 'aws-cdk-lib/aws-ecs'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import type { Task } from './task.ts'

/** Where a workflow starts its tasks. */
export interface TaskPlace {
  cluster: ICluster
  subnetIds: string[]
  securityGroupIds: string[]
}

/** Faults of the service, of which trying again helps: there is no room for the task just now, too many calls at once. */
const passing = ['ECS.AmazonECSException', 'AmazonECS.Unknown', 'ECS.ServerException', 'ECS.ThrottlingException']

/** Retries of a step: the service's faults patiently, the program's own twice, with pauses that no two tasks share. */
export const retries = [
  { ErrorEquals: passing, IntervalSeconds: 10, BackoffRate: 2, MaxAttempts: 6, MaxDelaySeconds: 300, JitterStrategy: 'FULL' },
  { ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 10, BackoffRate: 2, MaxAttempts: 2, MaxDelaySeconds: 120, JitterStrategy: 'FULL' },
]

/** The family, whatever its revision: an execution that began before a deployment ends with the revision it began with. */
function familyArn (scope: Construct, task: Task, revision: string): string {
  return Stack.of(scope).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: `${task.definition.family}${revision}` })
}

/**
 * A state that runs a task to its end.
 *
 * @param words what stands behind `modelport`: texts in single quotes and paths, as intrinsic functions take them
 */
export function runTask ({ cluster, subnetIds, securityGroupIds }: TaskPlace, task: Task, words: string[], timeoutSeconds: number): object {
  return {
    Type: 'Task',
    Resource: `arn:${Stack.of(task).partition}:states:::ecs:runTask.sync`,
    Parameters: {
      Cluster: cluster.clusterArn,
      // Without a revision: the latest.
      TaskDefinition: task.definition.family,
      LaunchType: 'FARGATE',
      PropagateTags: 'TASK_DEFINITION',
      NetworkConfiguration: { AwsvpcConfiguration: { Subnets: subnetIds, SecurityGroups: securityGroupIds, AssignPublicIp: 'DISABLED' } },
      Overrides: { ContainerOverrides: [{ Name: task.container.containerName, 'Command.$': `States.Array('node', 'bin/modelport.js', ${words.join(', ')})` }] },
    },
    TimeoutSeconds: timeoutSeconds,
    Retry: retries,
    ResultPath: null,
  }
}

/** What a workflow needs to run tasks. */
export function runTaskPermissions (scope: Construct, cluster: ICluster, tasks: Task[]): { allow: PolicyStatement[], wildcards: Record<string, string> } {
  const stack = Stack.of(scope)
  const running = stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` })
  const revisions = tasks.map(task => familyArn(scope, task, ':*'))
  return {
    allow: [
      new PolicyStatement({ actions: ['ecs:RunTask'], resources: revisions, conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } } }),
      new PolicyStatement({ actions: ['ecs:StopTask', 'ecs:DescribeTasks'], resources: [running], conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } } }),
      new PolicyStatement({ actions: ['ecs:TagResource'], resources: [running], conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } } }),
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: tasks.flatMap(task => [task.taskRole.roleArn, task.executionRole.roleArn]),
        conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      }),
      // How Step Functions learns that a task has ended: one rule for all workflows of the account, whose name AWS has chosen.
      new PolicyStatement({
        actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
        resources: [stack.formatArn({ service: 'events', resource: 'rule', resourceName: 'StepFunctionsGetEventsForECSTaskRule' })],
      }),
    ],
    wildcards: {
      ':*': 'Revisions of one family: an execution that began before a deployment ends with the revision that it began with.',
      '/*': 'Tasks have random numbers for names; only those of this cluster can be stopped and looked at.',
    },
  }
}
