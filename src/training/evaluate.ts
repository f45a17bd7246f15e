import type { Preprocessor } from '../preprocess/spec.ts'
import { predictClasses } from './forest.ts'
import { type Fitted, type FitOptions, type Learner, fit } from './learner.ts'
import { type Matrix, type Target, selectRows, selectTarget } from './matrix.ts'
import { type RegressionMetrics, classificationMetrics, mean, regressionMetrics, standardDeviation } from './metrics.ts'
import { type ClassMeasures, type Details, detailClasses, detailValues, measureClasses } from './metrics-all.ts'
import { type Importance, importanceOf, importanceRepeats, importanceRows, shuffledRows } from './metrics-importance.ts'
import { type Split, folds, holdout } from './split.ts'

export interface Experiment {
  readonly matrix: Matrix
  readonly target: Target
  /** Empty for values. */
  readonly labels: readonly string[]
  readonly learner: Learner
  readonly seed: number
  /** Which columns of the matrix are whose, side by side; without them no importance is measured. */
  readonly features?: readonly FeatureColumns[]
  readonly fitting?: FitOptions | undefined
}

export interface FeatureColumns { readonly name: string, readonly width: number }

/** A category fills a column each, everything else one. */
export function featureColumns (columns: readonly Preprocessor['columns'][number][]): FeatureColumns[] {
  return columns.map(({ feature, steps }) => ({
    name: feature,
    width: steps.reduce((width, step) => 'oneHot' in step ? step.oneHot.categories.length : width, 1),
  }))
}

export type Metrics = (ClassMeasures | RegressionMetrics) & Details

/** Fits on most of the rows and measures on the rest: `share` of every class. */
export async function evaluateHoldout (experiment: Experiment, share: number): Promise<{ metrics: Metrics, split: Split }> {
  const split = holdout(experiment.target, share, experiment.seed)
  const trial = await runSplit(experiment, split)
  return { metrics: { ...measure(trial), ...detail(trial), ...importance(trial, experiment) }, split }
}

/**
 * Fits and measures once per fold.
 *
 * @returns mean and standard deviation over the folds of every metric that is one number; a fold in which it cannot
 *          be told does not count
 */
export async function crossValidate (experiment: Experiment, count: number, onFold?: (begun: number) => void): Promise<Record<string, { mean: number, std: number }>> {
  const scores = new Map<string, number[]>()
  for (const [i, split] of folds(experiment.target, count, experiment.seed).entries()) {
    onFold?.(i + 1)
    for (const [name, score] of Object.entries(measure(await runSplit(experiment, split)))) {
      if (typeof score === 'number') scores.set(name, [...scores.get(name) ?? [], score])
    }
  }
  return Object.fromEntries(Array.from(scores, ([name, values]) => [name, { mean: mean(values), std: standardDeviation(values) }]))
}

/** A model, with rows that it has not seen and what it makes of them. */
interface Trial {
  readonly model: Fitted
  readonly matrix: Matrix
  readonly target: Target
  readonly labels: readonly string[]
  readonly answers: Float32Array
}

async function runSplit ({ matrix, target, labels, learner, seed, fitting }: Experiment, { train, test }: Split): Promise<Trial> {
  const model = await fit(learner, matrix, selectTarget(target, train), seed, { ...fitting, chosen: train })
  const held = selectRows(matrix, test)
  return { model, matrix: held, target: selectTarget(target, test), labels, answers: model.predict(held) }
}

function measure ({ target, labels, answers }: Pick<Trial, 'target' | 'labels' | 'answers'>): ClassMeasures | RegressionMetrics {
  return target.kind === 'classes'
    ? measureClasses(target.classes, predictClasses(answers, target.count), labels, answers)
    : regressionMetrics(target.values, answers)
}

function detail ({ target, labels, answers }: Trial): Details {
  return target.kind === 'classes' ? detailClasses(target.classes, labels, answers) : detailValues(target.values, answers)
}

function importance (trial: Trial, { features, seed }: Experiment): { importance?: Importance } {
  const rows = importanceRows(trial.matrix.rows)
  if (features === undefined || rows.length === 0) return {}
  const matrix = selectRows(trial.matrix, rows)
  const target = selectTarget(trial.target, rows)
  const metric = target.kind === 'classes' ? 'accuracy' : 'r2'
  const score = (asked: Matrix): number => {
    const answers = trial.model.predict(asked)
    return target.kind === 'classes'
      ? classificationMetrics(target.classes, predictClasses(answers, target.count), trial.labels).accuracy
      : regressionMetrics(target.values, answers).r2
  }
  let first = 0
  const scores = features.map(({ width }, feature) => {
    const found = Array.from({ length: importanceRepeats }, (_, repeat) =>
      score(withShuffled(matrix, first, width, shuffledRows(rows.length, seed, feature, repeat))))
    first += width
    return found
  })
  return { importance: importanceOf(metric, rows.length, features.map(({ name }) => name), score(matrix), scores) }
}

/** The matrix with some columns' values in other rows. */
function withShuffled ({ data, rows, columns }: Matrix, first: number, width: number, order: Int32Array): Matrix {
  const shuffled = Float32Array.from(data)
  for (let row = 0; row < rows; row++) {
    for (let k = first; k < first + width; k++) shuffled[row * columns + k] = data[order[row]! * columns + k]!
  }
  return { data: shuffled, rows, columns }
}
