import { type Static, Type } from 'typebox'
import { contradictions } from './contradictions.ts'
import { needsPipelineImage } from './constructs/pipeline-image.ts'
import { environments } from './environments.ts'
import { faultsOf } from './faults.ts'

const strict = { additionalProperties: false } as const

/** Text of a form, with the words that a wrong one is answered with. */
const text = (pattern: string, description: string) => Type.String({ pattern, description })

const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const imageTag = text('^([\\w][\\w.-]{0,127}|sha256:[0-9a-f]{64})$', 'a tag such as 1.4.0, or a digest such as sha256:…')
const cron = text('^(\\S+ ){5}\\S+$', 'six fields with blanks between them (minutes, hours, day of the month, month, day of the week, year; UTC), such as "0 6 * * ? *"')

/**
 * All that differs between environments, and nothing that does not. No secret stands here: only where one is kept.
 * Durations, sizes and money have their unit in the name.
 */
const schema = Type.Object({
  /** AWS account of twelve digits; absent: the one of the deployer's credentials. */
  account: Type.Optional(text('^\\d{12}$', 'twelve digits')),
  region: text('^[a-z]{2}(-[a-z]+)+-\\d$', 'a region such as eu-central-1'),
  /** What `deploy:image` pushes and tasks run: a tag, better a digest. */
  imageTag,
  /** The image of batch and training; absent: imageTag with `-pipeline` behind it. */
  pipelineImageTag: Type.Optional(imageTag),
  architecture: Type.Enum(['arm64', 'x64']),
  network: Type.Object({
    /** From /16 to /23: load balancers want subnets of at least 32 addresses. */
    cidr: text(`^${octet}(\\.${octet}){3}/(1[6-9]|2[0-3])$`, 'a block of addresses from /16 to /23, such as 10.20.0.0/20'),
    availabilityZones: Type.Integer({ minimum: 2, maximum: 3 }),
    /** How tasks reach AWS: interface endpoints (no way out to the internet), or one NAT gateway. */
    egress: Type.Enum(['endpoints', 'nat']),
  }, strict),
  auth: Type.Union([
    Type.Object({
      kind: Type.Literal('secret'),
      /** Which version of the secret signs tokens; absent: the current one as it is when tasks start and functions are deployed. A new value here is what brings a new secret everywhere. */
      versionId: Type.Optional(text('^[A-Za-z0-9-]{32,64}$', 'the VersionId that `aws secretsmanager put-secret-value` answers with')),
    }, strict),
    Type.Object({ kind: Type.Literal('jwks'), url: text('^https://', 'an address that begins with https://'), issuer: Type.String({ minLength: 1 }), audience: Type.String({ minLength: 1 }) }, strict),
  ]),
  rateLimit: Type.Object({
    requestsPerMinute: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    /** Whether tasks count together, in a serverless Valkey cache, or each for itself. */
    shared: Type.Enum(['no', 'valkey']),
  }, strict),
  service: Type.Union([Type.Literal('off'), Type.Object({
    cpu: Type.Enum([256, 512, 1024, 2048, 4096, 8192]),
    memoryMiB: Type.Integer({ minimum: 512, maximum: 61440 }),
    minTasks: Type.Integer({ minimum: 1, maximum: 500 }),
    maxTasks: Type.Integer({ minimum: 1, maximum: 500 }),
    cpuTargetPercent: Type.Integer({ minimum: 10, maximum: 90 }),
    requestsPerTargetPerMinute: Type.Integer({ minimum: 1 }),
    /** Other minimum and maximum counts of tasks from a moment on: cron as AWS writes it, in UTC. */
    schedule: Type.Array(Type.Object({ cron, minTasks: Type.Integer({ minimum: 0 }), maxTasks: Type.Integer({ minimum: 1 }) }, strict)),
    deployment: Type.Enum(['rolling', 'canary', 'blue-green']),
    /** ACM certificate of a load balancer on the internet; absent: the load balancer is private, and the gateway is the way in. */
    certificateArn: Type.Optional(text('^arn:aws[\\w-]*:acm:', 'the ARN of an ACM certificate')),
    /** Capacity that AWS may take back with two minutes' notice, at some 30 % of the price. */
    spot: Type.Boolean(),
  }, strict)]),
  waf: Type.Union([Type.Literal('off'), Type.Object({ requestsPerFiveMinutesPerAddress: Type.Integer({ minimum: 10, maximum: 2_000_000_000 }) }, strict)]),
  gateway: Type.Union([Type.Literal('off'), Type.Object({ requestsPerSecond: Type.Integer({ minimum: 1 }), burst: Type.Integer({ minimum: 1 }) }, strict)]),
  lambda: Type.Union([Type.Literal('off'), Type.Object({
    memoryMiB: Type.Integer({ minimum: 512, maximum: 10240 }),
    models: Type.Enum(['package', 's3']),
    reservedConcurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    /** What its HTTP API lets through; absent: 100, and bursts of 200. */
    requestsPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
    burst: Type.Optional(Type.Integer({ minimum: 1 })),
  }, strict)]),
  batch: Type.Union([Type.Literal('off'), Type.Object({
    runner: Type.Enum(['fargate', 'lambda']),
    start: Type.Array(Type.Enum(['schedule', 'upload'])),
    /** For the schedule: NAME or NAME@VERSION. Its files are in the raw bucket, below scheduled/ and what stands here. */
    model: text('^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$', 'a model, or NAME@VERSION'),
    /** Of the schedule: six fields as EventBridge Scheduler has them, in UTC. */
    cron,
    maxConcurrency: Type.Integer({ minimum: 1, maximum: 10_000 }),
    toleratedFailurePercent: Type.Integer({ minimum: 0, maximum: 100 }),
  }, strict)]),
  training: Type.Union([Type.Literal('off'), Type.Object({
    modelName: text('^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', 'a name of at most 64 letters, digits and . _ -'),
    /** Days after the cut-off within which a customer must buy again to count as one who does. */
    targetDays: Type.Integer({ minimum: 1, maximum: 730 }),
    /** Uploads within so many minutes lead to one training. */
    gatherMinutes: Type.Integer({ minimum: 1, maximum: 1440 }),
    cpu: Type.Enum([1024, 2048, 4096, 8192, 16384]),
    memoryMiB: Type.Integer({ minimum: 2048, maximum: 122880 }),
  }, strict)]),
  monitoring: Type.Object({
    /** Who is told of alarms. */
    email: Type.Optional(text('^[^@\\s]+@[^@\\s]+$', 'an e-mail address')),
    p99Ms: Type.Integer({ minimum: 1 }),
    drift: Type.Number({ exclusiveMinimum: 0 }),
    logRetentionDays: Type.Enum([7, 14, 30, 60, 90, 180, 365, 731]),
    monthlyBudgetUsd: Type.Integer({ minimum: 1 }),
  }, strict),
}, strict)
export type EnvironmentConfig = Static<typeof schema>

/** The parts of a union of which one is "off". */
export type On<T> = Exclude<T, 'off'>

/** Whether anything runs on Fargate: then there is a network, and a cluster in it. */
export function runsTasks (config: EnvironmentConfig): boolean {
  return config.service !== 'off' || needsPipelineImage(config)
}

/** @throws Error that names the environment's every fault and what is allowed */
export function checkConfig (name: string, config: unknown): EnvironmentConfig {
  const faults = faultsOf(schema, config)
  if (faults.length === 0) faults.push(...contradictions(config as EnvironmentConfig))
  if (faults.length > 0) throw new Error(`Wrong configuration of ${name}:\n${faults.map(fault => `  ${fault}`).join('\n')}`)
  return config as EnvironmentConfig
}

/** @throws Error if there is no such environment, or if its configuration is wrong */
export function configOf (name: string): EnvironmentConfig {
  const config: unknown = (environments as Record<string, unknown>)[name]
  if (config === undefined) throw new Error(`There is no environment ${JSON.stringify(name)}: choose one of ${Object.keys(environments).join(', ')}`)
  return checkConfig(name, config)
}
