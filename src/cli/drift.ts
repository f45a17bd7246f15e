import { parseArgs } from 'node:util'
import { modelStore } from '../artifact/model-store.ts'
import { expandGlob } from '../batch/glob.ts'
import { createEngineHost } from '../engine/engine.ts'
import { ApiError, FatalError } from '../errors.ts'
import { DataDrift } from '../monitor/data-drift.ts'
import { Inference } from '../serving/inference.ts'
import type { Model } from '../serving/model.ts'
import { Registry } from '../serving/registry.ts'
import type { Tabular } from '../serving/tabular.ts'
import { openAnswering } from './answering.ts'
import { type DriftResult, aboveText, driftJson, driftLines, driftedAbove } from './drift-report.ts'
import { type DataRow, dataRows } from './drift-rows.ts'
import { modelsFolder, parseModelArgument } from './model-argument.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const drift: Verb = {
  name: 'drift',
  summary: 'Tell how far data is from what a version was trained on',
  help: `Usage: modelport drift NAME[@VERSION] --data FILE… [--fail-above X] [--models FOLDER] [--json]

Runs the version over the rows of the files and compares each feature and the predictions with the
histograms of the training data (baseline.json), by the tests that the server's metrics use: psi of
everything, ks of numbers, js of categories and classes; docs/metrics.md tells how to read them. Columns
that are no feature are left out; rows that do not fit the model are counted, and are in nothing else.

  --data FILE      CSV with a header row or NDJSON, plain or gzip, or a pattern such as 'march/*.csv'; may be
                   given more than once, and further files may follow it
  --fail-above X   exit 1 when the PSI of a feature or of the predictions is above X, such as 0.2
  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)
  --json           print {"name", "version", "data", "baseline", "features": [{"name", "missingRatio",
                   "baselineMissingRatio", "psi", "ks", "js"}], "prediction", "failAbove", "above"}

Example:
  modelport drift churn --data 'customers/2026-11-*.csv' --fail-above 0.2
`,
  run: async (args, terminal) => {
    const { wanted, patterns, failAbove, models, json } = readFlags(args)
    const files = await findFiles(patterns)
    const store = modelStore(modelsFolder(models, terminal))
    const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { terminal.err(message) } } })
    try {
      const model = await openAnswering({ store, host, wanted, configuredDefault: undefined })
      const result = await compare(model, new Registry(store, host, silent), files, terminal)
      const above = failAbove === undefined ? [] : driftedAbove(result, failAbove)
      if (json) terminal.out(JSON.stringify(driftJson(result, failAbove, above)))
      else driftLines(result).forEach(terminal.out)
      if (failAbove !== undefined && above.length > 0) throw new FatalError(aboveText(above, failAbove))
    } finally {
      await host.close()
    }
  },
}

const silent = { loaded: () => {}, failed: () => {}, ignored: () => {} }
/** Rows that go into the model at once. */
const chunkRows = 4096
/** The server tells nothing of fewer. */
const enoughRows = 200
/** Of rows that do not fit, a person wants to see what is wrong, not all. */
const maxTold = 5

/** @throws FatalError when there is nothing to compare */
async function compare (model: Model, registry: Registry, files: readonly string[], terminal: Terminal): Promise<DriftResult> {
  const { manifest: { name, version }, artifact: { baseline }, tabular } = model
  if (tabular === undefined) throw new FatalError(`${name} ${version} takes raw tensors: it has no features to compare`)
  if (baseline === undefined) throw new FatalError(`${name} ${version} has no baseline.json: nothing is known of the data that it was trained on`)
  const counted = new DataDrift(model.manifest, baseline)
  const inference = new Inference({ registry, maxRows: chunkRows, timeoutMs: Infinity, onPrediction: ({ rows, predictions }) => { counted.add(rows, predictions) } })
  const rejected = await runAll(model, tabular, inference, files, terminal)
  const report = counted.report(1)
  if (report.rows === 0) throw new FatalError(rejected === 0 ? `there are no rows in ${files.join(', ')}` : `none of the ${rejected} rows fits ${name} ${version}`)
  if (rejected > 0) terminal.err(`warning: ${rejected.toLocaleString('en')} of ${(report.rows + rejected).toLocaleString('en')} rows do not fit the model and are left out`)
  if (report.rows < enoughRows) terminal.err(`warning: ${report.rows} rows say more about chance than about drift; ${enoughRows} are enough for a look`)
  return { ...report, name, version, files, rejected, baselineRows: baseline.rows }
}

