import { aws, cdk, outputOf, type Target } from '../cli/aws.ts'
import { confirm } from '../cli/confirm.ts'
import { environmentFlag, environmentOf, stackName } from '../cli/environment.ts'
import { imageRepository } from '../cli/image.ts'
import { Refusal, verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'
import { stacksOf } from '../cli/stacks.ts'

const help = `
Usage: npm run destroy -- [--environment NAME] [--with-data] [--unprotect] [--dry-run]

Deletes an environment's stacks, after its name has been typed. Buckets, the images and the registry of models stay, with the stack
that holds them, unless --with-data is given: then every object in every version is gone for good.

  --environment NAME  dev, staging or production (default dev)
  --with-data         delete the buckets with all that is in them, and the images
  --unprotect         take termination protection away first (production has it)
  --dry-run           print the commands instead of running them, as a shell script

Example:
  npm run destroy -- --environment dev
`

const options = {
  ...environmentFlag,
  'with-data': { type: 'boolean', default: false },
  unprotect: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
} as const

const buckets = ['RawBucket', 'CleanBucket', 'ModelsBucket', 'PredictionsBucket', 'LogsBucket'] as const

export const verb = verbOf(help, options, async ({ values }, terminal) => {
  const target = environmentOf(values.environment)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  const isProtected = target.name === 'production'
  if (isProtected && !values.unprotect) throw new Refusal('production is protected against deletion: say --unprotect as well, if that is what you mean.')
  const stacks = stacksOf(target.config).filter(stack => values['with-data'] || stack !== 'Data')
  shell.say(`This deletes ${stacks.map(stack => stackName(target.name, stack)).join(', ')} in ${target.config.region}.`)
  shell.say(values['with-data'] ? 'It deletes all data, all models and all predictions too. Nothing brings them back.' : 'Buckets, images and registered models stay.')
  if (!shell.isDryRun) await confirm(terminal, `Type ${target.name} to go on:`, target.name)

  const data = values['with-data'] ? await dataOf(shell, target) : []
  if (isProtected) {
    for (const stack of stacks) await shell.run(aws(target, 'cloudformation', 'update-termination-protection', '--no-enable-termination-protection', '--stack-name', stackName(target.name, stack)))
  }
  await shell.run(cdk('destroy', ...stacks, '--context', `environment=${target.name}`, '--force'))
  for (const bucket of data) await shell.run(['npm', 'run', '--silent', 'empty-bucket', '--', bucket, '--region', target.config.region, '--delete'])
  if (values['with-data']) await shell.run(aws(target, 'ecr', 'delete-repository', '--repository-name', imageRepository(target), '--force'))
})

/** Asked while the stack that knows them is there: it leaves its buckets behind. The one that the others log to comes last. */
async function dataOf (shell: Shell, target: Target): Promise<string[]> {
  const names: string[] = []
  for (const output of buckets) {
    names.push(await outputOf(shell, target, 'data', output, output.replace('Bucket', '').toUpperCase()))
  }
  return names
}
