import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf, type Target } from './aws.ts'
import { infraFolder, repositoryFolder } from './paths.ts'
import { Misuse, Refusal } from './program.ts'
import type { Command, Shell } from './shell.ts'

const name = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}'
const reference = new RegExp(`^${name}@${name}$`)

/** Where the environment's services read models from. */
export async function modelStoreOf (shell: Shell, target: Target): Promise<string> {
  return `s3://${await outputOf(shell, target, 'data', 'ModelsBucket', 'MODELS_BUCKET')}/models`
}

/** @throws Misuse unless it is NAME@VERSION */
export function checkReference (model: string): string {
  if (!reference.test(model)) throw new Misuse(`${JSON.stringify(model)} is not a model version: write NAME@VERSION, such as iris@1.0.0`)
  return model
}

/** The models that come with the repository. */
export const ownModels = join(infraFolder, repositoryFolder, 'models')

/**
 * Every version with a model in a repository on disk, as NAME@VERSION.
 *
 * @throws Refusal if there is none
 */
export function versionsIn (folder: string): string[] {
  if (!existsSync(folder)) throw new Refusal(`There is no folder ${folder}.`)
  const versions = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(path => path.split(/[/\\]/))
    .filter(parts => parts.length === 3 && parts[2] === 'model.onnx')
    .map(([model, version]) => `${model}@${version}`)
    .sort()
  if (versions.length === 0) throw new Refusal(`There is no model version in ${folder}: NAME/VERSION/model.onnx is expected.`)
  return versions
}

/** `modelport publish`: a version that is there already, byte for byte, is left alone. */
export function publish ({ config }: Target, model: string, store: string, models: string, alias?: string): Command {
  return [
    'env', `AWS_REGION=${config.region}`, 'node', join(repositoryFolder, 'bin/modelport.js'), 'publish', model, '--to', store, '--models', models,
    ...(alias === undefined ? [] : ['--alias', alias]),
  ]
}

/** Anew, since nothing tells whether what was built is of the present sources; it takes a second. */
export async function buildCommandLine (shell: Shell): Promise<void> {
  await shell.run(['npm', '--prefix', repositoryFolder, 'run', '--silent', 'build'])
}
