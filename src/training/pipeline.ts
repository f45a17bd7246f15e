import type { Manifest } from '../artifact/manifest.ts'
import { cpuCount } from '../engine/cpus.ts'
import { CategoryCodes } from './category-codes.ts'
import { Crew } from './crew.ts'
import { type Experiment, crossValidate, evaluateHoldout, featureColumns } from './evaluate.ts'
import { fit, isLarge, type Learner } from './learner.ts'
import { learnerOf } from './learner-params.ts'
import type { Matrix } from './matrix.ts'
import { prepareData } from './prepare.ts'
import type { TrainingPlan } from './training-file.ts'
import { versionFiles } from './version-files.ts'

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
  const prepared = await prepareData(plan, folder, Math.max(cv, 2))
  const { data, features, preprocessor, matrix, target, labels, notices } = prepared
  const learner = learnerOf(plan, target, data.rows)
  events.begin({ name: plan.name, rows: data.rows, features: features.length, trees: learner.params.trees, models: cv === 0 ? 2 : cv + 2 })
  const categories = new CategoryCodes(matrix, preprocessor.columns)
  const crew = crewFor(learner, matrix, threads)
  try {
    const experiment: Experiment = {
      matrix, target, labels, learner, seed, features: featureColumns(preprocessor.columns), fitting: { crew, onTree: events.tree, categories },
    }
    events.model('the rows held back')
    const held = await evaluateHoldout(experiment, test)
    const folds = cv === 0 ? undefined : { folds: cv, ...await crossValidate(experiment, cv, fold => events.model(`fold ${fold} of ${cv}`)) }
    events.model('the model')
    const model = await fit(learner, matrix, target, seed, experiment.fitting)
    const answers = model.predict(matrix)
    const metrics = { ...held.metrics, test: { share: test, rows: held.split.test.length }, ...(folds === undefined ? {} : { cv: folds }) }
    const encoding = { ...preprocessor, columns: [...categories.columns()] }
    return { ...versionFiles({ ...prepared, preprocessor: encoding, plan, createdAt, experiment, model, answers, metrics }), notices }
  } finally {
    await crew?.close()
  }
}

/** Who asks for threads gets them; otherwise there are some where they save time. */
function crewFor (learner: Learner, matrix: Matrix, threads: number | undefined): Crew | undefined {
  const size = threads ?? (isLarge(learner, matrix) ? cpuCount() : 1)
  return size === 1 ? undefined : new Crew(size)
}
