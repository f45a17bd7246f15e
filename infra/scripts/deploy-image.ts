import { signIn } from '../cli/aws.ts'
import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { buildAndPush } from '../cli/image.ts'
import { verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'

const help = `
Usage: npm run deploy:image -- [--environment NAME] [--tag TAG] [--dry-run]

Builds the server's image for the environment's architecture, pushes it to its repository and prints the digest. It needs Docker.
Costs some 0.10 USD a GB and month.

  --environment NAME  dev, staging or production (default dev)
  --tag TAG           name of the image (default: imageTag in infra/environments.ts)
  --dry-run           print the commands instead of running them

Example:
  npm run deploy:image -- --environment staging --tag 2026-11-21
`

const options = { ...environmentFlag, tag: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } } as const

export const verb = verbOf(help, options, async ({ values }, terminal) => {
  const target = environmentOf(values.environment)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  const tag = values.tag ?? target.config.imageTag
  const digest = await buildAndPush(shell, target, await signIn(shell, target), tag)
  if (shell.isDryRun) return
  shell.say(digest)
  shell.say(`Tasks that run keep their image. To roll it out: imageTag: '${digest}' for ${target.name} in infra/environments.ts, then \`npm run deploy -- --environment ${target.name}\`.`)
})
