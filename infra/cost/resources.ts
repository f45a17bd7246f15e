import { type EnvironmentConfig, runsTasks } from '../config.ts'

/** Resources that cost money by being there. A test counts them in the synthesised templates. */
export interface ResourceCounts {
  readonly interfaceEndpoints: number
  readonly wafRules: number
  readonly secrets: number
  readonly keys: number
  readonly alarms: number
  readonly compositeAlarms: number
  readonly dashboards: number
}

export function resourceCounts (config: EnvironmentConfig): ResourceCounts {
  const { network, auth, rateLimit, service, lambda, batch, training, waf } = config
  const count = (is: boolean, many = 1) => is ? many : 0
  const hasService = service !== 'off'
  const hasLambda = lambda !== 'off'
  const hasJwtSecret = auth.kind === 'secret'
  const hasCache = rateLimit.shared === 'valkey'
  return {
    interfaceEndpoints: count(runsTasks(config) && network.egress === 'endpoints', 3 + count(hasJwtSecret || hasCache)),
    wafRules: count(hasService && waf !== 'off', 3),
    // A cache has a password, and an address with it.
    secrets: count(hasJwtSecret) + count(hasCache && hasService, 2),
    // Of the topic of alarms; of a function's settings, where a secret is among them.
    keys: 1 + count(hasLambda && hasJwtSecret),
    alarms: count(hasService, 3) + count(hasService || hasLambda, 6) + count(batch !== 'off', 3) + count(training !== 'off', 5),
    compositeAlarms: count(hasService),
    dashboards: 1,
  }
}

/**
 * Metrics that the server sends to CloudWatch (src/monitor/emf-metrics.ts): some without dimensions, the rest per version, once
 * more over all versions, and one per class.
 */
export const customMetrics = { perService: 7, overAllVersions: 25, perVersion: 25, perClass: 1 } as const
