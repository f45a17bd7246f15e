import { type ClassificationMetrics, classificationMetrics } from './metrics.ts'
import { type PrCurve, type RocCurve, curves } from './metrics-curves.ts'
import type { Importance } from './metrics-importance.ts'
import { type Calibration, type ProbabilityScores, calibration, probabilityScores } from './metrics-probability.ts'
import { type Residuals, residualsOf } from './metrics-residuals.ts'

/** The numbers by their names, then what takes more than a number to tell. */
export type ClassMeasures = ClassificationMetrics & Partial<ProbabilityScores>

/** What is measured once, for people to look at. */
export interface Details {
  roc?: RocCurve[]
  pr?: PrCurve[]
  calibration?: Calibration
  residuals?: Residuals
  importance?: Importance
}

/**
 * How well classes were told.
 *
 * @param probabilities row by row, one per class; undefined where the model gives none
 */
export function measureClasses (
  actual: Int32Array, predicted: Int32Array, labels: readonly string[], probabilities: ArrayLike<number> | undefined
): ClassMeasures {
  const { per_class: perClass, confusion_matrix: matrix, ...scores } = classificationMetrics(actual, predicted, labels)
  const judged = probabilities === undefined ? {} : probabilityScores(actual, probabilities, labels)
  return { ...scores, ...judged, per_class: perClass, confusion_matrix: matrix }
}

export function detailClasses (actual: Int32Array, labels: readonly string[], probabilities: ArrayLike<number> | undefined): Details {
  if (probabilities === undefined) return {}
  const { roc, pr } = curves(actual, probabilities, labels)
  return {
    ...(roc.length === 0 ? {} : { roc }),
    ...(pr.length === 0 ? {} : { pr }),
    calibration: calibration(actual, probabilities, labels),
  }
}

export function detailValues (actual: Float64Array, predicted: ArrayLike<number>): Details {
  const residuals = residualsOf(actual, predicted)
  return residuals === undefined ? {} : { residuals }
}
