import { type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import type { IRepository } from 'aws-cdk-lib/aws-ecr'
import {
  Capability, type ContainerDefinition, ContainerImage, CpuArchitecture, FargateTaskDefinition, type HealthCheck, LinuxParameters, LogDriver, OperatingSystemFamily,
  type PortMapping, Secret,
} from 'aws-cdk-lib/aws-ecs'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'
import { checkFargateSize } from './fargate-sizes.ts'

/** A secret in Secrets Manager, read as a task starts. */
export interface KeptSecret {
  secret: ISecret
  /** Absent: the current one. */
  versionId: string | undefined
}

export interface TaskProps {
  config: Pick<EnvironmentConfig, 'architecture' | 'imageTag' | 'monitoring'>
  repository: IRepository
  /** Tag or digest in the repository; absent: the environment's. */
  image?: string
  /** CPU units: 1024 are one vCPU. */
  cpu: number
  memoryMiB: number
  /** Disk for /tmp, 21 to 200 GiB; absent: the 20 GiB that every task has. */
  diskGiB?: number
  environment?: Record<string, string>
  secrets?: Record<string, KeptSecret>
  port?: PortMapping
  healthCheck?: HealthCheck
  /** From SIGTERM to SIGKILL, at most 120 s. */
  stopTimeout?: Duration
  /** What the program in the container may do: exact actions on exact resources. */
  allow?: PolicyStatement[]
}

function reference ({ secret, versionId }: KeptSecret): Secret {
  return versionId === undefined ? Secret.fromSecretsManager(secret) : Secret.fromSecretsManagerVersion(secret, { versionId })
}

/**
 * A Fargate task as all of ours are: not root, a root file system that nobody can write, no capabilities, `/tmp` the only place to write to,
 * one log group that is emptied in time. Roles hold what stands here and nothing that CDK would add by itself.
 */
export class Task extends Construct {
  readonly definition: FargateTaskDefinition
  readonly container: ContainerDefinition
  readonly logGroup: LogGroup
  /** Who starts the task: pulls the image, reads the secrets, opens the log. */
  readonly executionRole: Role
  /** Who the program in the container is. */
  readonly taskRole: Role

  constructor (scope: Construct, id: string, props: TaskProps) {
    super(scope, id)
    checkFargateSize(props.cpu, props.memoryMiB)
    const { config, secrets = {} } = props
    // CloudWatch encrypts every log group with a key of its own; a customer's key would cost more than the logs of a small service.
    this.logGroup = new LogGroup(this, 'Log', { retention: config.monitoring.logRetentionDays as RetentionDays, removalPolicy: RemovalPolicy.DESTROY })
    this.executionRole = this.#executionRole(props.repository, Object.values(secrets).map(({ secret }) => secret))
    this.taskRole = this.#role('TaskRole', 'What the program in the container may do', props.allow ?? [])
    this.definition = new FargateTaskDefinition(this, 'Definition', {
      // CDK's own name is the same in every environment, and who runs the latest revision of a family would run another environment's.
      family: `${Stack.of(this).stackName}-${id.toLowerCase()}`,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMiB,
      ...(props.diskGiB !== undefined && { ephemeralStorageGiB: props.diskGiB }),
      runtimePlatform: {
        cpuArchitecture: config.architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      // All that they may do stands above: whatever a construct would grant in passing is left out.
      executionRole: this.executionRole.withoutPolicyUpdates(),
      taskRole: this.taskRole.withoutPolicyUpdates(),
    })
    const linuxParameters = new LinuxParameters(this, 'Linux')
    linuxParameters.dropCapabilities(Capability.ALL)
    this.container = this.definition.addContainer('main', {
      image: ContainerImage.fromEcrRepository(props.repository, props.image ?? config.imageTag),
      user: '1000:1000',
      readonlyRootFilesystem: true,
      privileged: false,
      linuxParameters,
      logging: LogDriver.awsLogs({ logGroup: this.logGroup, streamPrefix: id.toLowerCase() }),
      environment: props.environment ?? {},
      secrets: Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, reference(secret)])),
      ...(props.port && { portMappings: [props.port] }),
      ...(props.healthCheck && { healthCheck: props.healthCheck }),
      ...(props.stopTimeout && { stopTimeout: props.stopTimeout }),
    })
    if (Object.keys(props.environment ?? {}).length > 0) {
      Validations.of(this.definition).acknowledge({ id: 'AwsSolutions-ECS2', reason: 'The variables are settings; secrets are references to Secrets Manager, which ECS resolves as the task starts.' })
    }
    // Whose the volume is, and who may write there, is taken from the image, which declares /tmp with VOLUME.
    this.definition.addVolume({ name: 'tmp' })
    this.container.addMountPoints({ sourceVolume: 'tmp', containerPath: '/tmp', readOnly: false })
  }

  #executionRole (repository: IRepository, secrets: ISecret[]): Role {
    const role = this.#role('ExecutionRole', 'Starts the task: image, secrets, log', [
      // AWS has no resource for it: the token is of the account.
      new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
      new PolicyStatement({ actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'], resources: [repository.repositoryArn] }),
      // A log group's streams are resources below it, and a stream's name is the task's.
      new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [this.logGroup.logGroupArn] }),
      ...(secrets.length > 0 ? [new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: secrets.map(secret => secret.secretArn) })] : []),
    ])
    Validations.of(role).acknowledge(
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'ecr:GetAuthorizationToken takes no resource: it is a token of the account, which by itself reads no image.' }
    )
    return role
  }

  #role (id: string, description: string, statements: PolicyStatement[]): Role {
    return new Role(this, id, {
      description,
      // Only tasks of this account: a service that acts for others cannot be made to act for a stranger.
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } } }),
      // Part of the role, not a policy beside it: no task can start between the two.
      ...(statements.length > 0 && { inlinePolicies: { permissions: new PolicyDocument({ statements }) } }),
    })
  }
}
