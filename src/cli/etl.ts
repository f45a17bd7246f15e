import { readFile } from 'node:fs/promises'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { FatalError } from '../errors.ts'
import { type CleanRequest, clean, explainClean } from '../etl/clean.ts'
import type { DatabaseOptions } from '../etl/database.ts'
import { type PipelineFile, parsePipelineFile } from '../etl/pipeline-file.ts'
import { type Pipeline, makePipeline } from '../etl/pipeline.ts'
import { type RfmRequest, explainRfm, rfm } from '../etl/rfm.ts'
import { cleanLines, explainLines, rfmLines } from './etl-report.ts'
import { untilSignal } from './etl-signals.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const etl: Verb = {
  name: 'etl',
  summary: 'Clean raw transactions and make features per customer of them',
  help: `Usage: modelport etl clean --input GLOB… --output FILE|FOLDER [options]
       modelport etl rfm --input GLOB… --cutoff DATE… --output FILE [options]

clean reads CSV (also .gz) and Parquet, gives columns their types, drops duplicates, cancelled invoices,
rows with missing values, returns and what else the pipeline file says, and accounts for every row. What is
dropped is kept in a file, as it was, with the reason.
rfm makes one row per customer and cut-off date: recency, frequency, monetary value and more of what was
bought before that day, and whether the customer buys again within the horizon, of what comes after.
docs/etl.md tells what is built in, and how a pipeline file changes it.

  --input GLOB      files to read, such as 'raw/*.csv.gz'; may be given more than once, and several may follow
  --output FILE     .parquet, .csv or .csv.gz; clean also takes a folder, for clean.parquet, rejected.csv
                    and report.json
  --config FILE     a pipeline file, YAML or JSON: other columns, other steps
  --rejected FILE   clean: what is dropped (default: beside the output, NAME.rejected.csv)
  --report FILE     clean: the account, as JSON
  --cutoff DATE     rfm: a day such as 2011-09-01, at its start; may be given more than once
  --horizon-days N  rfm: days after the cut-off in which a purchase counts (default: 90)
  --memory SIZE     what DuckDB may hold before it goes to disk, such as 2GB (default: 600MB)
  --explain         print each step's SQL and run none
  --json            print the account as JSON

Needs DuckDB, an optional dependency (@duckdb/node-api). TMPDIR says where it goes to disk.

Example:
  modelport etl clean --input 'raw/*.csv' --output clean.parquet
  modelport etl rfm --input clean.parquet --cutoff 2011-09-01 --output customers.csv
`,
  run: async ([command, ...args], terminal) => {
    if (command === 'clean') await runClean(args, terminal)
    else if (command === 'rfm') await runRfm(args, terminal)
    else throw new UsageError(command === undefined ? 'say which: clean or rfm' : `there is no etl command "${command}"; there are clean, rfm`)
  },
}

const shared = {
  input: { type: 'string', multiple: true },
  output: { type: 'string' },
  config: { type: 'string' },
  memory: { type: 'string' },
  explain: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

async function runClean (args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parse(args, { ...shared, rejected: { type: 'string' }, report: { type: 'string' } })
  const { pipeline, ...common } = await readCommon(values, positionals, terminal)
  const request: CleanRequest = { ...common, pipeline, rejected: values.rejected, report: values.report }
  if (values.explain === true) return print(explainLines(await explainClean(request)), terminal)
  const report = await untilSignal(signal => clean({ ...request, database: { ...request.database, signal } }))
  print(values.json === true ? [JSON.stringify(report)] : cleanLines(report), terminal)
}

async function runRfm (args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parse(args, { ...shared, cutoff: { type: 'string', multiple: true }, 'horizon-days': { type: 'string' } })
  if (values.cutoff === undefined) throw new UsageError('--cutoff is missing: the day at whose start the features stop')
  const cutoffs = values.cutoff.map(readDate)
  const told = readDays(values['horizon-days'])
  const { pipeline, ...common } = await readCommon(values, positionals, terminal)
  const request: RfmRequest = { ...common, pipeline, cutoffs, horizonDays: told ?? pipeline.rfm.horizonDays }
  if (values.explain === true) return print(explainLines(await explainRfm(request)), terminal)
  const report = await untilSignal(signal => rfm({ ...request, database: { ...request.database, signal } }))
  print(values.json === true ? [JSON.stringify(report)] : rfmLines(report), terminal)
}

function parse<Options extends NonNullable<ParseArgsConfig['options']>> (args: readonly string[], options: Options) {
  return parseArgs({ args: [...args], options, allowPositionals: true })
}

interface Shared { input?: string[], output?: string, config?: string, memory?: string, json?: boolean }

interface Common { inputs: readonly string[], output: string, pipeline: Pipeline, database: DatabaseOptions }

/** What a shell has made of a glob follows the flag as arguments of their own. */
async function readCommon ({ input, output, config, memory = '600MB' }: Shared, positionals: readonly string[], { err }: Terminal): Promise<Common> {
  if (input === undefined) throw new UsageError('--input is missing: files to read')
  if (output === undefined) throw new UsageError('--output is missing: where to write')
  if (!/^\d+(\.\d+)?\s*[KMGT]i?B$/i.test(memory)) throw new UsageError(`--memory must be a size such as 600MB or 2GB, not ${JSON.stringify(memory)}`)
  return {
    inputs: [...input, ...positionals],
    output,
    pipeline: await readPipeline(config),
    database: { memory, onStatement: (name, tookMs) => { if (tookMs > 1000) err(`${name}: ${(tookMs / 1000).toFixed(1)} s`) } },
  }
}

async function readPipeline (config: string | undefined): Promise<Pipeline> {
  if (config === undefined) return makePipeline({} satisfies PipelineFile, 'built in')
  const text = await readFile(config, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new FatalError(`${config} cannot be read: ${error.code}`)
  })
  return makePipeline(parsePipelineFile(text, config), config)
}

function readDate (text: string): string {
  const date = new Date(`${text}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) {
    throw new UsageError(`--cutoff must be a day such as 2011-09-01, not ${JSON.stringify(text)}`)
  }
  return text
}

function readDays (text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const days = Number(text)
  if (!/^\d+$/.test(text) || days < 1 || days > 36_500) throw new UsageError(`--horizon-days must be a whole number from 1 to 36500, not ${JSON.stringify(text)}`)
  return days
}

function print (lines: readonly string[], { out }: Terminal): void {
  for (const line of lines) out(line)
}
