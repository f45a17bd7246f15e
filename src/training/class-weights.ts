import type { Target } from './matrix.ts'

/** `balanced`: every class counts the same in all, however many rows it has. */
export type ClassWeight = 'balanced'

/** What a row of each class counts, 1 on average over the rows; undefined where all count the same. */
export function classWeights (target: Target, classWeight: ClassWeight | undefined): Float64Array | undefined {
  if (classWeight === undefined || target.kind === 'values') return undefined
  const rows = new Float64Array(target.count)
  for (const k of target.classes) rows[k]! += 1
  const present = rows.filter(count => count > 0).length
  return rows.map(count => count === 0 ? 0 : target.classes.length / (present * count))
}
