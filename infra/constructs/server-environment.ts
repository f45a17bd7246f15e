import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { EnvironmentConfig } from '../config.ts'

/** Where the model repository is in its bucket. */
export const modelsPrefix = 'models'

/** CloudWatch's namespace of an environment's metrics. */
export const metricsNamespace = (environment: string): string => `modelport/${environment}`

/** Settings that the server has wherever it runs; docs/settings.md says what each means. Secrets are none of them. */
export function serverEnvironment (environment: string, config: EnvironmentConfig): Record<string, string> {
  const { auth, rateLimit } = config
  return {
    NODE_ENV: 'production',
    METRICS_EMF: metricsNamespace(environment),
    RATE_LIMIT_MAX: String(rateLimit.requestsPerMinute),
    RATE_LIMIT_WINDOW: '1 minute',
    ...(auth.kind === 'jwks' && { JWT_JWKS_URL: auth.url, JWT_ISSUER: auth.issuer, JWT_AUDIENCE: auth.audience }),
  }
}

/** Where models come from. `/tmp` is the only place that can be written: it keeps what was read, and serves while S3 does not answer. */
export function modelStore (bucket: IBucket): Record<string, string> {
  return { MODELS_DIR: `s3://${bucket.bucketName}/${modelsPrefix}`, MODELS_CACHE_DIR: '/tmp/models', MODELS_POLL_SECONDS: '60' }
}
