import type { EnvironmentConfig } from '../config.ts'

/**
 * The image of jobs: the server's, with what reads Parquet and trains. It is built from the same Dockerfile (`--target pipeline`) and has the
 * server's tag with `-pipeline` behind it, unless the configuration names another; a digest cannot be derived, so it must be named then.
 *
 * @throws Error where it is needed and missing
 */
export function pipelineImage ({ imageTag, pipelineImageTag }: Pick<EnvironmentConfig, 'imageTag' | 'pipelineImageTag'>): string {
  if (pipelineImageTag !== undefined) return pipelineImageTag
  if (imageTag.startsWith('sha256:')) throw new Error('imageTag is a digest: name the image of batch and training by pipelineImageTag too, a tag or a digest')
  return `${imageTag}-pipeline`
}
