import { Names, SecretValue, Validations } from 'aws-cdk-lib'
import { Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import { CfnServerlessCache, CfnUser, CfnUserGroup } from 'aws-cdk-lib/aws-elasticache'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import type { NetworkStack } from '../stacks/network.ts'

/** What the rate limit calls, on its own keys: see `countScript` of the server, and what its client sends as it connects. */
const accessString = 'on ~modelport:limit:* resetchannels -@all +@connection +info +eval +evalsha +incr +pttl +pexpire'

/** A serverless Valkey cache in which all tasks count callers together: TLS only, one user who can do nothing but count. */
export class SharedCounters extends Construct {
  /** The whole of REDIS_URL, password included: the server wants one address, and ECS can hand over a secret as it is, but not build one. */
  readonly url: Secret
  readonly securityGroup: SecurityGroup

  constructor (scope: Construct, id: string, network: NetworkStack) {
    super(scope, id)
    const name = Names.uniqueResourceName(this, { maxLength: 30, separator: '-' }).toLowerCase()
    // Letters and digits: it stands in a URL.
    const password = new Secret(this, 'Password', { description: 'Password for the cache of the rate limit', generateSecretString: { passwordLength: 64, excludePunctuation: true } })
    const user = new CfnUser(this, 'User', { engine: 'valkey', userId: `${name}-limit`, userName: 'modelport', accessString, authenticationMode: withPassword(password) })
    // A group must have a user of this name: whoever gives no name is this one, and it is off.
    const nobody = new CfnUser(this, 'Nobody', { engine: 'valkey', userId: `${name}-nobody`, userName: 'default', accessString: 'off ~* -@all', authenticationMode: withPassword(password) })
    const group = new CfnUserGroup(this, 'Users', { engine: 'valkey', userGroupId: name, userIds: [nobody.ref, user.ref] })
    this.securityGroup = new SecurityGroup(this, 'Group', { vpc: network.vpc, description: 'Cache of the rate limit', allowAllOutbound: false })
    const cache = new CfnServerlessCache(this, 'Cache', {
      engine: 'valkey',
      majorEngineVersion: '8',
      serverlessCacheName: name,
      description: 'Counts of callers; may be lost at any time',
      userGroupId: group.ref,
      securityGroupIds: [this.securityGroup.securityGroupId],
      subnetIds: network.vpc.selectSubnets(network.taskSubnets).subnetIds,
      // Counters of a minute: more than this is a fault, and should not be a bill.
      cacheUsageLimits: { dataStorage: { maximum: 1, unit: 'GB' }, ecpuPerSecond: { maximum: 30_000 } },
    })
    this.url = new Secret(this, 'Url', {
      description: 'REDIS_URL of the server',
      // The password goes from one secret to the other within Secrets Manager: the template holds a reference.
      secretStringValue: SecretValue.unsafePlainText(`rediss://modelport:${password.secretValue.unsafeUnwrap()}@${cache.attrEndpointAddress}:${cache.attrEndpointPort}`),
    })
    for (const secret of [password, this.url]) {
      Validations.of(secret).acknowledge({
        id: 'AwsSolutions-SMG4',
        reason: 'Password and address must change together, and tasks read them as they start: docs/aws.md says how to change both. The cache holds counts of a minute and is reached from the tasks only.',
      })
    }
  }

  allowFrom (tasks: SecurityGroup): void {
    this.securityGroup.addIngressRule(tasks, Port.tcp(6379), 'Tasks of the service')
    tasks.addEgressRule(this.securityGroup, Port.tcp(6379), 'Cache of the rate limit')
  }
}

function withPassword (password: Secret): object {
  return { Type: 'password', Passwords: [password.secretValue.unsafeUnwrap()] }
}
