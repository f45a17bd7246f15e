import type { EnvironmentConfig, On } from '../config.ts'
import type { Line, LineMaker } from './lines.ts'
import { hoursPerMonth, type Load, requestsPerMonth } from './load.ts'
import { assumed, bytes } from './measured.ts'
import type { Sizing } from './sizing.ts'

export interface ServiceInput {
  readonly config: EnvironmentConfig
  readonly service: On<EnvironmentConfig['service']>
  readonly load: Load
  readonly sizing: Sizing
  readonly isPublic: boolean
}

/** The load balancer and the tasks behind it. */
export function serviceLines (input: ServiceInput, line: LineMaker, spotShare: number): Line[] {
  const { config, service, load, sizing, isPublic } = input
  const taskHours = sizing.tasks * load.hours + service.minTasks * (hoursPerMonth - load.hours)
  const share = service.spot ? spotShare : 1
  const spot = service.spot ? ', Spot' : ''
  const lines = [
    line(`Fargate vCPU${spot}`, `fargate.${config.architecture}.vcpu-hour`, taskHours * service.cpu / 1024, share),
    line(`Fargate memory${spot}`, `fargate.${config.architecture}.gb-hour`, taskHours * service.memoryMiB / 1024, share),
    line('Load balancer', 'alb.hour', hoursPerMonth),
    line('Load balancer, capacity units', 'alb.lcu-hour', capacityUnits(load) * load.hours),
  ]
  // Each process of a task looks for itself, and a task has one for each vCPU.
  lines.push(line('S3, looks for new versions', 's3.thousand-lists', taskHours * Math.max(1, Math.floor(service.cpu / 1024)) * 3600 / assumed.pollSeconds / 1000))
  if (isPublic) lines.push(line('Public addresses of the load balancer', 'ipv4.hour', config.network.availabilityZones * hoursPerMonth))
  if (config.waf !== 'off') lines.push(line('Web application firewall, requests', 'waf.million', requestsPerMonth(load) / 1e6))
  return lines
}

/** The largest of its dimensions is what counts; the first ten rules are free, and there are fewer. */
function capacityUnits ({ requestsPerSecond, rowsPerRequest }: Load): number {
  const newConnectionsPerSecond = requestsPerSecond / assumed.requestsPerConnection
  const bytesPerRequest = bytes.request + bytes.response + rowsPerRequest * (bytes.requestRow + bytes.responseRow)
  return Math.max(
    newConnectionsPerSecond / 25,
    newConnectionsPerSecond * assumed.connectionSeconds / 3000,
    requestsPerSecond * 3600 * bytesPerRequest / 1e9
  )
}
