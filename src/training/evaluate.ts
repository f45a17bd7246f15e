import { predictClasses } from './forest.ts'
import { type Fitted, type Learner, fit } from './learner.ts'
import { type Matrix, type Target, selectRows, selectTarget } from './matrix.ts'
import { type ClassificationMetrics, type RegressionMetrics, classificationMetrics, mean, regressionMetrics, standardDeviation } from './metrics.ts'
import { type Split, folds, holdout } from './split.ts'

export interface Experiment {
  readonly matrix: Matrix
  readonly target: Target
  /** Empty for values. */
  readonly labels: readonly string[]
  readonly learner: Learner
  readonly seed: number
}

export type Metrics = ClassificationMetrics | RegressionMetrics

/** Fits on most of the rows and measures on the rest: `share` of every class. */
export function evaluateHoldout (experiment: Experiment, share: number): { metrics: Metrics, split: Split } {
  const split = holdout(experiment.target, share, experiment.seed)
  return { metrics: evaluateSplit(experiment, split), split }
}

/**
 * Fits and measures once per fold.
 *
 * @returns mean and standard deviation over the folds of every metric that is one number
 */
export function crossValidate (experiment: Experiment, count: number, onFold?: (done: number) => void): Record<string, { mean: number, std: number }> {
  const scores = folds(experiment.target, count, experiment.seed).map((split, i) => {
    const metrics = evaluateSplit(experiment, split)
    onFold?.(i + 1)
    return Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  })
  return Object.fromEntries(scores[0]!.map(([name], i) => {
    const values = scores.map(fold => fold[i]![1])
    return [name, { mean: mean(values), std: standardDeviation(values) }]
  }))
}

function evaluateSplit ({ matrix, target, labels, learner, seed }: Experiment, { train, test }: Split): Metrics {
  const model = fit(learner, selectRows(matrix, train), selectTarget(target, train), seed)
  return measure(model, selectRows(matrix, test), selectTarget(target, test), labels)
}

function measure (model: Fitted, matrix: Matrix, target: Target, labels: readonly string[]): Metrics {
  const answers = model.predict(matrix)
  return target.kind === 'classes'
    ? classificationMetrics(target.classes, predictClasses(answers, target.count), labels)
    : regressionMetrics(target.values, answers)
}
