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
  return {
    interfaceEndpoints: config.network.egress === 'endpoints' ? 6 : 0,
    wafRules: 4,
    secrets: config.auth.kind === 'secret' ? 1 : 0,
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
