import type { EnvironmentConfig } from './config.ts'
import { memoryAllowed } from './constructs/fargate-sizes.ts'
import { needsPipelineImage } from './constructs/pipeline-image.ts'

/** What each part allows and all together cannot be: where it stands, what is wrong, and what to do. */
export function contradictions (config: EnvironmentConfig): string[] {
  return [...images(config), ...sizes(config), ...counts(config), ...waysIn(config), ...waysOut(config)]
}

function images (config: EnvironmentConfig): string[] {
  const { imageTag, pipelineImageTag } = config
  if (!imageTag.startsWith('sha256:') || pipelineImageTag !== undefined || !needsPipelineImage(config)) return []
  return ['/pipelineImageTag: is missing: imageTag is a digest, and that of the image of batch and training does not follow from it: `npm run deploy:image` prints both']
}

function sizes ({ service, training }: EnvironmentConfig): string[] {
  return Object.entries({ service, training }).flatMap(([name, part]) => {
    if (part === 'off') return []
    const allowed = memoryAllowed(part.cpu)
    return allowed.includes(part.memoryMiB) ? [] : [`/${name}/memoryMiB: Fargate has no tasks of ${part.cpu} CPU units with ${part.memoryMiB} MiB: choose one of ${allowed.join(', ')}`]
  })
}

function counts ({ service }: EnvironmentConfig): string[] {
  if (service === 'off') return []
  const limits = [['/service', service] as const, ...service.schedule.map((limit, index) => [`/service/schedule/${index}`, limit] as const)]
  return limits.filter(([, limit]) => limit.minTasks > limit.maxTasks).map(([path, limit]) => `${path}/minTasks: must be at most maxTasks, which is ${limit.maxTasks}`)
}

function waysIn ({ service, gateway, waf }: EnvironmentConfig): string[] {
  const faults = []
  if (gateway !== 'off' && service === 'off') faults.push('/gateway: leads to the service, which is off: set it to "off" too (the function of "lambda" has a way in of its own)')
  if (gateway !== 'off' && service !== 'off' && service.certificateArn !== undefined) {
    faults.push('/service/certificateArn: makes the load balancer public, and the gateway needs a private one: leave the certificate out, or set gateway to "off"')
  }
  if (waf !== 'off' && service === 'off') faults.push('/waf: stands before the service\'s load balancer, and there is none: set it to "off" (AWS WAF cannot be attached to an HTTP API)')
  return faults
}

function waysOut ({ service, auth, network, rateLimit }: EnvironmentConfig): string[] {
  const faults = []
  if (service !== 'off' && auth.kind === 'jwks' && network.egress === 'endpoints') {
    faults.push('/network/egress: with "endpoints" tasks cannot reach the internet, where auth.url is: set it to "nat", or auth to { kind: "secret" }')
  }
  if (rateLimit.shared === 'valkey' && service === 'off') faults.push('/rateLimit/shared: the cache is for the tasks of the service, which is off: set it to "no"')
  return faults
}
