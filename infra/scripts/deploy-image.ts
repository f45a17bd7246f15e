import { signIn } from '../cli/aws.ts'
import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { buildAndPush, imagesOf } from '../cli/image.ts'
import { Misuse, verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'

const help = `
Usage: npm run deploy:image -- [--environment NAME] [--tag TAG] [--dry-run]

Builds the image of the server, and that of batch and training where the environment has them, for the environment's architecture,
pushes them to its repository and prints the digests. It needs Docker. Stored images cost some 0.10 USD a GB and month.

  --environment NAME  dev, staging or production (default dev)
  --tag TAG           name of the image; the other has -pipeline behind it (default: imageTag in infra/environments.ts)
  --dry-run           print the commands instead of running them

Example:
  npm run deploy:image -- --environment staging --tag 2026-11-21
`

const options = { ...environmentFlag, tag: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } } as const

export const verb = verbOf(help, options, async ({ values }, terminal) => {
  if (values.tag !== undefined && !/^\w[\w.-]{0,118}$/.test(values.tag)) throw new Misuse(`--tag must be a name such as 1.4.0, at most 119 letters, digits and . _ -, not ${JSON.stringify(values.tag)}`)
  const target = environmentOf(values.environment)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  const { imageTag, pipelineImageTag, ...config } = target.config
  const images = imagesOf(values.tag === undefined ? target.config : { ...config, imageTag: values.tag })
  const digests = await buildAndPush(shell, target, await signIn(shell, target), images)
  if (shell.isDryRun) return
  images.forEach(({ what }, index) => { shell.say(`${digests[index]!}  ${what}`) })
  const settings = images.map(({ stage }, index) => `${stage ? 'pipelineImageTag' : 'imageTag'}: '${digests[index]!}'`).join(', ')
  shell.say(`Tasks that run keep their image. To roll it out: ${settings} for ${target.name} in infra/environments.ts, then \`npm run deploy -- --environment ${target.name}\`.`)
})
