import { Match, Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { type EnvironmentConfig, type On, configOf } from '../config.ts'
import { resourcesOf, stacksOf, synth, templateOf } from './synth.ts'

const certificateArn = 'arn:aws:acm:eu-central-1:111122223333:certificate/0b1c2d3e'

/** staging's service with other settings; what else runs there is left out. */
function serviceWith (changes: Partial<On<EnvironmentConfig['service']>>): Template {
  const config = configOf('staging')
  const service = { ...config.service as On<EnvironmentConfig['service']>, ...changes }
  return Template.fromJSON(synth('staging', { ...config, service, gateway: 'off', batch: 'off', training: 'off' })['Service']!)
}

const staging = templateOf('staging', 'Service')
const dev = templateOf('dev', 'Service')
const open = serviceWith({ certificateArn, deployment: 'blue-green', spot: true, schedule: [{ cron: '0 6 ? * MON-FRI *', minTasks: 3, maxTasks: 9 }] })

const ref = (start: string): object => ({ Ref: Match.stringLikeRegexp(`^${start}`) })

describe('deployments', () => {
  test('canary: a tenth of the callers for ten minutes, by the weights of the rule', () => {
    staging.hasResourceProperties('AWS::ECS::Service', {
      DeploymentConfiguration: { Strategy: 'CANARY', CanaryConfiguration: { CanaryPercent: 10, CanaryBakeTimeInMinutes: 10 }, BakeTimeInMinutes: 10, MinimumHealthyPercent: 100 },
      LoadBalancers: [{ TargetGroupArn: ref('DoorBlue'), AdvancedConfiguration: { AlternateTargetGroupArn: ref('DoorGreen'), ProductionListenerRule: ref('DoorRule') } }],
    })
    staging.hasResourceProperties('AWS::ElasticLoadBalancingV2::ListenerRule', {
      Actions: [{ ForwardConfig: { TargetGroups: [{ TargetGroupArn: ref('DoorBlue'), Weight: 100 }, { TargetGroupArn: ref('DoorGreen'), Weight: 0 }] } }],
    })
  })

  test('blue-green: all callers at once, and the old tasks stay for a while', () => {
    open.hasResourceProperties('AWS::ECS::Service', { DeploymentConfiguration: { Strategy: 'BLUE_GREEN', BakeTimeInMinutes: 15 } })
    open.resourceCountIs('AWS::ElasticLoadBalancingV2::TargetGroup', 2)
  })

  test('rolling: one group of targets, and nobody who may change the rule', () => {
    dev.resourceCountIs('AWS::ElasticLoadBalancingV2::TargetGroup', 1)
    dev.hasResourceProperties('AWS::ECS::Service', { DeploymentConfiguration: { Strategy: 'ROLLING' }, LoadBalancers: [{ AdvancedConfiguration: Match.absent() }] })
    expect(JSON.stringify(dev.toJSON())).not.toContain('ModifyRule')
  })

  test.each([['rolling', dev, 'dev'], ['canary', staging, 'staging'], ['blue-green', open, 'staging']] as const)('%s goes back where tasks do not come up or an alarm goes off', (_strategy, template, environment) => {
    const names = [`modelport-${environment}-errors`, `modelport-${environment}-latency`]
    template.hasResourceProperties('AWS::ECS::Service', {
      DeploymentConfiguration: { DeploymentCircuitBreaker: { Enable: true, Rollback: true }, Alarms: { Enable: true, Rollback: true, AlarmNames: names } },
    })
    for (const AlarmName of names) template.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName, TreatMissingData: 'notBreaching' })
    // ECS asks for the alarms as it begins.
    template.hasResource('AWS::ECS::Service', { DependsOn: Match.arrayWith([Match.stringLikeRegexp('^DeploymentErrors'), Match.stringLikeRegexp('^DeploymentLatency')]) })
  })

  test('the alarm of latency is at the p99 that the environment promises', () => {
    staging.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: 'modelport-staging-latency', ExtendedStatistic: 'p99', MetricName: 'TargetResponseTime', Threshold: 0.1 })
  })

  test('the alarm of readiness counts both groups, and no data is an alarm', () => {
    staging.hasResourceProperties('AWS::CloudWatch::Alarm', { Metrics: Match.arrayWith([Match.objectLike({ Expression: 'FILL(healthy0, 0) + FILL(healthy1, 0)' })]), Threshold: 1, TreatMissingData: 'breaching' })
  })
})

