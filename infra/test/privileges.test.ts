import { describe, expect, test } from 'vitest'
import { configOf } from '../config.ts'
import { resourcesOf, stacksOf, synth } from './synth.ts'

interface Statement { Effect: string, Action: string | string[], Resource: unknown, Principal?: unknown, Condition?: unknown }
interface Policies { Policies?: { PolicyDocument: { Statement: Statement[] } }[], ManagedPolicyArns?: unknown[] }

/** Together they have every stack there is. */
const everything = { ...stacksOf('dev'), ...Object.fromEntries(Object.entries(stacksOf('staging')).map(([name, stack]) => [`staging${name}`, stack])) }

const listed = (value: string | string[]): string[] => (Array.isArray(value) ? value : [value])

/** What roles may do, as [role, statement]. */
const statements = [
  ...resourcesOf(everything, 'AWS::IAM::Role').flatMap(([name, role]) => ((role as Policies).Policies ?? []).flatMap(({ PolicyDocument }) => PolicyDocument.Statement.map(statement => [name, statement] as const))),
  ...resourcesOf(everything, 'AWS::IAM::Policy').flatMap(([name, policy]) => (policy['PolicyDocument'] as { Statement: Statement[] }).Statement.map(statement => [name, statement] as const)),
]

/** AWS has no resource for these, so that each must be allowed for `*`. */
const withoutResource: Record<string, string> = {
  'ecr:GetAuthorizationToken': 'a token of the account, which by itself reads no image',
  'elasticloadbalancing:DescribeListeners': 'describing takes no resource',
  'elasticloadbalancing:DescribeRules': 'describing takes no resource',
  'elasticloadbalancing:DescribeTargetGroups': 'describing takes no resource',
  'elasticloadbalancing:DescribeTargetHealth': 'describing takes no resource',
  'xray:PutTraceSegments': 'a trace is of the account',
  'xray:PutTelemetryRecords': 'a trace is of the account',
  'xray:GetSamplingRules': 'sampling is of the account',
  'xray:GetSamplingTargets': 'sampling is of the account',
  'logs:CreateLogDelivery': 'delivery of logs takes no resource',
  'logs:GetLogDelivery': 'delivery of logs takes no resource',
  'logs:UpdateLogDelivery': 'delivery of logs takes no resource',
  'logs:DeleteLogDelivery': 'delivery of logs takes no resource',
  'logs:ListLogDeliveries': 'delivery of logs takes no resource',
  'logs:PutResourcePolicy': 'policies of CloudWatch Logs are of the account',
  'logs:DescribeResourcePolicies': 'policies of CloudWatch Logs are of the account',
  'logs:DescribeLogGroups': 'describing takes no resource',
}

describe('roles', () => {
  test('are there, so that what follows looks at something', () => {
    expect(statements.length).toBeGreaterThan(20)
  })

  test('may do nothing by a wildcard of actions', () => {
    for (const [name, { Action }] of statements) for (const action of listed(Action)) expect(action, name).toMatch(/^[a-z0-9-]+:[A-Za-z0-9]+$/)
  })

  test('may do for every resource only what takes none', () => {
    const used = statements.filter(([, { Resource }]) => [Resource].flat().includes('*')).flatMap(([, { Action }]) => listed(Action))
    // Both ways: what nobody may do any more leaves the table.
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(withoutResource).toSorted())
  })

  test('have no policies of AWS\'s own, which allow more with every year', () => {
    for (const [name, role] of resourcesOf(everything, 'AWS::IAM::Role')) expect((role as Policies).ManagedPolicyArns ?? [], name).toEqual([])
  })

  test('of tasks can be taken on by tasks of this account only', () => {
    const ofTasks = resourcesOf(everything, 'AWS::IAM::Role').filter(([, role]) => JSON.stringify(role['AssumeRolePolicyDocument']).includes('ecs-tasks.amazonaws.com'))
    expect(ofTasks.length).toBeGreaterThanOrEqual(4)
    for (const [name, role] of ofTasks) expect(JSON.stringify(role['AssumeRolePolicyDocument']), name).toContain('"aws:SourceAccount":{"Ref":"AWS::AccountId"}')
  })

  test('of the server may read models and nothing else', () => {
    const roles: [string, Policies][] = resourcesOf(stacksOf('staging'), 'AWS::IAM::Role').filter(([name]) => name.startsWith('Service/TaskTaskRole'))
    expect(roles).toHaveLength(1)
    const statements = roles[0]?.[1].Policies?.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    expect(statements?.map(({ Action }) => Action)).toEqual(['s3:GetObject', 's3:ListBucket'])
    expect(statements?.[0]?.Resource).toEqual({ 'Fn::Join': ['', [expect.anything(), '/models/*']] })
    expect(statements?.[1]?.Condition).toEqual({ StringLike: { 's3:prefix': ['models', 'models/*'] } })
  })

  test('of the deployment may change the rule, the listener and the two groups of this service only', () => {
    const mine = statements.filter(([name]) => name.startsWith('stagingService/ServiceShiftRole')).filter(([, { Resource }]) => Resource !== '*')
    expect(mine.flatMap(([, { Action }]) => listed(Action)).toSorted()).toEqual(['DeregisterTargets', 'ModifyListener', 'ModifyRule', 'RegisterTargets'].map(action => `elasticloadbalancing:${action}`))
    for (const [, { Resource }] of mine) for (const resource of [Resource].flat()) expect(resource).toEqual({ Ref: expect.stringMatching(/^Door/) as string })
  })
})

