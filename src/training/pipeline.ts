import { type Feature, type Manifest, manifestFaults } from '../artifact/manifest.ts'
import { cpuCount } from '../engine/cpus.ts'
import { FatalError } from '../errors.ts'
import { compilePreprocessor } from '../preprocess/compile.ts'
import type { Preprocessor } from '../preprocess/spec.ts'
import type { Row } from '../row.ts'
import { Crew } from './crew.ts'
import { type Experiment, crossValidate, evaluateHoldout, featureColumns } from './evaluate.ts'
import { inputName, outputNames } from './export.ts'
import { readFeatures } from './features.ts'
import { tellsTarget } from './leakage.ts'
import { fit, isLarge, type Learner } from './learner.ts'
import { learnerOf } from './learner-params.ts'
import type { Matrix, Target } from './matrix.ts'
import { loadTable } from './table.ts'
import { readTarget } from './target.ts'
import type { TrainingPlan } from './training-file.ts'
import { versionFiles, versionOf } from './version-files.ts'

export interface TrainedVersion {
  readonly manifest: Manifest
  /** Every file of the version's folder, the manifest among them. */
  readonly files: Readonly<Record<string, Uint8Array | string>>
  /** What the user did not ask for and should know. */
  readonly notices: readonly string[]
}

export interface TrainingOptions {
  /** What the paths in the plan are relative to. */
  readonly folder: string
  readonly createdAt: Date
  /** Threads that fit; one per CPU where that is worth while, unless told. The model is the same with any number. */
  readonly threads?: number | undefined
  readonly events?: TrainingEvents | undefined
}

/** How a training goes: some models are fitted, one after the other, each of at most `trees` trees or rounds. */
export interface TrainingEvents {
  readonly begin: (work: { readonly name: string, readonly rows: number, readonly features: number, readonly trees: number, readonly models: number }) => void
  /** @param what  is fitted next, as one would tell a person */
  readonly model: (what: string) => void
  /** @param done  trees or rounds of the present model */
  readonly tree: (done: number) => void
}

const silence: TrainingEvents = { begin: () => {}, model: () => {}, tree: () => {} }

/**
 * From raw rows to a version's files. The metrics are those of a model that never saw the rows it
 * was measured on; the version's own model then learns from all rows.
 *
 * @throws FatalError when the data does not fit the plan
 */
export async function trainVersion (plan: TrainingPlan, { folder, createdAt, threads, events = silence }: TrainingOptions): Promise<TrainedVersion> {
  const { seed = 42, test = 0.2, cv = 5 } = plan
  const { table, target, labels, droppedRows } = readTarget(await loadTable(plan.data, folder), plan)
  const { features, columns, rows, sources, notices } = readFeatures(table, plan)
  checkServable(plan, features)
  checkClasses(plan, target, labels, Math.max(cv, 2))
  const learner = learnerOf(plan, target, rows.length)
  const preprocessor: Preprocessor = { schemaVersion: 1, output: { name: inputName, type: 'float32' }, columns: [...columns] }
  const matrix = encodeRows(preprocessor, features, rows)
  events.begin({ name: plan.name, rows: rows.length, features: features.length, trees: learner.params.trees, models: cv + 2 })
  const crew = crewFor(learner, matrix, threads)
  try {
    const experiment: Experiment = { matrix, target, labels, learner, seed, features: featureColumns(columns), fitting: { crew, onTree: events.tree } }
    events.model('the rows held back')
    const held = await evaluateHoldout(experiment, test)
    const folds = cv === 0 ? undefined : { folds: cv, ...await crossValidate(experiment, cv, fold => events.model(`fold ${fold} of ${cv}`)) }
    events.model('the model')
    const model = await fit(learner, matrix, target, seed, experiment.fitting)
    const answers = model.predict(matrix)
    const metrics = { ...held.metrics, test: { share: test, rows: held.split.test.length }, ...(folds === undefined ? {} : { cv: folds }) }

    const version = versionFiles({ plan, createdAt, table, features, preprocessor, rows, experiment, model, answers, metrics })
    const dropped = droppedRows === 0 ? [] : [`${droppedRows} rows without "${plan.target.column}" are left out`]
    return { ...version, notices: [...notices, ...leaks(plan, sources, rows, target), ...dropped] }
  } finally {
    await crew?.close()
  }
}

/** Who asks for threads gets them; otherwise there are some where they save time. */
function crewFor (learner: Learner, matrix: Matrix, threads: number | undefined): Crew | undefined {
  const size = threads ?? (isLarge(learner, matrix) ? cpuCount() : 1)
  return size === 1 ? undefined : new Crew(size)
}

/** With fewer rows, there would be folds in which the class is not learned, or not measured. */
function checkClasses ({ target: { column } }: TrainingPlan, target: Target, labels: readonly string[], folds: number): void {
  if (target.kind === 'values') return
  const counts = labels.map((_, k) => target.classes.filter(value => value === k).length)
  const few = counts.findIndex(count => count < folds)
  if (few < 0) return
  throw new FatalError(`"${column}" is "${labels[few]}" in ${counts[few]} of ${target.classes.length} rows: at least ${folds} are needed. Leave those rows out` +
    (folds > 2 ? ', or have fewer folds (cv)' : ''))
}

function leaks (plan: TrainingPlan, sources: readonly string[], rows: readonly Row[], target: Target): string[] {
  return sources
    .filter((_, i) => tellsTarget(rows.map(row => row[i]!), target))
    .map(source => `the column "${source}" alone tells "${plan.target.column}" in every row: drop it if callers cannot know it beforehand`)
}

/** Names and limits that the server would refuse are refused before the work, not after it. */
function checkServable (plan: TrainingPlan, features: readonly Feature[]): void {
  const faults = manifestFaults({
    schemaVersion: 1,
    name: plan.name,
    version: versionOf(plan),
    task: 'regression',
    outputs: { value: outputNames.value },
    files: { 'model.onnx': { sha256: '', bytes: 0 } },
    features: [...features],
  })
  if (faults.length > 0) throw new FatalError(`This training would make a manifest that cannot be served: ${faults.join('; ')}`)
}

/** Through the same code that encodes requests. */
function encodeRows (preprocessor: Preprocessor, features: readonly Feature[], rows: readonly Row[]): Matrix {
  const encoder = compilePreprocessor(preprocessor, features)
  const data = new Float32Array(rows.length * encoder.width)
  rows.forEach((row, i) => encoder.write(row, data, i * encoder.width, (feature, message) => {
    throw new FatalError(`Row ${i + 1}, ${features[feature]?.name}: ${message}`)
  }))
  return { data, rows: rows.length, columns: encoder.width }
}
