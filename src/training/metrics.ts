export interface ClassMetrics {
  label: string
  precision: number
  recall: number
  f1: number
  /** Rows that are of this class. */
  support: number
}

export interface ClassificationMetrics {
  accuracy: number
  /** The mean of the classes' F1, each class counting the same. */
  f1_macro: number
  /** The mean recall of the classes that occur. */
  balanced_accuracy: number
  precision_macro: number
  recall_macro: number
  per_class: ClassMetrics[]
  /** Rows by actual class, within them by predicted class. */
  confusion_matrix: number[][]
}

export interface RegressionMetrics {
  r2: number
  /** Mean absolute error. */
  mae: number
  /** Root of the mean squared error. */
  rmse: number
}

/** Where nothing was predicted or nothing was there to be found, a ratio counts as 0. */
export function classificationMetrics (actual: Int32Array, predicted: Int32Array, labels: readonly string[]): ClassificationMetrics {
  const matrix = labels.map(() => labels.map(() => 0))
  actual.forEach((k, row) => { matrix[k]![predicted[row]!]! += 1 })
  const perClass = labels.map((label, k) => {
    const hits = matrix[k]![k]!
    const support = sum(matrix[k]!)
    const precision = ratio(hits, sum(matrix.map(row => row[k]!)))
    const recall = ratio(hits, support)
    return { label, precision, recall, f1: ratio(2 * precision * recall, precision + recall), support }
  })
  return {
    accuracy: ratio(sum(matrix.map((row, k) => row[k]!)), actual.length),
    f1_macro: mean(perClass.map(({ f1 }) => f1)),
    balanced_accuracy: mean(perClass.filter(({ support }) => support > 0).map(({ recall }) => recall)),
    precision_macro: mean(perClass.map(({ precision }) => precision)),
    recall_macro: mean(perClass.map(({ recall }) => recall)),
    per_class: perClass,
    confusion_matrix: matrix,
  }
}

/** R² is 0 where all actual values are the same. */
export function regressionMetrics (actual: Float64Array, predicted: ArrayLike<number>): RegressionMetrics {
  const errors = Array.from(actual, (value, row) => predicted[row]! - value)
  const middle = mean(Array.from(actual))
  const squared = sum(errors.map(error => error ** 2))
  const spread = sum(Array.from(actual, value => (value - middle) ** 2))
  return {
    r2: spread === 0 ? 0 : 1 - squared / spread,
    mae: mean(errors.map(Math.abs)),
    rmse: Math.sqrt(squared / actual.length),
  }
}

export function mean (values: readonly number[]): number {
  return ratio(sum(values), values.length)
}

/** Of the values themselves, not an estimate for others. */
export function standardDeviation (values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map(value => (value - middle) ** 2)))
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function ratio (part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
