import type { EnvironmentConfig } from '../config.ts'
import { stackName } from './environment.ts'
import { Refusal } from './program.ts'
import type { Command, Shell } from './shell.ts'

export interface Target {
  readonly name: string
  readonly config: EnvironmentConfig
}

/** Where `cdk synth` puts what is deployed: each environment its own, so that two can be deployed at once. */
export const assemblyFolder = ({ name }: Target) => `cdk.out/${name}`

export const cdk = (...args: string[]): Command => ['npx', '--no-install', 'cdk', ...args]

export function aws ({ config }: Target, service: string, operation: string, ...args: string[]): Command {
  return ['aws', service, operation, '--region', config.region, ...args]
}

/** @returns the account that the credentials belong to; a reference in a dry run */
export async function signIn (shell: Shell, target: Target): Promise<string> {
  const account = await shell.read('ACCOUNT', aws(target, 'sts', 'get-caller-identity', '--query', 'Account', '--output', 'text'),
    'AWS does not know you: sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE.')
  const { account: expected } = target.config
  if (!shell.isDryRun && expected !== undefined && account !== expected) {
    throw new Refusal(`These are credentials of account ${account}, but ${target.name} belongs to ${expected} (infra/environments.ts): choose another AWS_PROFILE.`)
  }
  return account
}

/** One output of a stack of this environment; CDK puts more around the names of those that a construct has. */
export async function outputOf (shell: Shell, target: Target, stack: string, output: string, variable: string): Promise<string> {
  const value = await shell.read(variable,
    aws(target, 'cloudformation', 'describe-stacks', '--stack-name', stackName(target.name, stack),
      '--query', `Stacks[0].Outputs[?contains(OutputKey, '${output}')].OutputValue | [0]`, '--output', 'text'),
    `There is no stack ${stackName(target.name, stack)} in ${target.config.region}: deploy it with \`npm run deploy -- --environment ${target.name}\`.`)
  if (!shell.isDryRun && (value === '' || value === 'None')) {
    throw new Refusal(`The stack ${stackName(target.name, stack)} has no output ${output}: deploy it again with \`npm run deploy -- --environment ${target.name}\`.`)
  }
  return value
}
