import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { buildCommandLine, checkReference, modelStoreOf, ownModels, publish } from '../cli/models.ts'
import { asCalled } from '../cli/paths.ts'
import { Misuse, verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'

const help = `
Usage: npm run upload-model -- NAME@VERSION … [--environment NAME] [--alias ALIAS] [--models FOLDER] [--dry-run]

Publishes versions of a model repository on disk to the environment's bucket: \`modelport publish\`, which proves them first and writes
the manifest last, so that no server ever sees half. A version that is there already is left alone. Servers find it by themselves.

  --environment NAME  dev, staging or production (default dev)
  --alias ALIAS       then let this alias name it, such as production; it is refused where the version scores worse
  --models FOLDER     the model repository (default: ./models)
  --dry-run           print the commands instead of running them

Example:
  npm run upload-model -- iris@1.0.0 --environment staging
`

const options = { ...environmentFlag, models: { type: 'string' }, alias: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } } as const

export const verb = verbOf(help, options, async ({ values, positionals }, terminal) => {
  if (positionals.length === 0) throw new Misuse('Which version? NAME@VERSION, such as iris@1.0.0')
  const versions = positionals.map(checkReference)
  const target = environmentOf(values.environment)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  await buildCommandLine(shell)
  const models = values.models === undefined ? ownModels : asCalled(values.models, terminal.env)
  const store = await modelStoreOf(shell, target)
  for (const version of versions) await shell.run(publish(target, version, store, models, values.alias))
})
