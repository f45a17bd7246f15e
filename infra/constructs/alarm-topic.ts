import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { CfnSubscription, Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'

/** Services that tell of something here. */
const senders = ['cloudwatch.amazonaws.com', 'events.amazonaws.com', 'budgets.amazonaws.com']

/** Where people are told of alarms, encrypted by a key of its own: AWS's own key for SNS cannot be used by alarms and budgets. */
export class AlarmTopic extends Construct {
  readonly topic: Topic

  constructor (scope: Construct, id: string, { name, email }: { name: string, email: string | undefined }) {
    super(scope, id)
    const { account } = Stack.of(this)
    const key = new Key(this, 'Key', { description: `Alarms of ${name}`, enableKeyRotation: true, pendingWindow: Duration.days(7), removalPolicy: RemovalPolicy.DESTROY })
    this.topic = new Topic(this, 'Topic', { topicName: `${name}-alarms`, displayName: `${name}: alarms`, masterKey: key, enforceSSL: true })
    for (const sender of senders) {
      const fromHere = { principals: [new ServicePrincipal(sender)], conditions: { StringEquals: { 'aws:SourceAccount': account } } }
      // In the policy of a key, `*` is that key.
      key.addToResourcePolicy(new PolicyStatement({ ...fromHere, actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: ['*'] }))
      this.topic.addToResourcePolicy(new PolicyStatement({ ...fromHere, actions: ['sns:Publish'], resources: [this.topic.topicArn] }))
    }
    // They get a mail first that asks whether they want this.
    if (email !== undefined) new CfnSubscription(this, 'Email', { topicArn: this.topic.topicArn, protocol: 'email', endpoint: email }) // eslint-disable-line no-new
  }
}