/** @returns how many rows do not fit the model */
async function runAll (model: Model, { reader }: Tabular, inference: Inference, files: readonly string[], terminal: Terminal): Promise<number> {
  let [rejected, read] = [0, 0]
  const reject = (file: string, { line }: DataRow, why: string): void => {
    if (++rejected <= maxTold) terminal.err(`${file}, line ${line}: ${why}`)
  }
  for (const file of files) {
    let waiting: DataRow[] = []
    const run = async (): Promise<void> => {
      await predictRows(model, inference, waiting, (row, why) => { reject(file, row, why) })
      read += waiting.length
      waiting = []
      showProgress(terminal, read)
    }
    for await (const row of dataRows(file, reader.features, text => { terminal.err(`note: ${text}`) })) {
      if (row.fault === undefined) waiting.push(row)
      else reject(file, row, row.fault)
      if (waiting.length === chunkRows) await run()
    }
    await run()
  }
  showProgress(terminal, undefined)
  return rejected
}

async function predictRows (model: Model, inference: Inference, rows: readonly DataRow[], reject: (row: DataRow, why: string) => void): Promise<void> {
  if (rows.length === 0) return
  try {
    const { predictions } = await inference.predict(model, { type: 'rows', rows: rows.map(({ row }) => row), pointer: () => '' }, { partial: true })
    predictions.forEach((answer, i) => {
      if ('errors' in answer) reject(rows[i]!, answer.errors.map(({ path, message }) => `${path.slice(1)} ${message}`.trim()).join('; '))
    })
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'UNRUNNABLE_VALUES') throw error
    // One row's values fail the run of all.
    if (rows.length === 1) return reject(rows[0]!, error.message)
    const half = rows.length >> 1
    await predictRows(model, inference, rows.slice(0, half), reject)
    await predictRows(model, inference, rows.slice(half), reject)
  }
}

/** One line that changes, where a person looks on; undefined takes it away. */
function showProgress ({ in: input }: Terminal, rows: number | undefined): void {
  const screen = input?.questions as NodeJS.WritableStream & { isTTY?: boolean } | undefined
  if (screen?.isTTY === true) screen.write(`\r\x1B[K${rows === undefined ? '' : `${rows.toLocaleString('en')} rows`}`)
}

/** @throws FatalError for a pattern that names nothing */
async function findFiles (patterns: readonly string[]): Promise<string[]> {
  const files = new Set<string>()
  for (const pattern of patterns) {
    const found = await expandGlob(pattern)
    if (found.length === 0) throw new FatalError(`--data: no file is called ${JSON.stringify(pattern)}`)
    for (const file of found) files.add(file)
  }
  return [...files]
}

function readFlags (args: readonly string[]) {
  const { values: { data = [], 'fail-above': limit, models, json = false }, positionals: [model, ...more] } = parseArgs({
    args: [...args],
    options: { data: { type: 'string', multiple: true }, 'fail-above': { type: 'string' }, models: { type: 'string' }, json: { type: 'boolean' } },
    allowPositionals: true,
  })
  if (model === undefined) throw new UsageError('the version that the data is compared with is missing: NAME[@VERSION]')
  if (data.length === 0) throw new UsageError('--data is missing: the files with the rows')
  const failAbove = limit === undefined ? undefined : Number(limit)
  if (failAbove !== undefined && !(limit!.trim() !== '' && failAbove >= 0 && failAbove < Infinity)) throw new UsageError(`--fail-above must be a number of at least 0, not ${JSON.stringify(limit)}`)
  // A shell that expands the pattern itself gives the further files here.
  return { wanted: parseModelArgument(model), patterns: [...data, ...more], failAbove, models, json }
}
