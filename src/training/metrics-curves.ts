export type Point = [x: number, y: number]

export interface RocCurve {
  /** The class that counts as positive. */
  label: string
  auc: number
  /** False-positive rate and true-positive rate, from [0, 0] to [1, 1]. */
  points: Point[]
}

export interface PrCurve {
  label: string
  average_precision: number
  /** Recall and precision, from [0, 1] to where every positive row is found. */
  points: Point[]
}

/** More points than this cannot be told apart in a plot. */
const maxPoints = 60
/** Of more classes than this, curves would only be a tangle. */
const maxClasses = 10

/** Rows that score at least as high as some threshold. */
interface Step { readonly hits: number, readonly alarms: number }

/** One step per distinct score, from the highest down: rows with the same score cannot be told apart. */
function stepsOf (actual: Int32Array, positive: number, score: (row: number) => number): Step[] {
  const scores = Float64Array.from(actual, (_, row) => score(row))
  const order = Int32Array.from(actual, (_, row) => row).sort((a, b) => scores[b]! - scores[a]!)
  const steps: Step[] = []
  let hits = 0
  order.forEach((row, i) => {
    if (actual[row] === positive) hits += 1
    const next = order[i + 1]
    if (next === undefined || scores[next] !== scores[row]) steps.push({ hits, alarms: i + 1 - hits })
  })
  return steps
}

/** Undefined where all rows are positive, or none. */
function rocOf (steps: readonly Step[]): { auc: number, points: Point[] } | undefined {
  const { hits = 0, alarms = 0 } = steps.at(-1) ?? {}
  if (hits === 0 || alarms === 0) return undefined
  const points: Point[] = [[0, 0], ...steps.map((step): Point => [step.alarms / alarms, step.hits / hits])]
  let auc = 0
  for (let i = 1; i < points.length; i++) auc += (points[i]![0] - points[i - 1]![0]) * (points[i]![1] + points[i - 1]![1]) / 2
  return { auc, points }
}

/** Undefined where no row is positive. */
function prOf (steps: readonly Step[]): { average_precision: number, points: Point[] } | undefined {
  const positives = steps.at(-1)?.hits ?? 0
  if (positives === 0) return undefined
  const points: Point[] = [[0, 1]]
  let area = 0
  for (const { hits, alarms } of steps) {
    const [recall] = points.at(-1)!
    if (recall === 1) break
    points.push([hits / positives, hits / (hits + alarms)])
    area += (hits / positives - recall) * hits / (hits + alarms)
  }
  return { average_precision: area, points }
}

/**
 * The probability that a row of the class scores higher than one of another, a tie counting half. Of two classes
 * that of the second; of more the mean of each against the rest.
 *
 * @param probabilities row by row, one per class
 * @returns undefined where no class has rows both in and out of it
 */
export function rocAuc (actual: Int32Array, probabilities: ArrayLike<number>, classes: number): number | undefined {
  const areas = judged(classes).flatMap(k => rocOf(stepsOf(actual, k, row => probabilities[row * classes + k]!))?.auc ?? [])
  return areas.length === 0 ? undefined : areas.reduce((sum, area) => sum + area, 0) / areas.length
}

/** Of two classes the second's, of up to ten each one's against the rest; those that the rows cannot show are left out. */
export function curves (actual: Int32Array, probabilities: ArrayLike<number>, labels: readonly string[]): { roc: RocCurve[], pr: PrCurve[] } {
  const roc: RocCurve[] = []
  const pr: PrCurve[] = []
  for (const k of labels.length > maxClasses ? [] : judged(labels.length)) {
    const label = labels[k]!
    const steps = stepsOf(actual, k, row => probabilities[row * labels.length + k]!)
    const found = { roc: rocOf(steps), pr: prOf(steps) }
    if (found.roc !== undefined) roc.push({ label, auc: found.roc.auc, points: thin(found.roc.points, maxPoints) })
    if (found.pr !== undefined) pr.push({ label, average_precision: found.pr.average_precision, points: thin(found.pr.points, maxPoints) })
  }
  return { roc, pr }
}

function judged (classes: number): number[] {
  return classes === 2 ? [1] : Array.from({ length: classes }, (_, k) => k)
}

/** Leaves out points that lie on the line between their neighbours, then ever so many of the others; both ends stay. */
export function thin (points: readonly Point[], most: number): Point[] {
  const corners = points.filter((point, i) => {
    const [before, after] = [points[i - 1], points[i + 1]]
    return before === undefined || after === undefined || !isStraight(before, point, after)
  })
  if (corners.length <= most) return corners
  return Array.from({ length: most }, (_, i) => corners[Math.round(i * (corners.length - 1) / (most - 1))]!)
}

function isStraight ([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): boolean {
  const area = Math.abs((bx - ax) * (cy - by) - (cx - bx) * (by - ay))
  return area <= 1e-9 * Math.hypot(bx - ax, by - ay) * Math.hypot(cx - bx, cy - by)
}
