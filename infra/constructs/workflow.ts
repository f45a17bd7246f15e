import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { explainWildcards } from './reasoned-wildcards.ts'

export interface WorkflowProps {
  /** Unique in the account and region; people and scripts find it by that. */
  name: string
  /** Amazon States Language, as it goes into the template: every permission that it needs stands in `allow`. */
  definition: object
  allow: PolicyStatement[]
  /** Why resources in `allow` have a `*`, by their ends. */
  wildcards: Record<string, string>
  logRetentionDays: number
}

/** What a workflow's name will be an ARN of, before it is there. */
export function workflowArn (scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({ service: 'states', resource: 'stateMachine', resourceName: name, arnFormat: ArnFormat.COLON_RESOURCE_NAME })
}

/** Executions of a workflow: all, or those of the maps in it. */
export function executionArns (scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({ service: 'states', resource: 'execution', resourceName: `${name}*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME })
}

/** A state machine that logs and traces every execution, whose role holds what it is given and nothing else. */
export class Workflow extends Construct {
  readonly name: string
  readonly arn: string
  readonly logGroup: LogGroup

  constructor (scope: Construct, id: string, { name, definition, allow, wildcards, logRetentionDays }: WorkflowProps) {
    super(scope, id)
    this.name = name
    // Log groups of this name share one entry in the resource policy that lets the service write; others need one each, and there is room for few.
    this.logGroup = new LogGroup(this, 'Log', { logGroupName: `/aws/vendedlogs/states/${name}`, retention: logRetentionDays as RetentionDays, removalPolicy: RemovalPolicy.DESTROY })
    const role = new Role(this, 'Role', {
      description: `What the workflow ${name} may do`,
      assumedBy: new ServicePrincipal('states.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } } }),
      inlinePolicies: { permissions: new PolicyDocument({ statements: [...allow, ...accountWide()] }) },
    })
    Validations.of(role).acknowledge(
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'Delivery of logs and traces takes no resource: AWS has none for these actions.' }
    )
    explainWildcards(role, wildcards)
    const machine = new CfnStateMachine(this, 'Machine', {
      stateMachineName: name,
      stateMachineType: 'STANDARD',
      definition,
      roleArn: role.roleArn,
      loggingConfiguration: {
        level: 'ALL',
        // States carry names of files and versions, never rows.
        includeExecutionData: true,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: this.logGroup.logGroupArn } }],
      },
      tracingConfiguration: { enabled: true },
    })
    this.arn = machine.attrArn
  }
}

/** Actions that AWS has no resources for. */
function accountWide (): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: [
        'logs:CreateLogDelivery', 'logs:GetLogDelivery', 'logs:UpdateLogDelivery', 'logs:DeleteLogDelivery', 'logs:ListLogDeliveries',
        'logs:PutResourcePolicy', 'logs:DescribeResourcePolicies', 'logs:DescribeLogGroups',
      ],
      resources: ['*'],
    }),
    new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'], resources: ['*'] }),
  ]
}
