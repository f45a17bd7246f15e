import type { Baseline } from '../artifact/baseline.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Row } from '../row.ts'
import { type Column, type Drift, driftOf, featureColumn, predictionColumn } from './columns.ts'

/**
 * The window is the half being filled and the one before it. A half ends with `rows`, or after
 * `ageMs` once it has `minimumRows`: a busy version is judged by its last rows, a quiet one by its
 * last hour, or by however long it took to get so few.
 */
export const halfWindow = { rows: 5_000, ageMs: 30 * 60_000, minimumRows: 200 }

/** Plain data, so that what several processes counted can be added up. */
interface Half {
  readonly startedAtMs: number
  rows: number
  /** Per feature, then for the prediction: how often each bin held a value. */
  readonly counts: readonly Uint32Array[]
}

/** A window without its halves: rows, and how often each bin of each column held a value. */
export interface WindowCounts { readonly rows: number, readonly counts: readonly Uint32Array[] }

export interface FeatureReport {
  readonly name: string
  readonly missingRatio: number
  readonly drift: readonly Drift[]
}

export interface WindowReport { readonly features: readonly FeatureReport[], readonly prediction: readonly Drift[] }

/** The recent rows of one version in the bins of its baseline: constant memory, nothing allocated per row. */
export class RollingWindow {
  readonly #names: readonly string[]
  readonly #features: readonly Column[]
  readonly #prediction: Column | undefined
  readonly #nowMs: () => number
  #current: Half
  #previous: Half | undefined

  constructor (manifest: Manifest, baseline: Baseline | undefined, nowMs: () => number) {
    const features = manifest.features ?? []
    this.#names = features.map(feature => feature.name)
    this.#features = features.map(feature => featureColumn(feature, baseline))
    this.#prediction = predictionColumn(manifest, baseline)
    this.#nowMs = nowMs
    this.#current = this.#emptyHalf()
  }

  /** @param predictions class index or value, one per row */
  add (rows: readonly Row[], predictions: ArrayLike<number>): void {
    const half = this.#current
    for (let column = 0; column < this.#features.length; column++) {
      const { bins } = this.#features[column]!
      const counts = half.counts[column]!
      for (let row = 0; row < rows.length; row++) counts[bins.find(rows[row]![column]!)]! += 1
    }
    if (this.#prediction !== undefined) {
      const { bins } = this.#prediction
      const counts = half.counts[this.#features.length]!
      for (let row = 0; row < predictions.length; row++) counts[bins.find(predictions[row]!)]! += 1
    }
    half.rows += rows.length
    if (this.#isOver(half)) {
      this.#previous = half
      this.#current = this.#emptyHalf()
    }
  }

  /** Undefined until there are `minimumRows`: the shares of fewer rows say more of chance than of drift. */
  report (): WindowReport | undefined {
    const { rows, counts: all } = this.counts()
    if (rows < halfWindow.minimumRows) return undefined
    const drift = (column: Column, counts: readonly number[]) => driftOf(column, counts, halfWindow.minimumRows)
    return {
      features: this.#features.map((column, i) => {
        const counts = Array.from(all[i]!)
        return { name: this.#names[i]!, missingRatio: counts.at(-1)! / rows, drift: drift(column, counts) }
      }),
      prediction: this.#prediction === undefined ? [] : drift(this.#prediction, Array.from(all[this.#features.length]!)),
    }
  }

  counts (): WindowCounts {
    const before = this.#previous
    return {
      rows: this.#current.rows + (before?.rows ?? 0),
      counts: this.#current.counts.map((counts, column) => counts.map((count, bin) => count + (before?.counts[column]?.[bin] ?? 0))),
    }
  }

  /** Adds another process's window of the same version; this one is then for reading only. */
  absorb ({ rows, counts }: WindowCounts): void {
    this.#current.rows += rows
    this.#current.counts.forEach((own, column) => {
      counts[column]?.forEach((count, bin) => { own[bin]! += count })
    })
  }

  #isOver ({ rows, startedAtMs }: Half): boolean {
    return rows >= halfWindow.rows || (rows >= halfWindow.minimumRows && this.#nowMs() - startedAtMs >= halfWindow.ageMs)
  }

  #emptyHalf (): Half {
    const columns = this.#prediction === undefined ? this.#features : [...this.#features, this.#prediction]
    return { startedAtMs: this.#nowMs(), rows: 0, counts: columns.map(({ bins }) => new Uint32Array(bins.size)) }
  }
}