describe('nothing is open that need not be', () => {
  test('every bucket is private, encrypted, TLS only, and stays when its stack goes', () => {
    const { Data } = stacksOf('dev')
    const buckets = resourcesOf({ Data: Data! }, 'AWS::S3::Bucket')
    expect(buckets.length).toBe(5)
    for (const [name, bucket] of buckets) {
      expect(bucket['PublicAccessBlockConfiguration'], name).toEqual({ BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true })
      expect(bucket['BucketEncryption'], name).toBeDefined()
      expect(Data!.Resources[name.split('/')[1]!]?.DeletionPolicy, name).toBe('Retain')
    }
    const policies = resourcesOf({ Data: Data! }, 'AWS::S3::BucketPolicy').map(([, policy]) => (policy['PolicyDocument'] as { Statement: Statement[] }).Statement)
    expect(policies.length).toBe(5)
    for (const policy of policies) {
      expect(policy).toContainEqual(expect.objectContaining({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }))
      for (const { Effect, Principal } of policy) if (Effect === 'Allow') expect(JSON.stringify(Principal)).not.toContain('"*"')
    }
  })

  test('no security group lets the internet in, but the public load balancer\'s at 443 and at 80, which redirects', () => {
    const config = configOf('staging')
    const open = (stacks: ReturnType<typeof synth>) => resourcesOf(stacks, 'AWS::EC2::SecurityGroup')
      .flatMap(([name, { SecurityGroupIngress = [] }]) => (SecurityGroupIngress as { CidrIp?: string, FromPort: number }[]).filter(({ CidrIp }) => CidrIp === '0.0.0.0/0').map(({ FromPort }) => [name.split('/')[0], FromPort]))
    expect(open(everything)).toEqual([])
    const service = { ...config.service as Exclude<typeof config.service, 'off'>, certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/1' }
    expect(open(synth('staging', { ...config, service, gateway: 'off', batch: 'off', training: 'off' }))).toEqual([['Service', 443], ['Service', 80]])
  })

  test('tasks have no address of the internet, run as nobody special, and can write to /tmp only', () => {
    for (const [name, service] of resourcesOf(everything, 'AWS::ECS::Service')) expect(service['NetworkConfiguration'], name).toMatchObject({ AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } })
    const tasks = resourcesOf(everything, 'AWS::ECS::TaskDefinition')
    expect(tasks.length).toBeGreaterThanOrEqual(2)
    for (const [name, task] of tasks) {
      const { ContainerDefinitions, Volumes, RuntimePlatform } = task as { ContainerDefinitions: object[], Volumes: object[], RuntimePlatform: object }
      expect(RuntimePlatform, name).toEqual({ CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' })
      expect(Volumes, name).toEqual([{ Name: 'tmp' }])
      expect(ContainerDefinitions, name).toEqual([expect.objectContaining({
        User: '1000:1000',
        Privileged: false,
        ReadonlyRootFilesystem: true,
        LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
        MountPoints: [{ ContainerPath: '/tmp', ReadOnly: false, SourceVolume: 'tmp' }],
        LogConfiguration: expect.objectContaining({ LogDriver: 'awslogs' }) as object,
      })])
    }
  })

  test('every log group is emptied in time', () => {
    for (const [name, group] of resourcesOf(everything, 'AWS::Logs::LogGroup')) expect(group['RetentionInDays'], name).toBe(name.startsWith('staging') ? 30 : 14)
  })

  test('no template holds a secret: they are made where they are kept, and referred to', () => {
    for (const [name, secret] of resourcesOf(everything, 'AWS::SecretsManager::Secret')) {
      if (secret['SecretString'] === undefined) expect(secret['GenerateSecretString'], name).toMatchObject({ PasswordLength: 64, ExcludePunctuation: true })
      else expect(JSON.stringify(secret['SecretString']), name).toMatch(/rediss:\/\/modelport:\{\{resolve:secretsmanager:/)
    }
  })
})
