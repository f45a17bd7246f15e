import type { EnvironmentConfig } from '../config.ts'

/** Resources that cost money by being there. A test counts them in the synthesised templates. */
export interface ResourceCounts {
  readonly interfaceEndpoints: number
  readonly wafRules: number
  readonly secrets: number
  readonly keys: number
  readonly alarms: number
  readonly dashboards: number
}

export function resourceCounts (config: EnvironmentConfig): ResourceCounts {
  const hasJwtSecret = config.auth.kind === 'secret'
  const hasCache = config.rateLimit.shared === 'valkey'
  return {
    interfaceEndpoints: config.network.egress === 'endpoints' ? 3 + (hasJwtSecret || hasCache ? 1 : 0) : 0,
    wafRules: 3,
    // A cache has a password, and an address with it.
    secrets: (hasJwtSecret ? 1 : 0) + (hasCache && config.service !== 'off' ? 2 : 0),
    keys: 0,
    alarms: 12,
    dashboards: 1,
  }
}

/**
 * Metrics that the server sends to CloudWatch (src/monitor/emf-metrics.ts): some without dimensions, the rest per version, once
 * more over all versions, and one per class.
 */
export const customMetrics = { perService: 7, overAllVersions: 25, perVersion: 25, perClass: 1 } as const
