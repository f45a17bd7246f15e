import { mean, standardDeviation } from './metrics.ts'
import { random, shuffle } from './random.ts'

/** How much worse a model is when a feature's values are dealt out to the wrong rows. */
export interface Importance {
  metric: 'accuracy' | 'r2'
  repeats: number
  /** Rows that it was measured on. */
  rows: number
  /** The largest loss first; around 0 the model does without the feature. */
  features: { feature: string, mean: number, std: number }[]
}

export const importanceRepeats = 5
/** Every feature takes some runs over all of the rows. */
const maxRows = 1000
/** Streams of the seed that trees, splits and folds do not reach. */
const firstStream = -1_000_000

/** The rows that importance is measured on: all, or evenly chosen ones. */
export function importanceRows (rows: number): Int32Array {
  const count = Math.min(rows, maxRows)
  return Int32Array.from({ length: count }, (_, i) => Math.floor(i * rows / count))
}

/** Whose value each row gets, for one feature in one repeat. */
export function shuffledRows (rows: number, seed: number, feature: number, repeat: number): Int32Array {
  const order = Int32Array.from({ length: rows }, (_, row) => row)
  shuffle(order, random(seed, firstStream - feature * importanceRepeats - repeat))
  return order
}

/**
 * @param score  of the rows as they are
 * @param scores per feature and repeat, with the feature's values shuffled
 */
export function importanceOf (
  metric: Importance['metric'], rows: number, features: readonly string[], score: number, scores: readonly (readonly number[])[]
): Importance {
  const losses = features.map((feature, i) => {
    const lost = scores[i]!.map(shuffled => score - shuffled)
    return { feature, mean: mean(lost), std: standardDeviation(lost) }
  })
  return { metric, repeats: importanceRepeats, rows, features: losses.sort((a, b) => b.mean - a.mean) }
}
