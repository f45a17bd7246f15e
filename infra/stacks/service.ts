import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import { AlarmBehavior, AvailabilityZoneRebalancing, FargateService, Protocol, PropagatedTagSource } from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'
import { mayRead, objectsBelow } from '../constructs/bucket-access.ts'
import { DeploymentAlarms, attach, deploymentOf } from '../constructs/deployment.ts'
import { FrontDoor } from '../constructs/front-door.ts'
import { explainWildcards } from '../constructs/reasoned-wildcards.ts'
import { scaleTasks } from '../constructs/scaling.ts'
import { modelStore, modelsPrefix, serverEnvironment } from '../constructs/server-environment.ts'
import { SharedCounters } from '../constructs/shared-counters.ts'
import { type KeptSecret, Task } from '../constructs/task.ts'
import { timeouts } from '../constructs/timeouts.ts'
import { WebAcl } from '../constructs/web-acl.ts'
import type { DataStack } from './data.ts'
import { type NetworkStack, securityGroupForTasks } from './network.ts'

export const port = 8000
export const readinessPath = '/health/ready'

interface ServiceProps extends StackProps {
  environment: string
  config: EnvironmentConfig
  /** The part of the configuration that is on. */
  service: On<EnvironmentConfig['service']>
  data: DataStack
  network: NetworkStack
}

/** The API on Fargate: tasks behind a load balancer, as many as the traffic needs. */
export class ServiceStack extends Stack {
  readonly door: FrontDoor
  readonly service: FargateService
  readonly task: Task
  /** What ends a deployment: for composite alarms and notifications. */
  readonly deploymentAlarms: Alarm[]
  /** Nobody answers: no target is ready in any group. */
  readonly notReady: Alarm

  constructor (scope: Construct, id: string, props: ServiceProps) {
    super(scope, id, props)
    const { config, service, network } = props
    this.door = new FrontDoor(this, 'Door', {
      network,
      logs: props.data.logs,
      certificateArn: service.certificateArn,
      twoGroups: service.deployment !== 'rolling',
      port,
      readinessPath,
      deletionProtection: props.environment === 'production',
    })
    const tasks = securityGroupForTasks(this, 'Tasks', network.vpc, 'Tasks of the service')
    const counters = config.rateLimit.shared === 'valkey' ? new SharedCounters(this, 'Counters', network) : undefined
    counters?.allowFrom(tasks)
    const { jwtSecret, jwtSecretVersion } = props.data
    this.task = this.#task(props, {
      ...(jwtSecret && { JWT_SECRET: { secret: jwtSecret, versionId: jwtSecretVersion } }),
      ...(counters && { REDIS_URL: { secret: counters.url, versionId: undefined } }),
    })
    explainWildcards(this.task.taskRole, objectsBelow(modelsPrefix))
    this.service = this.#service(props, tasks)
    attach(this.service, this.door, { container: this.task.container.containerName, port })
    scaleTasks(this.service, this.door, service)
    const alarms = new DeploymentAlarms(this, 'Deployment', { name: `modelport-${props.environment}`, door: this.door, p99Ms: config.monitoring.p99Ms })
    this.deploymentAlarms = alarms.all
    this.service.enableDeploymentAlarms(alarms.names, { behavior: AlarmBehavior.ROLLBACK_ON_ALARM })
    this.service.node.addDependency(alarms)
    this.notReady = this.#notReady()
    if (config.waf !== 'off') this.#webAcl(props, config.waf)
    const scheme = service.certificateArn === undefined ? 'http' : 'https'
    new CfnOutput(this, 'Url', { value: `${scheme}://${this.door.loadBalancer.loadBalancerDnsName}`, description: 'Address of the load balancer' }) // eslint-disable-line no-new
  }

  #task ({ environment, config, service, data }: ServiceProps, secrets: Record<string, KeptSecret>): Task {
    // Fargate limits the task, and the container does not see that limit: the server would count the CPUs of the machine.
    const cpus = String(Math.max(1, Math.floor(service.cpu / 1024)))
    return new Task(this, 'Task', {
      config,
      repository: data.repository,
      cpu: service.cpu,
      memoryMiB: service.memoryMiB,
      environment: {
        ...serverEnvironment(environment, config),
        ...modelStore(data.models),
        PORT: String(port),
        HOST: '0.0.0.0',
        HTTP_WORKERS: cpus,
        INFERENCE_THREADS: cpus,
        // The load balancer is the one hop that can be believed: a gateway before it may pass on whatever address a caller claims to have.
        TRUST_PROXY: '1',
        REQUEST_TIMEOUT_MS: String(timeouts.request.toMilliseconds()),
        SHUTDOWN_GRACE_MS: String(timeouts.drain.toMilliseconds()),
      },
      secrets,
      port: { containerPort: port, protocol: Protocol.TCP },
      // As in the image, which ECS does not read it from: liveness, because a new container does not mend a model.
      healthCheck: { command: ['CMD', 'node', 'health.js'], interval: Duration.seconds(30), timeout: Duration.seconds(5), startPeriod: Duration.seconds(30), retries: 3 },
      stopTimeout: timeouts.stop,
      allow: mayRead(data.models, modelsPrefix),
    })
  }

  #service ({ service, network }: ServiceProps, tasks: SecurityGroup): FargateService {
    return new FargateService(this, 'Service', {
      cluster: network.cluster,
      taskDefinition: this.task.definition,
      vpcSubnets: network.taskSubnets,
      securityGroups: [tasks],
      assignPublicIp: false,
      capacityProviderStrategies: [{ capacityProvider: service.spot ? 'FARGATE_SPOT' : 'FARGATE', weight: 1 }],
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      // Models are read from S3, verified and warmed up before the first answer.
      healthCheckGracePeriod: Duration.minutes(2),
      circuitBreaker: { enable: true, rollback: true },
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      enableECSManagedTags: true,
      propagateTags: PropagatedTagSource.SERVICE,
      enableExecuteCommand: false,
      ...deploymentOf(service.deployment),
    })
  }

  #notReady (): Alarm {
    const groups = this.door.groups
    return new Alarm(this, 'NotReady', {
      alarmDescription: 'No task is ready to answer',
      metric: new MathExpression({
        expression: groups.map((_, index) => `FILL(healthy${index}, 0)`).join(' + '),
        usingMetrics: Object.fromEntries(groups.map((group, index) => [`healthy${index}`, group.metrics.healthyHostCount({ period: Duration.minutes(1), statistic: 'Minimum' })])),
        period: Duration.minutes(1),
        label: 'Ready tasks',
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      // A load balancer without any target has no such metric.
      treatMissingData: TreatMissingData.BREACHING,
    })
  }

  #webAcl ({ environment, config, service }: ServiceProps, waf: On<EnvironmentConfig['waf']>): void {
    new WebAcl(this, 'WebAcl', { // eslint-disable-line no-new
      environment,
      waf,
      logRetentionDays: config.monitoring.logRetentionDays,
      loadBalancerArn: this.door.loadBalancer.loadBalancerArn,
      public: service.certificateArn !== undefined,
    })
  }
}
