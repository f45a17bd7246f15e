import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { aliasTarget, parseAliases } from '../artifact/aliases.ts'
import { ArtifactError } from '../artifact/artifact-error.ts'
import { modelStore } from '../artifact/model-store.ts'
import { readArtifact } from '../artifact/read.ts'
import type { ModelStore } from '../artifact/store.ts'
import { FatalError } from '../errors.ts'
import { readMetrics } from '../report/metrics.ts'
import { renderReport } from '../report/page.ts'
import { compareScores } from '../report/scores.ts'
import type { Subject } from '../report/subject.ts'
import { type ModelArgument, findModel, modelsFolder, parseModelArgument } from './model-argument.ts'
import { type LabelledFile, measureVersion } from './report-data.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const report: Verb = {
  name: 'report',
  summary: 'Write a page on how good a version is and where it comes from',
  help: `Usage: modelport report NAME[@VERSION] [--data FILE [--target COLUMN]] [--out FILE] [--models FOLDER] [--json]
       modelport report --compare A B [the same options]

Writes one HTML file that needs nothing else: scores with their spread over the folds, confusion matrix,
ROC and precision–recall curves, calibration, residuals, importance of features, histograms of the training
data, and the provenance of data and model. Without VERSION it is production's, else the latest. What a
manifest does not have, as that of an imported model, is left out with a line that says so.

  --data FILE      CSV with the features and the target: the version is run on these rows, and the report
                   tells how well it did there instead of what the manifest says
  --target COLUMN  the column with the right answers (default: the one that the manifest names)
  --compare        two versions side by side, with what differs marked
  --out FILE       where the page goes (default: report-NAME-VERSION.html)
  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)
  --json           print the numbers instead: {"versions": [{"name", "version", "task", "measured", "metrics",
                   "training", "files"}], "differences"}; the page is written only where --out names it

Example:
  modelport report iris@1.0.0 --out iris.html
`,
  run: async (args, terminal) => {
    const { wanted, models, data, out, json } = readFlags(args)
    const store = modelStore(modelsFolder(models, terminal))
    const subjects: Subject[] = []
    for (const argument of wanted) subjects.push(await readSubject(store, argument, data, terminal))
    checkTasks(subjects)
    const file = out ?? (json ? undefined : `report-${subjects.map(({ manifest: { name, version } }) => `${name}-${version}`).join('-and-')}.html`)
    if (file !== undefined) await writePage(file, renderReport(subjects))
    if (json) terminal.out(JSON.stringify(toJson(subjects)))
    else terminal.out(file!)
  },
}

async function readSubject (store: ModelStore, { name, version }: ModelArgument, data: LabelledFile | undefined, terminal: Terminal): Promise<Subject> {
  const { models } = await store.list()
  const found = findModel(models, name)
  try {
    const chosen = version ?? aliasTarget(parseAliases(await store.aliases(name)), 'production') ?? found.versions.at(-1)
    if (chosen === undefined || !found.versions.includes(chosen)) {
      throw new FatalError(`${name} has no version${chosen === undefined ? '' : ` "${chosen}"`}; it has ${found.versions.join(', ') || 'none'}`)
    }
    const { manifest, baseline } = await readArtifact(store.version(name, chosen))
    if (data === undefined) return { manifest, baseline, metrics: readMetrics(manifest.metrics), measured: undefined }
    const { metrics, measured } = await measureVersion(store, manifest, data, terminal)
    const { cv } = readMetrics(manifest.metrics)
    return { manifest, baseline, metrics: { ...readMetrics(metrics), ...(cv === undefined ? {} : { cv }) }, measured }
  } catch (error) {
    throw error instanceof ArtifactError ? new FatalError(`${name}${version === undefined ? '' : ` ${version}`}: ${error.message}`, { cause: error }) : error
  }
}

function checkTasks ([first, second]: readonly Subject[]): void {
  if (first === undefined || second === undefined || first.manifest.task === second.manifest.task) return
  throw new FatalError(`there is nothing to compare: ${first.manifest.name} has the task ${first.manifest.task}, ${second.manifest.name} ${second.manifest.task}`)
}

function toJson (subjects: readonly Subject[]): unknown {
  const [first, second] = subjects
  return {
    versions: subjects.map(({ manifest: { name, version, task, training, files }, measured, metrics: { scores, ...details } }) =>
      ({ name, version, task, measured: measured ?? null, metrics: { ...scores, ...details }, training: training ?? null, files })),
    ...(first !== undefined && second !== undefined ? { differences: compareScores(first, second) } : {}),
  }
}

/** As a whole or not at all. */
async function writePage (file: string, page: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.part`
  try {
    await writeFile(draft, page)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw new FatalError(`--out: ${file} cannot be written (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
}

interface Flags {
  readonly wanted: readonly ModelArgument[]
  readonly data: LabelledFile | undefined
  readonly models: string | undefined
  readonly out: string | undefined
  readonly json: boolean
}

function readFlags (args: readonly string[]): Flags {
  const { values: { compare = false, data, target, models, out, json = false }, positionals } = parse(args)
  const count = compare ? 2 : 1
  if (positionals.length === 0) throw new UsageError(`${compare ? 'the two versions to compare are' : 'the version to report on is'} missing: NAME@VERSION`)
  if (positionals.length !== count) {
    throw new UsageError(compare ? `--compare takes two versions, not ${positionals.length}` : `one at a time, or two with --compare: ${JSON.stringify(positionals[1])} is an argument too many`)
  }
  if (target !== undefined && data === undefined) throw new UsageError('--target names a column of --data, which is missing')
  return { wanted: positionals.map(parseModelArgument), data: data === undefined ? undefined : { file: data, target }, models, out, json }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      compare: { type: 'boolean' },
      data: { type: 'string' },
      target: { type: 'string' },
      out: { type: 'string' },
      models: { type: 'string' },
      json: { type: 'boolean' },
    },
    allowPositionals: true,
  })
}
