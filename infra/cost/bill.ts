import type { EnvironmentConfig, On } from '../config.ts'
import { stacksOf } from '../cli/stacks.ts'
import { lambdaLines, mibPerVcpu } from './lambda.ts'
import { type Line, type LineMaker, lineMaker, totalOf } from './lines.ts'
import { hoursPerMonth, type Load, predictionsPerMonth, requestsPerMonth } from './load.ts'
import { assumed, bytes } from './measured.ts'
import { type Prices } from './prices.ts'
import { customMetrics, resourceCounts } from './resources.ts'
import { serviceLines } from './service.ts'
import { type Sizing, sizeService } from './sizing.ts'

/** Where a prediction runs and what callers meet first. */
export type Variant = 'fargate' | 'fargate + http-api' | 'fargate + rest-api' | 'lambda + http-api' | 'lambda + rest-api'
export const variants: readonly Variant[] = ['fargate', 'fargate + http-api', 'fargate + rest-api', 'lambda + http-api', 'lambda + rest-api']

export interface Assumptions {
  /** vCPU time of one request, where it has been measured. */
  readonly cpuMicroseconds?: number
  /** Versions that send metrics, and classes of each. */
  readonly versions: number
  readonly classes: number
}

export interface Bill {
  readonly variant: Variant
  readonly lines: readonly Line[]
  /** USD a month. */
  readonly total: number
  /** USD; absent without traffic. */
  readonly perMillionPredictions?: number
  /** Absent where no task serves. */
  readonly sizing?: Sizing
}

/** What a service of this size costs where the environment has none. */
const usualService: On<EnvironmentConfig['service']> = {
  cpu: 2048, memoryMiB: 4096, minTasks: 2, maxTasks: 30, cpuTargetPercent: 60, requestsPerTargetPerMinute: 120_000, schedule: [], deployment: 'rolling', spot: false,
}

/**
 * One month of one environment, as this variant.
 *
 * @returns lines in the order of a request's way; free tiers, taxes and support are left out
 */
export function billOf (variant: Variant, config: EnvironmentConfig, load: Load, prices: Prices, assumptions: Assumptions): Bill {
  const line = lineMaker(prices)
  const [runner, gateway] = variant.split(' + ') as ['fargate' | 'lambda', ('http-api' | 'rest-api')?]
  const lines: Line[] = []
  let sizing: Sizing | undefined
  if (gateway) lines.push(line(gateway === 'http-api' ? 'API gateway, HTTP API' : 'API gateway, REST API', `${gateway}.million`, requestsPerMonth(load) / 1e6))
  if (runner === 'fargate') {
    const service = config.service === 'off' ? usualService : config.service
    sizing = sizeService(service, load, assumptions.cpuMicroseconds)
    if (gateway) lines.push(line('Link from the gateway into the network', 'vpc-link.hour', hoursPerMonth))
    lines.push(...serviceLines({ config, service, load, sizing, isPublic: !gateway }, line, prices.of['fargate.spot-share'].usd as number))
    lines.push(...networkLines(config, load, line), ...limitLines(config, load, line))
  } else {
    const memoryMiB = config.lambda === 'off' ? mibPerVcpu : config.lambda.memoryMiB
    lines.push(...lambdaLines(config.architecture, memoryMiB, load, line, assumptions.cpuMicroseconds))
  }
  lines.push(...commonLines(config, load, line, gateway !== undefined, assumptions))
  const total = totalOf(lines)
  const predictions = predictionsPerMonth(load)
  return { variant, lines, total, ...(predictions > 0 && { perMillionPredictions: total / predictions * 1e6 }), ...(sizing && { sizing }) }
}

/** What the environment's own configuration is: its service before its function, its gateway before its load balancer. */
export function variantOf (config: EnvironmentConfig): Variant {
  if (config.service === 'off') return 'lambda + http-api'
  return config.gateway === 'off' ? 'fargate' : 'fargate + http-api'
}

/** How tasks reach AWS. */
function networkLines (config: EnvironmentConfig, load: Load, line: LineMaker): Line[] {
  const gb = requestsPerMonth(load) * bytes.logLine / 1e9
  if (config.network.egress === 'nat') {
    return [
      line('NAT gateway', 'nat.hour', hoursPerMonth),
      line('NAT gateway, data', 'nat.gb', gb),
      line('NAT gateway, public address', 'ipv4.hour', hoursPerMonth),
    ]
  }
  return [
    line('Interface endpoints', 'endpoint.hour', resourceCounts(config).interfaceEndpoints * config.network.availabilityZones * hoursPerMonth),
    line('Interface endpoints, data', 'endpoint.gb', gb),
  ]
}

/** The cache that tasks count limits in, and the firewall. */
function limitLines (config: EnvironmentConfig, load: Load, line: LineMaker): Line[] {
  const lines: Line[] = []
  if (config.rateLimit.shared === 'valkey') {
    // A cache is never billed for less than 0.1 GB; a request is one command at most.
    lines.push(line('Valkey, memory', 'valkey.gb-hour', 0.1 * hoursPerMonth), line('Valkey, commands', 'valkey.million', requestsPerMonth(load) / 1e6))
  }
  if (config.waf !== 'off') {
    lines.push(line('Web application firewall', 'waf.acl-month', 1), line('Web application firewall, rules', 'waf.rule-month', resourceCounts(config).wafRules))
  }
  return lines
}

function commonLines (config: EnvironmentConfig, load: Load, line: LineMaker, hasGateway: boolean, { versions, classes }: Assumptions): Line[] {
  const counts = resourceCounts(config)
  const requests = requestsPerMonth(load)
  const logGb = requests * (bytes.logLine + (hasGateway ? bytes.gatewayLogLine : 0)) / 1e9
  const own = customMetrics.perService + customMetrics.overAllVersions + versions * (customMetrics.perVersion + classes * customMetrics.perClass)
  // The cluster's, which ECS sends where a network is.
  const metrics = own + (stacksOf(config).includes('Network') ? assumed.containerInsightsMetrics : 0)
  const months = config.monitoring.logRetentionDays / 30
  return [
    line('Data out to the internet', 'transfer-out.gb', requests * (bytes.response + load.rowsPerRequest * bytes.responseRow) / 1e9),
    line('Logs, taken in', 'logs.gb', logGb),
    line('Logs, kept', 'logs.gb-month', logGb * months * assumed.logCompression),
    line('Metrics', 'metric.month', metrics),
    line('Alarms', 'alarm.month', counts.alarms),
    line('Composite alarms', 'composite-alarm.month', counts.compositeAlarms),
    line('Dashboards', 'dashboard.month', counts.dashboards),
    line('Secrets', 'secret.month', counts.secrets),
    line('Encryption keys', 'kms.key-month', counts.keys),
    line('S3 storage', 's3.gb-month', assumed.storedGb),
    line('Images', 'ecr.gb-month', assumed.imageGb),
  ].filter(({ quantity }) => quantity > 0)
}
