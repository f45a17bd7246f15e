import type { Preprocessor, Step } from '../preprocess/spec.ts'
import type { Matrix, Target } from './matrix.ts'

/** So many rows with the average target are thought into each category: one row is no evidence. */
const priorRows = 1
/** The axis of classes turns towards its limit by the ratio of the two largest variances each time. */
const axisSteps = 50

type Columns = Preprocessor['columns']

/** A category column of the matrix. The code of a row's category is its place in `order`. */
interface Coded {
  readonly column: number
  /** By code: its index among the categories as they were written at first. */
  order: Int32Array
}

/**
 * Numbers categories by what they say of the target, so that a border between two numbers parts the categories into
 * the two sets of them that differ most: for two classes and for values, no two other sets of equally frequent
 * categories leave less impurity (Fisher, 1958). With more classes it is the order along the first principal component
 * of the categories' shares of the classes (Coppersmith, Hong and Hosking, 1999).
 *
 * It says much of the rows it was made from, so every fit makes its own from the rows that it learns from.
 */
export class CategoryCodes {
  readonly #matrix: Matrix
  readonly #spec: Columns
  readonly #coded: readonly Coded[]

  /**
   * @param matrix whose category columns hold codes in the order of the spec; it is renumbered in place
   * @param spec   one column of the matrix each
   */
  constructor (matrix: Matrix, spec: Columns) {
    this.#matrix = matrix
    this.#spec = spec
    this.#coded = spec.flatMap(({ steps }, column) => {
      const count = steps.reduce((most, step) => 'ordinal' in step ? step.ordinal.categories.length : most, 0)
      return count === 0 ? [] : [{ column, order: Int32Array.from({ length: count }, (_, i) => i) }]
    })
  }

  /** Whether no column holds categories. */
  get isEmpty (): boolean {
    return this.#coded.length === 0
  }

  /**
   * Renumbers every row by the target of some. Earlier orders leave no trace.
   *
   * @param target of the rows that are learned from
   * @param rows   which rows of the matrix those are, where not all
   */
  learn (target: Target, rows?: Int32Array): void {
    for (const coded of this.#coded) {
      const keys = axisPlaces(categoryMeans(this.#matrix, coded, target, rows))
      const next = Int32Array.from(coded.order).sort((a, b) => keys[a]! - keys[b]! || a - b)
      this.#renumber(coded, next)
    }
  }

  /** @returns the columns that encode rows as the matrix holds them now */
  columns (): Columns {
    const columns = [...this.#spec]
    for (const { column, order } of this.#coded) {
      columns[column] = { ...columns[column]!, steps: columns[column]!.steps.map(step => reordered(step, order)) }
    }
    return columns
  }

  #renumber (coded: Coded, next: Int32Array): void {
    const { data, columns } = this.#matrix
    const places = new Int32Array(next.length)
    next.forEach((category, code) => { places[category] = code })
    const codes = coded.order.map(category => places[category]!)
    for (let at = coded.column; at < data.length; at += columns) {
      const code = data[at]!
      if (!Number.isNaN(code)) data[at] = codes[code]!
    }
    coded.order = next
  }
}

function reordered (step: Step, order: Int32Array): Step {
  if (!('ordinal' in step)) return step
  const { categories } = step.ordinal
  return { ordinal: { ...step.ordinal, categories: Array.from(order, category => categories[category]!) } }
}

/** Per category, in the order of the spec, so that sums do not depend on the present codes. */
interface CategoryMeans {
  readonly rows: Float64Array
  /** How far the target's mean, or each class's share, is from that of all rows; `outputs` numbers per category. */
  readonly differences: Float64Array
  readonly outputs: number
}

function categoryMeans ({ data, columns }: Matrix, { column, order }: Coded, target: Target, chosen: Int32Array | undefined): CategoryMeans {
  const outputs = target.kind === 'classes' ? target.count : 1
  const count = target.kind === 'classes' ? target.classes.length : target.values.length
  const rows = new Float64Array(order.length)
  const differences = new Float64Array(order.length * outputs)
  const total = new Float64Array(outputs)
  let known = 0
  for (let place = 0; place < count; place++) {
    const code = data[(chosen?.[place] ?? place) * columns + column]!
    if (Number.isNaN(code)) continue
    const category = order[code]!
    const output = target.kind === 'classes' ? target.classes[place]! : 0
    const amount = target.kind === 'classes' ? 1 : target.values[place]!
    known++
    rows[category]! += 1
    differences[category * outputs + output]! += amount
    total[output]! += amount
  }
  for (let at = 0; at < differences.length; at++) {
    const mean = known === 0 ? 0 : total[at % outputs]! / known
    const rowsOfCategory = rows[Math.floor(at / outputs)]!
    differences[at] = (differences[at]! - rowsOfCategory * mean) / (rowsOfCategory + priorRows)
  }
  return { rows, differences, outputs }
}

/** Where each category lies on the axis along which they differ most. */
function axisPlaces ({ rows, differences, outputs }: CategoryMeans): Float64Array {
  if (outputs === 1) return differences
  // A start without symmetry: where classes differ equally in several directions, it still tells all of them apart.
  let axis = Float64Array.from({ length: outputs }, (_, k) => Math.sqrt(k + 1))
  for (let step = 0; step < axisSteps; step++) {
    const next = new Float64Array(outputs)
    places(differences, axis).forEach((place, category) => {
      for (let k = 0; k < outputs; k++) next[k]! += rows[category]! * place * differences[category * outputs + k]!
    })
    const length = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0))
    if (length === 0) break
    axis = next.map(x => x / length)
  }
  return places(differences, axis)
}

function places (differences: Float64Array, axis: Float64Array): Float64Array {
  return Float64Array.from({ length: differences.length / axis.length }, (_, category) => {
    let place = 0
    for (let k = 0; k < axis.length; k++) place += differences[category * axis.length + k]! * axis[k]!
    return place
  })
}
