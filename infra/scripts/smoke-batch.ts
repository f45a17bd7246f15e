import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aws, outputOf } from '../cli/aws.ts'
import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { checkReference, ownModels } from '../cli/models.ts'
import { asCalled } from '../cli/paths.ts'
import { Misuse, numberOf, Refusal, verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'
import { exampleRows } from '../smoke/example-rows.ts'

const help = `
Usage: npm run smoke:batch -- NAME@VERSION [--environment NAME] [--rows N] [--models FOLDER] [--dry-run]

Scores a small file in an environment, from end to end: puts rows into the raw bucket, made of the examples in the model's own manifest,
runs the workflow, waits for it, and looks whether every row has its prediction. Costs a few cents, and takes as long as three tasks
take to start.

  --environment NAME  dev, staging or production (default dev)
  --rows N            rows in the file (default 100)
  --models FOLDER     the model repository on disk that has the manifest (default: ./models)
  --dry-run           print the commands instead of running them

Example:
  npm run smoke:batch -- iris@1.0.0 --environment dev
`

const options = {
  ...environmentFlag,
  rows: { type: 'string', default: '100' },
  models: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const

export const verb = verbOf(help, options, async ({ values, positionals }, terminal) => {
  const [model] = positionals
  if (model === undefined || positionals.length > 1) throw new Misuse('Which version? One NAME@VERSION, such as iris@1.0.0')
  const [name, version] = checkReference(model).split('@') as [string, string]
  const rows = numberOf('rows', values.rows, { least: 1, most: 1e6 })
  const target = environmentOf(values.environment)
  if (target.config.batch === 'off') throw new Refusal(`${target.name} has no batch: infra/environments.ts turns it off.`)
  const manifest = join(values.models === undefined ? ownModels : asCalled(values.models, terminal.env), name, version, 'manifest.json')
  if (!existsSync(manifest)) throw new Refusal(`There is no ${manifest}: say with --models where the version is.`)
  const text = exampleRows(JSON.parse(readFileSync(manifest, 'utf8')) as object, rows)
  const shell = new Shell(terminal, { isDryRun: values['dry-run'] })
  const run = shell.isDryRun ? 'smoke' : `smoke-${new Date().toISOString().replace(/[^0-9]/g, '')}`
  const folder = mkdtempSync(join(tmpdir(), 'modelport-'))
  try {
    const region = ['--region', target.config.region]
    const raw = await outputOf(shell, target, 'Data', 'RawBucket', 'RAW')
    const predictions = await outputOf(shell, target, 'Data', 'PredictionsBucket', 'PREDICTIONS')
    const workflow = await outputOf(shell, target, 'Batch', 'WorkflowArn', 'WORKFLOW')
    const file = join(folder, 'rows.csv')
    writeFileSync(file, text)
    if (shell.isDryRun) shell.say(`${rows} rows as CSV go into a file of their own`)
    const input = `s3://${raw}/batch/${model}/${run}`
    await shell.run(['aws', 's3', 'cp', ...region, shell.isDryRun ? 'rows.csv' : file, `${input}/rows.csv`])
    const execution = await shell.read('EXECUTION', aws(target, 'stepfunctions', 'start-execution', '--state-machine-arn', workflow, '--name', run,
      '--input', `{"model":"${model}","input":"${input}"}`, '--query', 'executionArn', '--output', 'text'), 'The workflow does not start.')
    const state = (query: string) => aws(target, 'stepfunctions', 'describe-execution', '--execution-arn', execution, '--query', query, '--output', 'text')
    await shell.waitWhile('RUNNING', state('status'), 'The workflow cannot be looked at.', { pauseSeconds: 10 })
    const told = await shell.read('MANIFEST', ['aws', 's3', 'cp', ...region, `s3://${predictions}/runs/${run}/manifest.json`, '-'],
      `The run ${run} has left no manifest.json: its execution in Step Functions says why.`)
    if (!shell.isDryRun) shell.say(judge(told, rows))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** @throws Refusal unless every row has its prediction */
function judge (manifest: string, rows: number): string {
  const { complete, predicted, rejected, failed } = JSON.parse(manifest) as { complete: boolean, predicted: number, rejected: number, failed: { part: string, error: string }[] }
  if (!complete) throw new Refusal(`Parts failed: ${failed.map(({ part, error }) => `${part}: ${error}`).join('; ')}`)
  if (predicted !== rows) throw new Refusal(`Of ${rows} rows, ${predicted} have a prediction and ${rejected} were rejected.`)
  return `ok  ${rows} rows, ${predicted} predictions`
}
