import { cdk } from '../cli/aws.ts'
import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { packageLambda } from '../cli/package.ts'
import { verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'

const help = `
Usage: npm run diff -- [--environment NAME] [--dry-run]

What \`npm run deploy\` would change in the account, resource by resource. It changes nothing.

  --environment NAME  dev, staging or production (default dev)
  --dry-run           print the commands instead of running them

Example:
  npm run diff -- --environment production
`

const options = { ...environmentFlag, 'dry-run': { type: 'boolean', default: false } } as const

export const verb = verbOf(help, options, async ({ values }, terminal) => {
  const target = environmentOf(values.environment)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  await packageLambda(shell, target)
  await shell.run(cdk('diff', '--all', '--context', `environment=${target.name}`))
})
