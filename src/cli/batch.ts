import { parseArgs } from 'node:util'
import { modelStore } from '../artifact/model-store.ts'
import { type InputFile, findInputs } from '../batch/input-files.ts'
import type { JobManifest } from '../batch/job.ts'
import { outputFormats } from '../batch/output-lines.ts'
import { runBatch } from '../batch/run-batch.ts'
import { worthThreads } from '../batch/scorers.ts'
import { cpuCount } from '../engine/cpus.ts'
import { createEngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import type { Model } from '../serving/model.ts'
import { openAnswering } from './answering.ts'
import { batchProgress, count } from './batch-progress.ts'
import { modelsFolder, parseModelArgument } from './model-argument.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const batch: Verb = {
  name: 'batch',
  summary: 'Score files of any size into a folder of parts',
  help: `Usage: modelport batch --model NAME[@VERSION] --input PATTERN --output FOLDER [options]

Answers every row of CSV, NDJSON and Parquet files (.csv, .ndjson, .jsonl, .gz of these, .parquet) with the
numbers that POST /predict gives for it, in parts of equal length: part-00000.csv and so on. Rows that do not
fit the model stand in rejected-00000.ndjson with their file, line and reasons. manifest.json is written last:
where it stands, all is there. Ended at any moment, the same command goes on after the last finished part, and
the bytes are the same. Columns that are neither features nor kept are left out. Parquet needs the optional
package @duckdb/node-api.

  --model NAME[@VERSION]  what answers; without VERSION, what the server would answer with
  --input PATTERN         a file, or several: * and ? within a name, ** for any folders; may be given more than
                          once, and further files may follow it
  --output FOLDER         a new or empty folder, or the same job's
  --format FORMAT         ${outputFormats.join(', ')} (default: csv)
  --gzip                  pack the parts of csv and ndjson
  --keep A,B              columns of the input that go before the answers; a JSON list where names have commas
  --part-rows N           rows of the input for each part (default: 50000)
  --restart               throw away what another job has left in the folder
  --fail-on-rejected      exit 1 when rows were rejected; the parts are there all the same
  --models FOLDER         the model repository (default: MODELS_DIR, else ./models)
  --json                  print {"output", "model", "rows", "predicted", "rejected", "parts"}

Example:
  modelport batch --model churn --input 'customers/*.csv.gz' --output scored --keep customer_id
`,
  run: async (args, terminal) => {
    const flags = readFlags(args)
    const inputs = await findInputs(flags.inputs)
    const model = await prove(flags, terminal)
    const threads = worthThreads(inputs, model.engine.placement, cpuCount())
    const { output, options, restart } = flags
    await score(inputs, flags, terminal, events => runBatch({ inputs, model, threads, output, options, restart }, events))
  },
}

/** Opens the version as the server would, and closes it: each thread opens it for itself. */
async function prove ({ models, model }: Flags, terminal: Terminal): Promise<Model> {
  const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { terminal.err(message) } } })
  try {
    return await openAnswering({ store: modelStore(modelsFolder(models, terminal)), host, wanted: model, configuredDefault: undefined })
  } finally {
    await host.close()
  }
}

type Flags = ReturnType<typeof readFlags>

async function score (inputs: readonly InputFile[], { output, json, failOnRejected }: Flags, terminal: Terminal, run: (events: ReturnType<typeof batchProgress>) => Promise<JobManifest>): Promise<void> {
  const progress = batchProgress(terminal, inputs)
  const manifest = await run(progress).finally(progress.end)
  const { model: { name, version }, rows, predicted, rejected, parts } = manifest
  const outcome = `${count(rejected, 'row')} of ${rows.toLocaleString('en')} rejected: ${output}/rejected-*.ndjson tells why`
  terminal.out(json
    ? JSON.stringify({ output, model: { name, version }, rows, predicted, rejected, parts })
    : `${name} ${version}: ${count(predicted, 'row')} in ${count(parts.length, 'part')} in ${output}${rejected === 0 ? '' : `; ${outcome}`}`)
  if (failOnRejected && rejected > 0) throw new FatalError(outcome)
}

function readFlags (args: readonly string[]) {
  const { values, positionals } = parse(args)
  const { model, input = [], output, format: wanted = 'csv' } = values
  if (model === undefined) throw new UsageError('--model is missing: which model answers')
  if (input.length === 0) throw new UsageError('--input is missing: the files with the rows')
  if (output === undefined || output === '') throw new UsageError('--output is missing: the folder to write into')
  const format = outputFormats.find(known => known === wanted)
  if (format === undefined) throw new UsageError(`--format must be one of ${outputFormats.join(', ')}, not ${JSON.stringify(wanted)}`)
  if (format === 'parquet' && values.gzip === true) throw new UsageError('--gzip is for csv and ndjson: Parquet packs its columns itself')
  return {
    model: parseModelArgument(model),
    // A shell that expands the pattern itself gives the further files here.
    inputs: [...input, ...positionals],
    output,
    options: { format, gzip: values.gzip === true, keep: readKeep(values.keep), partRows: readPartRows(values['part-rows']) },
    restart: values.restart === true,
    failOnRejected: values['fail-on-rejected'] === true,
    models: values.models,
    json: values.json === true,
  }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      input: { type: 'string', multiple: true },
      output: { type: 'string' },
      format: { type: 'string' },
      gzip: { type: 'boolean' },
      keep: { type: 'string' },
      'part-rows': { type: 'string' },
      restart: { type: 'boolean' },
      'fail-on-rejected': { type: 'boolean' },
      models: { type: 'string' },
      json: { type: 'boolean' },
    },
    allowPositionals: true,
  })
}

function readKeep (text: string | undefined): string[] {
  const names = text === undefined ? [] : text.trimStart().startsWith('[') ? readList(text) : text.split(',').map(name => name.trim())
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new UsageError(`--keep: ${JSON.stringify(twice)} is there twice`)
  if (names.includes('')) throw new UsageError('--keep: a column without a name')
  return names
}

function readList (text: string): string[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.every(name => typeof name === 'string')) return list
  } catch {}
  throw new UsageError('--keep must be names with commas between them, or a JSON list of names')
}

const maxPartRows = 1_000_000

function readPartRows (text = '50000'): number {
  const rows = Number(text)
  if (!/^\d+$/.test(text) || rows < 1 || rows > maxPartRows) throw new UsageError(`--part-rows must be a whole number from 1 to ${maxPartRows}, not ${JSON.stringify(text)}`)
  return rows
}
