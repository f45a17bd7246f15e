import { runBatchMerge, runBatchPart, runBatchPlan } from './job-batch.ts'
import { runTrain } from './job-train.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

const commands: Readonly<Record<string, (args: readonly string[], terminal: Terminal) => Promise<void>>> = {
  'batch-plan': runBatchPlan,
  'batch-part': runBatchPart,
  'batch-merge': runBatchMerge,
  train: runTrain,
}

export const job: Verb = {
  name: 'job',
  summary: 'One step of a batch or a training that runs on several machines',
  help: `Usage: modelport job batch-plan --model NAME[@VERSION] --input PLACE --run PLACE [options]
       modelport job batch-part --run PLACE --part NUMBER
       modelport job batch-merge --run PLACE
       modelport job train --name NAME --raw PLACE --clean PLACE --run PLACE [options]

What tasks of a workflow call; one machine alone is better served by modelport batch, etl and train. A PLACE is
a folder or s3://bucket/prefix. Every step can be called again and gives the same.

batch-plan finds out which version answers, lists the CSV, NDJSON and Parquet files below --input and writes
<run>/plan.json: parts of one large file or several small ones, and <run>/items.json: [{"part": "00000"}, …].
batch-part scores one part by that version: <run>/predictions/<part>/, <run>/rejected/<part>/ and, last,
<run>/status/<part>.json. batch-merge adds all up in <run>/manifest.json: rows, files and their hashes, and the
parts that failed, with their files and reasons.
train cleans the files below --raw that are not below --clean yet, makes features per customer of all that is
clean, trains, verifies and puts the new version into the model repository. <run>/training.json tells what a
model registry asks: metrics, and what the version was made of.

  --model NAME[@VERSION]  what answers; without VERSION, what the server would answer with
  --input PLACE           a folder of files; names that begin with _ or . are left out
  --run PLACE             where this run writes; each run has its own
  --part NUMBER           of items.json, such as 00000
  --format FORMAT         csv, ndjson, parquet (default: csv)
  --keep LIST             columns of the input to take over
  --part-rows N           rows of each file of predictions (default: 50000)
  --part-size SIZE        small files go into one part up to this size (default: 64MB)
  --name NAME             train: what the model is called
  --raw PLACE             train: transactions, as modelport etl clean reads them
  --clean PLACE           train: where they are kept clean
  --at TIME               train: when the run began, such as 2026-11-21T03:00:00Z; names the version (default: now)
  --horizon-days N        train: days after the cut-off in which a purchase counts (default: 90)
  --algorithm NAME        train: random-forest or gradient-boosting (default: random-forest)
  --image TEXT            train: what the record calls the program that ran
  --memory SIZE           train: what DuckDB may hold before it goes to disk (default: 600MB)
  --models PLACE          the model repository (default: MODELS_DIR, else ./models)
  --json                  print what came out, as one line of JSON

Files that a step works on stand in a folder of its own below TMPDIR meanwhile.

Example:
  modelport job batch-plan --model iris --input flowers --run runs/monday
  modelport job batch-part --run runs/monday --part 00000
  modelport job batch-merge --run runs/monday
`,
  run: async ([command, ...args], terminal) => {
    const step = command !== undefined && Object.hasOwn(commands, command) ? commands[command] : undefined
    if (step === undefined) throw new UsageError(`${command === undefined ? 'say which step' : `there is no step "${command}"`}: ${Object.keys(commands).join(', ')}`)
    await step(args, terminal)
  },
}
