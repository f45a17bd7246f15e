import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { modelStore } from '../artifact/model-store.ts'
import type { JobManifest } from '../batch/job.ts'
import { createEngineHost } from '../engine/engine.ts'
import { mergeBatch } from '../jobs/batch-merge.ts'
import { scorePart } from '../jobs/batch-part.ts'
import { planBatch } from '../jobs/batch-plan.ts'
import { openPlace } from '../jobs/open-place.ts'
import { addressOf } from '../jobs/place.ts'
import { type Plan, manifestKey, readPlan } from '../jobs/run-files.ts'
import type { Model } from '../serving/model.ts'
import { openAnswering } from './answering.ts'
import { batch } from './batch.ts'
import { count } from './batch-progress.ts'
import { needed, parseJob, placeOf, readOptions, readSize, withWorkFolder } from './job-flags.ts'
import { modelsFolder, parseModelArgument } from './model-argument.ts'
import type { Terminal } from './verb.ts'

const runPlace = 'where this run writes'

export async function runBatchPlan (args: readonly string[], terminal: Terminal): Promise<void> {
  const flags = parseJob(args, ['model', 'input', 'run', 'format', 'keep', 'part-rows', 'part-size', 'models'])
  const wanted = parseModelArgument(needed(flags, 'model', 'which model answers'))
  const [options, partBytes] = [readOptions(flags), readSize('part-size', flags['part-size'] ?? '64MB')]
  const [input, run] = [await placeOf(flags, 'input', 'the folder of files with the rows'), await placeOf(flags, 'run', runPlace)]
  const plan = await withModel(modelsFolder(flags.models, terminal), wanted, terminal, async model => await planBatch({ input, run, model, options, partBytes }))
  for (const key of plan.ignored) terminal.err(`notice: ${key} is left out: its name does not tell that rows are in it`)
  const { model: { name, version }, parts, ignored } = plan
  const files = parts.reduce((sum, part) => sum + part.files.length, 0)
  terminal.out(flags.json
    ? JSON.stringify({ run: run.address, model: { name, version }, parts: parts.length, files, ignored: ignored.length })
    : `${name} ${version}: ${count(files, 'file')} in ${count(parts.length, 'part')} for ${run.address}`)
}

export async function runBatchPart (args: readonly string[], terminal: Terminal): Promise<void> {
  const flags = parseJob(args, ['run', 'part', 'models'])
  const run = await placeOf(flags, 'run', runPlace)
  const part = needed(flags, 'part', 'which of the parts in items.json')
  const plan = await readPlan(run)
  const [input, models] = [await openPlace(plan.input), modelsFolder(flags.models, terminal)]
  const score = async (inputs: readonly string[], output: string): Promise<JobManifest> => {
    await batch.run(batchFlags(plan, inputs, output, models), { ...terminal, out: terminal.err })
    return JSON.parse(await readFile(join(output, 'manifest.json'), 'utf8')) as JobManifest
  }
  const { rows, predicted, rejected } = await withWorkFolder(async work => await scorePart({ plan, part, input, run, work, score }))
  terminal.out(flags.json ? JSON.stringify({ run: run.address, part, rows, predicted, rejected }) : `part ${part}: ${count(rows, 'row')}, ${rejected} rejected`)
}

/** A part is what a person would type for its files: the same numbers, the same bytes. */
function batchFlags ({ model: { name, version }, options: { format, keep, partRows } }: Plan, inputs: readonly string[], output: string, models: string): string[] {
  return [
    '--model', `${name}@${version}`, ...inputs.flatMap(path => ['--input', path]), '--output', output, '--format', format, '--part-rows', String(partRows),
    ...keep.length > 0 ? ['--keep', JSON.stringify(keep)] : [], '--models', models,
  ]
}

export async function runBatchMerge (args: readonly string[], terminal: Terminal): Promise<void> {
  const flags = parseJob(args, ['run'])
  const run = await placeOf(flags, 'run', runPlace)
  const { model: { name, version }, complete, rows, predicted, rejected, parts, failed } = await mergeBatch(run, await readPlan(run))
  for (const { part, inputs, error } of failed) terminal.err(`part ${part} failed (${inputs.join(', ')}): ${error}`)
  terminal.out(flags.json
    ? JSON.stringify({ run: run.address, model: { name, version }, complete, rows, predicted, rejected, parts: parts.length, failed: failed.length })
    : `${name} ${version}: ${count(predicted, 'row')} predicted, ${rejected} rejected, ${count(failed.length, 'part')} failed: ${addressOf(run, manifestKey)}`)
}

async function withModel<T> (models: string, wanted: ReturnType<typeof parseModelArgument>, { err }: Terminal, work: (model: Model) => Promise<T>): Promise<T> {
  const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { err(message) } } })
  try {
    return await work(await openAnswering({ store: modelStore(models), host, wanted, configuredDefault: undefined }))
  } finally {
    await host.close()
  }
}