describe('scaling', () => {
  test('follows CPU and requests per task, whichever group of targets has them', () => {
    staging.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 2, MaxCapacity: 4 })
    staging.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: { TargetValue: 60, PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' } },
    })
    const metric = (group: string): object => Match.objectLike({ MetricStat: { Stat: 'Sum', Metric: { MetricName: 'RequestCountPerTarget', Dimensions: [{ Name: 'TargetGroup', Value: { 'Fn::GetAtt': [Match.stringLikeRegexp(group), 'TargetGroupFullName'] } }] } } })
    staging.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 120_000,
        CustomizedMetricSpecification: { Metrics: Match.arrayWith([metric('^DoorBlue'), metric('^DoorGreen'), Match.objectLike({ Expression: 'FILL(requests0, 0) + FILL(requests1, 0)', ReturnData: true })]) },
      },
    })
  })

  test('has other limits by the clock', () => {
    open.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScheduledActions: [{ Schedule: 'cron(0 6 ? * MON-FRI *)', ScalableTargetAction: { MinCapacity: 3, MaxCapacity: 9 } }],
    })
  })

  test('takes Spot capacity where the environment says so', () => {
    open.hasResourceProperties('AWS::ECS::Service', { CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE_SPOT' }] })
    staging.hasResourceProperties('AWS::ECS::Service', { CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE' }] })
  })
})

describe('the load balancer', () => {
  test('is private without a certificate, and its callers are one security group', () => {
    staging.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' })
    staging.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1)
    staging.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 80, SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DoorCallers'), 'GroupId'] } })
  })

  test('is public with one: TLS 1.3, and HTTP only leads there', () => {
    open.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internet-facing' })
    open.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', { Port: 443, Protocol: 'HTTPS', SslPolicy: Match.stringLikeRegexp('TLS13'), Certificates: [{ CertificateArn: certificateArn }] })
    open.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', { Port: 80, DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', StatusCode: 'HTTP_301' } }] })
  })

  test.each([['private', staging], ['public', open]])('%s: drops invalid headers, writes an access log, keeps connections shorter than the server does', (_kind, template) => {
    for (const [Key, Value] of [['routing.http.drop_invalid_header_fields.enabled', 'true'], ['access_logs.s3.enabled', 'true'], ['idle_timeout.timeout_seconds', '60']]) {
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { LoadBalancerAttributes: Match.arrayWith([{ Key, Value }]) })
    }
  })

  test('cannot be deleted by mistake in production', () => {
    const protection = (Value: string): object => ({ LoadBalancerAttributes: Match.arrayWith([{ Key: 'deletion_protection.enabled', Value }]) })
    templateOf('production', 'Service').hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', protection('true'))
    staging.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', protection('false'))
  })
})

describe('the web ACL', () => {
  const rule = (template: Template, name: string): Record<string, unknown> => {
    const [acl] = Object.values(template.findResources('AWS::WAFv2::WebACL')) as { Properties: { Rules: { Name: string, Statement: Record<string, unknown> }[] } }[]
    return acl!.Properties.Rules.find(({ Name }) => Name === name)!.Statement
  }

  test('counts by address where callers come themselves, by token where all come from the gateway', () => {
    expect(rule(open, 'rate')).toEqual({ RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: 300, Limit: 100_000 } })
    expect(rule(staging, 'rate')).toMatchObject({ RateBasedStatement: { AggregateKeyType: 'CUSTOM_KEYS', CustomKeys: [{ Header: { Name: 'authorization' } }] } })
  })

  test('lets bodies above 8 KB through to the server, which has its own limit', () => {
    expect(rule(staging, 'AWSManagedRulesCommonRuleSet')).toMatchObject({ ManagedRuleGroupStatement: { RuleActionOverrides: [{ Name: 'SizeRestrictions_BODY', ActionToUse: { Count: {} } }] } })
    expect(rule(staging, 'AWSManagedRulesKnownBadInputsRuleSet')).toBeDefined()
  })

  test('writes down what it blocks, without tokens', () => {
    staging.hasResourceProperties('AWS::WAFv2::LoggingConfiguration', { RedactedFields: [{ SingleHeader: { Name: 'authorization' } }], LoggingFilter: { DefaultBehavior: 'DROP' } })
    dev.resourceCountIs('AWS::WAFv2::WebACL', 0)
  })
})

