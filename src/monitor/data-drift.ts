import type { Baseline } from '../artifact/baseline.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Row } from '../row.ts'
import { type Column, type Drift, driftOf, featureColumn, predictionColumn } from './columns.ts'
import { sum } from './drift.ts'

/** How far one column of the data is from the training data. */
export interface ColumnDrift {
  /** Of a feature; the prediction has none. */
  readonly name: string | undefined
  readonly missingRatio: number
  /** In the training data; undefined where the baseline does not know the column. */
  readonly baselineMissingRatio: number | undefined
  /** Empty where there is nothing to compare with. */
  readonly drift: readonly Drift[]
}

export interface DataDriftReport {
  readonly rows: number
  readonly features: readonly ColumnDrift[]
  /** Undefined where the baseline has no histogram of predictions. */
  readonly prediction: ColumnDrift | undefined
}

interface Counted { readonly name: string | undefined, readonly column: Column, readonly counts: Float64Array }

/** All rows that it is given in the bins of a version's baseline, to be compared with it as the rolling window is. Constant memory. */
export class DataDrift {
  readonly #features: readonly Counted[]
  readonly #prediction: Counted | undefined
  #rows = 0

  constructor (manifest: Manifest, baseline: Baseline) {
    this.#features = (manifest.features ?? []).map(feature => counted(feature.name, featureColumn(feature, baseline)))
    const prediction = predictionColumn(manifest, baseline)
    this.#prediction = prediction && counted(undefined, prediction)
  }

  /** @param predictions class index or value, one per row */
  add (rows: readonly Row[], predictions: ArrayLike<number>): void {
    this.#features.forEach(({ column: { bins }, counts }, feature) => {
      for (const row of rows) counts[bins.find(row[feature]!)]! += 1
    })
    if (this.#prediction !== undefined) {
      const { column: { bins }, counts } = this.#prediction
      for (let row = 0; row < predictions.length; row++) counts[bins.find(predictions[row]!)]! += 1
    }
    this.#rows += rows.length
  }

  /** @param minimumValues no ks of fewer values than this */
  report (minimumValues: number): DataDriftReport {
    const told = ({ name, column, counts }: Counted): ColumnDrift => ({
      name,
      missingRatio: this.#rows === 0 ? 0 : counts.at(-1)! / this.#rows,
      baselineMissingRatio: column.baseline && column.baseline.counts.at(-1)! / sum(column.baseline.counts),
      drift: driftOf(column, Array.from(counts), minimumValues),
    })
    return { rows: this.#rows, features: this.#features.map(told), prediction: this.#prediction && told(this.#prediction) }
  }
}

function counted (name: string | undefined, column: Column): Counted {
  return { name, column, counts: new Float64Array(column.bins.size) }
}
