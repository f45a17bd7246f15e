import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { assemblyFolder, aws, cdk, signIn, type Target } from '../cli/aws.ts'
import { confirm } from '../cli/confirm.ts'
import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { buildAndPush, findImage, imagesOf } from '../cli/image.ts'
import { buildCommandLine, modelStoreOf, ownModels, publish, versionsIn } from '../cli/models.ts'
import { packageLambda } from '../cli/package.ts'
import { asCalled } from '../cli/paths.ts'
import { verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'
import { restBill } from '../cost/rest.ts'

const help = `
Usage: npm run deploy -- [--environment NAME] [--yes] [--dry-run]

Brings an environment to the state that infra/environments.ts describes: checks the credentials and that the account is prepared for
CDK, deploys the stack that keeps data, builds and pushes the images if there are none, uploads the models of this repository if the
bucket has none, then deploys everything else. Run again, it does only what is left to do. It says what that costs, and asks.

  --environment NAME  dev, staging or production (default dev)
  --models FOLDER     the model repository that a new environment starts with (default: ./models)
  --yes               do not ask: neither about money nor about permissions
  --dry-run           print the commands instead of running them, as a shell script

Example:
  npm run deploy -- --environment dev --dry-run
`

const options = {
  ...environmentFlag,
  models: { type: 'string' },
  yes: { type: 'boolean', short: 'y', default: false },
  'dry-run': { type: 'boolean', default: false },
} as const

export const verb = verbOf(help, options, async ({ values }, terminal) => {
  const target = environmentOf(values.environment)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  shell.say(restBill(target.name, target.config))
  if (!values.yes && !shell.isDryRun) await confirm(terminal, `Deploy ${target.name} to ${target.config.region}? (yes or no)`, 'yes')

  const account = await signIn(shell, target)
  await shell.must(aws(target, 'ssm', 'get-parameter', '--name', '/cdk-bootstrap/hnb659fds/version'),
    `The account is not prepared for CDK in ${target.config.region}. Once: cd infra && npx cdk bootstrap aws://${account}/${target.config.region}`)
  await packageLambda(shell, target)
  // Strict: a warning, such as that of a function without its package, is not deployed.
  await shell.run(cdk('synth', '--strict', '--quiet', '--context', `environment=${target.name}`, '--output', assemblyFolder(target)))

  const deploy = (...stacks: string[]) => shell.run(cdk('deploy', ...stacks, '--app', assemblyFolder(target), '--require-approval', values.yes ? 'never' : 'broadening'))
  await deploy('Data')
  for (const image of imagesOf(target.config)) {
    if (image.tag.startsWith('sha256:')) await shell.must(findImage(target, image.tag), `The repository has no image ${image.tag}: push one with \`npm run deploy:image -- --tag NAME\` and put its digest into infra/environments.ts.`)
    else await shell.unless(findImage(target, image.tag), async () => { await buildAndPush(shell, target, account, [image]) })
  }
  await uploadFirstModels(shell, target, values.models === undefined ? ownModels : asCalled(values.models, terminal.env))
  await deploy('--all')
  if (!shell.isDryRun) shell.say('Deployed. The address is among the outputs above: `npm run smoke -- https://…` tries it.')
})

/** Before the service: without a model no task becomes ready, and the deployment would be rolled back. */
async function uploadFirstModels (shell: Shell, target: Target, models: string): Promise<void> {
  const store = await modelStoreOf(shell, target)
  await shell.unless(['aws', 's3', 'ls', '--region', target.config.region, `${store}/`], async () => {
    await buildCommandLine(shell)
    for (const version of versionsIn(models)) await shell.run(publish(target, version, store, models))
    // Which model /predict means.
    const index = join(models, 'repository.json')
    if (existsSync(index)) await shell.run(['aws', 's3', 'cp', '--region', target.config.region, index, `${store}/repository.json`])
  })
}
