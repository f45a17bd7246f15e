import { Validations } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'

interface FunctionRoleProps {
  description: string
  /** The one log that it writes. */
  logGroup: LogGroup
  /** What else it may do: exact actions on exact resources. */
  allow: PolicyStatement[]
}

/** Who a function of ours is: it writes its log and its traces, and does what is written out. */
export function functionRole (scope: Construct, { description, logGroup, allow }: FunctionRoleProps): Role {
  const role = new Role(scope, 'Role', {
    description,
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      permissions: new PolicyDocument({
        statements: [
          new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
          new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] }),
          ...allow,
        ],
      }),
    },
  })
  Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason: 'X-Ray knows no resources: a trace is of the account.' })
  return role
}
