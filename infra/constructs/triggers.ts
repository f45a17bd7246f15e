import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { CfnRule } from 'aws-cdk-lib/aws-events'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Workflow } from './workflow.ts'

/** What starts a workflow by itself. An event that could not start it, after all attempts, waits in the queue for two weeks. */
export class Triggers extends Construct {
  readonly deadLetters: Queue
  readonly #workflow: Workflow
  readonly #statements: PolicyStatement[]

  constructor (scope: Construct, id: string, workflow: Workflow) {
    super(scope, id)
    this.#workflow = workflow
    this.deadLetters = new Queue(this, 'DeadLetters', { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14), removalPolicy: RemovalPolicy.DESTROY })
    Validations.of(this.deadLetters).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is the queue of dead letters itself.' })
    this.#statements = [new PolicyStatement({ actions: ['states:StartExecution'], resources: [workflow.arn] })]
  }

  /**
   * @param pattern of EventBridge
   * @param input   the workflow's input by member, each a path into the event
   */
  onEvent (id: string, description: string, pattern: object, input: Record<string, string>): void {
    const rule = new CfnRule(this, id, {
      description,
      eventPattern: pattern,
      targets: [{
        id: 'workflow',
        arn: this.#workflow.arn,
        roleArn: this.#role(`${id}Role`, 'events.amazonaws.com', this.#statements).roleArn,
        inputTransformer: { inputPathsMap: input, inputTemplate: `{${Object.keys(input).map(name => `"${name}":<${name}>`).join(',')}}` },
        deadLetterConfig: { arn: this.deadLetters.queueArn },
      }],
    })
    this.deadLetters.addToResourcePolicy(new PolicyStatement({
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [this.deadLetters.queueArn],
      conditions: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
    }))
  }

  /** @param cron of six fields as EventBridge Scheduler has them, without the word, in UTC */
  onSchedule (id: string, description: string, cron: string, input: object): void {
    const send = new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] })
    new CfnSchedule(this, id, { // eslint-disable-line no-new
      description,
      scheduleExpression: `cron(${cron})`,
      scheduleExpressionTimezone: 'UTC',
      // Not everybody's jobs at the same second.
      flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
      target: {
        arn: this.#workflow.arn,
        roleArn: this.#role(`${id}Role`, 'scheduler.amazonaws.com', [...this.#statements, send]).roleArn,
        input: JSON.stringify(input),
        deadLetterConfig: { arn: this.deadLetters.queueArn },
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
      },
    })
  }

  #role (id: string, principal: string, statements: PolicyStatement[]): Role {
    return new Role(this, id, {
      description: `Starts the workflow ${this.#workflow.name}`,
      assumedBy: new ServicePrincipal(principal, { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } } }),
      inlinePolicies: { permissions: new PolicyDocument({ statements }) },
    })
  }
}