describe('shared counters', () => {
  test('are in a Valkey cache whose user can only count, reached from the tasks only', () => {
    staging.hasResourceProperties('AWS::ElastiCache::ServerlessCache', { Engine: 'valkey', UserGroupId: ref('CountersUsers'), CacheUsageLimits: { DataStorage: { Maximum: 1, Unit: 'GB' } } })
    staging.hasResourceProperties('AWS::ElastiCache::User', { UserName: 'modelport', AccessString: Match.stringLikeRegexp('^on ~modelport:limit:\\* resetchannels -@all ') })
    staging.hasResourceProperties('AWS::ElastiCache::User', { UserName: 'default', AccessString: Match.stringLikeRegexp('^off ') })
    staging.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 6379, ToPort: 6379, SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Tasks'), 'GroupId'] } })
  })

  test('are not there where each task counts for itself', () => {
    dev.resourceCountIs('AWS::ElastiCache::ServerlessCache', 0)
  })
})

describe('the network', () => {
  const endpoints = (environment: string): string[] => resourcesOf(stacksOf(environment), 'AWS::EC2::VPCEndpoint').map(([, { ServiceName }]) => JSON.stringify(ServiceName).match(/\.(s3|ecr\.\w+|logs|secretsmanager)\b/)?.[1] ?? 'other').toSorted()

  test('with endpoints has no way to the internet, and the services that tasks call', () => {
    const network = templateOf('staging', 'Network')
    for (const type of ['AWS::EC2::NatGateway', 'AWS::EC2::InternetGateway']) network.resourceCountIs(type, 0)
    expect(endpoints('staging')).toEqual(['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager'])
  })

  test('with NAT has one gateway, and S3 all the same past it', () => {
    templateOf('dev', 'Network').resourceCountIs('AWS::EC2::NatGateway', 1)
    expect(endpoints('dev')).toEqual(['s3'])
  })

  test('lets no task take data to a bucket of another account', () => {
    const [[, endpoint]] = resourcesOf(stacksOf('staging'), 'AWS::EC2::VPCEndpoint').filter(([, { VpcEndpointType }]) => VpcEndpointType === 'Gateway') as [[string, { PolicyDocument: { Statement: { Action: string | string[], Condition?: object }[] } }]]
    const writing = endpoint.PolicyDocument.Statement.filter(({ Action }) => [Action].flat().includes('s3:PutObject'))
    expect(writing).toEqual([expect.objectContaining({ Condition: { StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } } })])
  })

  test('writes down all traffic', () => {
    templateOf('staging', 'Network').hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL', LogDestinationType: 's3' })
  })

  test('keeps its subnets where a zone or a public load balancer comes later', () => {
    const config = configOf('staging')
    const blocks = (changed: EnvironmentConfig): unknown[] => resourcesOf(synth('staging', { ...changed, batch: 'off', training: 'off' }), 'AWS::EC2::Subnet')
      .filter(([name]) => name.includes('tasks')).map(([, { CidrBlock }]) => CidrBlock)
    const now = blocks(config)
    const later = blocks({ ...config, gateway: 'off', network: { ...config.network, availabilityZones: 3 }, service: { ...config.service as On<EnvironmentConfig['service']>, certificateArn } })
    expect(now).toHaveLength(2)
    expect(later.slice(0, 2)).toEqual(now)
  })
})
