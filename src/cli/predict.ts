import { parseArgs } from 'node:util'
import { modelStore } from '../artifact/model-store.ts'
import { createEngineHost } from '../engine/engine.ts'
import { ApiError, FatalError } from '../errors.ts'
import type { PredictInput } from '../schemas/decode.ts'
import { Inference } from '../serving/inference.ts'
import type { Model } from '../serving/model.ts'
import { Registry } from '../serving/registry.ts'
import { openAnswering } from './answering.ts'
import { modelsFolder, onlyArgument, parseModelArgument } from './model-argument.ts'
import { type InputFlags, readInput } from './predict-input.ts'
import { type Format, formats, printAnswers } from './predict-output.ts'
import { predictTensors } from './predict-tensors.ts'
import { promptRow } from './prompt.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

/** All rows are answered in one run; files for which that is too much are for `batch`. */
const maxRows = 1_000_000

export const predict: Verb = {
  name: 'predict',
  summary: 'Predict on the command line, without a server',
  help: `Usage: modelport predict [NAME[@VERSION]] [--json ROWS | --csv FILE] [--output FORMAT] [--models FOLDER]

Answers rows as POST /predict does: same checks, same answers. Without VERSION the version answers that
the server would answer with, without NAME the default model. Rows come from --json or --csv, else from
stdin as JSON or NDJSON; on a terminal it asks for each feature, with the manifest's example as default.

  --json ROWS      JSON text, a file, or - for stdin: a row, a list of rows, {"instances": [row, …]}, or
                   NDJSON. A row is {"name": value, …} or {"features": [value, …]}. For a model without
                   features: {"inputs": {"X": [[…], …], …}}, or its rows as {"instances": […]}
  --csv FILE       CSV with a header row; - for stdin
  --output FORMAT  ${formats.join(', ')} (default: text); json is what POST /predict answers
  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)

--json is about what goes in here; for machines to read what comes out, say --output json.
Faults are listed with their places, and nothing is answered then: exit 1.

Example:
  modelport predict iris --json '{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'
`,
  run: async (args, terminal) => {
    const flags = readFlags(args)
    const input = await readInput(flags, terminal)
    const store = modelStore(modelsFolder(flags.models, terminal))
    const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { terminal.err(message) } } })
    try {
      const model = await openAnswering({ store, host, wanted: flags.model, configuredDefault: terminal.env['DEFAULT_MODEL'] || undefined })
      const inference = new Inference({ registry: new Registry(store, host, silent), maxRows, timeoutMs: Infinity, onPrediction: () => {} })
      await answer(model, inference, input, flags.output, terminal)
    } catch (error) {
      throw error instanceof ApiError ? refusal(error) : error
    } finally {
      await host.close()
    }
  },
}

const silent = { loaded: () => {}, failed: () => {}, ignored: () => {} }

interface Flags extends InputFlags {
  readonly model: ReturnType<typeof parseModelArgument> | undefined
  readonly models: string | undefined
  readonly output: Format
}

function readFlags (args: readonly string[]): Flags {
  const { values: { json, csv, models, output = 'text' }, positionals } = parse(args)
  if (json !== undefined && csv !== undefined) throw new UsageError('--json and --csv exclude each other: rows come from one place')
  const format = formats.find(known => known === output)
  if (format === undefined) throw new UsageError(`--output must be one of ${formats.join(', ')}, not ${JSON.stringify(output)}`)
  const model = onlyArgument(positionals)
  return { model: model === undefined ? undefined : parseModelArgument(model), json, csv, models, output: format }
}

function parse (args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { json: { type: 'string' }, csv: { type: 'string' }, output: { type: 'string' }, models: { type: 'string' } },
      allowPositionals: true,
    })
  } catch (error) {
    const { message } = error as Error
    throw new UsageError(/'--json/.test(message) ? '--json takes the rows that go in: a text, a file or -; to print JSON, say --output json' : message)
  }
}

async function answer (model: Model, inference: Inference, input: PredictInput | undefined, output: Format, terminal: Terminal): Promise<void> {
  if (model.tabular === undefined) {
    for (const line of await predictTensors(model, inference, input, output)) terminal.out(line)
    return
  }
  const rows = input ?? { type: 'json', body: await promptRow(model.tabular.reader.features, terminal.in!) }
  const result = await inference.predict(model, rows)
  for (const { path, message } of result.warnings) terminal.err(`warning: ${path} ${message}`.replaceAll(/ +/g, ' '))
  for (const line of printAnswers(result, model.manifest, output)) terminal.out(line)
}

/** A refusal with all of its faults, a line each. */
function refusal (error: ApiError): FatalError {
  const faults = (error.errors ?? []).map(({ path, message }) => `\n  ${path === '' ? '' : `${path} `}${message}`)
  return new FatalError(error.message + faults.join(''), { cause: error })
}
