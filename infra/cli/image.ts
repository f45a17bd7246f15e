import { aws, type Target } from './aws.ts'
import { repositoryFolder } from './paths.ts'
import { Refusal } from './program.ts'
import type { Command, Shell } from './shell.ts'

export const imageRepository = ({ name }: Target) => `modelport-${name}`

/** @param tag a tag or a digest */
export function findImage (target: Target, tag: string, ...args: string[]): Command {
  const id = tag.startsWith('sha256:') ? `imageDigest=${tag}` : `imageTag=${tag}`
  return aws(target, 'ecr', 'describe-images', '--repository-name', imageRepository(target), '--image-ids', id, ...args)
}

/**
 * Builds the image for the environment's architecture and pushes it.
 *
 * @returns its digest; a reference in a dry run
 */
export async function buildAndPush (shell: Shell, target: Target, account: string, tag: string): Promise<string> {
  if (tag.startsWith('sha256:')) throw new Refusal(`${target.name} runs the image ${tag}, which is not in the repository, and no build ends in a given digest: give a name with --tag.`)
  const registry = `${account}.dkr.ecr.${target.config.region}.amazonaws.com`
  const image = `${registry}/${imageRepository(target)}:${tag}`
  await shell.must(['docker', 'info'], 'Docker does not answer: start it, or run `npm run deploy:image` on a machine where it runs.')
  await shell.must(aws(target, 'ecr', 'describe-repositories', '--repository-names', imageRepository(target)),
    `There is no image repository ${imageRepository(target)} yet: \`npm run deploy -- --environment ${target.name}\` makes it, and then builds the image itself.`)
  await shell.pipe(aws(target, 'ecr', 'get-login-password'), ['docker', 'login', '--username', 'AWS', '--password-stdin', registry], 'The image repository refuses the login.')
  // Lambda and ECR's scans take plain images only: no attestations beside it.
  await shell.run(['docker', 'build', '--platform', platforms[target.config.architecture], '--provenance=false', '--tag', image, repositoryFolder])
  await shell.run(['docker', 'push', image])
  return await shell.read('DIGEST', findImage(target, tag, '--query', 'imageDetails[0].imageDigest', '--output', 'text'), 'The image has been pushed, but the repository does not have it.')
}

const platforms = { arm64: 'linux/arm64', x64: 'linux/amd64' } as const
