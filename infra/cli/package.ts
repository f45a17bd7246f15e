import type { Target } from './aws.ts'
import { repositoryFolder } from './paths.ts'
import type { Shell } from './shell.ts'

/** The folder that functions are deployed from; anew each time, since nothing tells whether it is up to date. */
export async function packageLambda (shell: Shell, { config }: Target): Promise<void> {
  const { lambda, batch } = config
  if (lambda === 'off' && (batch === 'off' || batch.runner !== 'lambda')) return
  const models = lambda !== 'off' && lambda.models === 'package' ? [] : ['--without-models']
  await shell.run(['npm', '--prefix', repositoryFolder, 'run', '--silent', 'package:lambda', '--', '--arch', config.architecture, ...models])
}
