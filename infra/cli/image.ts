import type { EnvironmentConfig } from '../config.ts'
import { needsPipelineImage, pipelineImage } from '../constructs/pipeline-image.ts'
import { aws, type Target } from './aws.ts'
import { repositoryFolder } from './paths.ts'
import { Refusal } from './program.ts'
import type { Command, Shell } from './shell.ts'

export interface Image {
  /** What it is for, in words. */
  readonly what: string
  /** A tag or a digest. */
  readonly tag: string
  /** Stage of the Dockerfile; absent: the last one. */
  readonly stage?: string
}

export const imageRepository = ({ name }: Target) => `modelport-${name}`

/** The images that an environment runs. */
export function imagesOf (config: EnvironmentConfig): Image[] {
  return [
    ...(config.service === 'off' ? [] : [{ what: 'the server', tag: config.imageTag }]),
    ...(needsPipelineImage(config) ? [{ what: 'batch and training', tag: pipelineImage(config), stage: 'pipeline' }] : []),
  ]
}

export function findImage (target: Target, tag: string, ...args: string[]): Command {
  const id = tag.startsWith('sha256:') ? `imageDigest=${tag}` : `imageTag=${tag}`
  return aws(target, 'ecr', 'describe-images', '--repository-name', imageRepository(target), '--image-ids', id, ...args)
}

/**
 * Builds images for the environment's architecture and pushes them.
 *
 * @returns their digests; references in a dry run
 */
export async function buildAndPush (shell: Shell, target: Target, account: string, images: readonly Image[]): Promise<string[]> {
  const named = images.find(({ tag }) => tag.startsWith('sha256:'))
  if (named) throw new Refusal(`The image ${named.tag} of ${target.name} cannot be built, since nobody chooses a digest: give a name with --tag, and put the digest that comes out into infra/environments.ts.`)
  const registry = `${account}.dkr.ecr.${target.config.region}.amazonaws.com`
  await shell.must(['docker', 'info'], 'Docker does not answer: start it, or run `npm run deploy:image` on a machine where it runs.')
  await shell.must(aws(target, 'ecr', 'describe-repositories', '--repository-names', imageRepository(target)),
    `There is no image repository ${imageRepository(target)} yet: \`npm run deploy -- --environment ${target.name}\` makes it, and then builds the images itself.`)
  await shell.pipe(aws(target, 'ecr', 'get-login-password'), ['docker', 'login', '--username', 'AWS', '--password-stdin', registry], 'The image repository refuses the login.')
  const digests: string[] = []
  for (const { tag, stage } of images) {
    const image = `${registry}/${imageRepository(target)}:${tag}`
    // Plain images: some who read the repository cannot take attestations beside them.
    await shell.run(['docker', 'build', '--platform', platforms[target.config.architecture], '--provenance=false', ...(stage ? ['--target', stage] : []), '--tag', image, repositoryFolder])
    await shell.run(['docker', 'push', image])
    digests.push(await shell.read(stage ? 'PIPELINE_DIGEST' : 'DIGEST', findImage(target, tag, '--query', 'imageDetails[0].imageDigest', '--output', 'text'),
      `The image ${tag} has been pushed, but the repository does not have it.`))
  }
  return digests
}

const platforms = { arm64: 'linux/arm64', x64: 'linux/amd64' } as const
