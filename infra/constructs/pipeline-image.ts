import type { EnvironmentConfig } from '../config.ts'

/**
 * The image of jobs: the server's, with what reads Parquet and trains. It is built from the same Dockerfile (`--target pipeline`) and has the
 * server's tag with `-pipeline` behind it, unless the configuration names another, as it must beside a digest.
 */
export function pipelineImage ({ imageTag, pipelineImageTag }: Pick<EnvironmentConfig, 'imageTag' | 'pipelineImageTag'>): string {
  return pipelineImageTag ?? `${imageTag}-pipeline`
}

/** Whether any task of the environment runs it. */
export function needsPipelineImage ({ batch, training }: Pick<EnvironmentConfig, 'batch' | 'training'>): boolean {
  return training !== 'off' || (batch !== 'off' && batch.runner === 'fargate')
}
