import { binMatrix } from './bins.ts'
import { BoostGrower } from './boost-grow.ts'
import type { Derivatives } from './boost-histogram.ts'
import { baseScores, expectations, type Loss, lossOf, meanLoss, scoresPerRow } from './boost-loss.ts'
import { type ClassWeight, classWeights } from './class-weights.ts'
import { type Matrix, selectRows, selectTarget, type Target } from './matrix.ts'
import { random, type Random } from './random.ts'
import { holdout, validationStream } from './split.ts'
import { type Tree, leafOf } from './tree.ts'

export interface BoostParams {
  /** Rounds, at most; a round is one tree, or one per class where there are three classes and more. */
  readonly trees: number
  readonly learningRate: number
  readonly maxLeaves: number
  readonly maxDepth: number
  readonly minSamplesLeaf: number
  readonly l2: number
  /** Share of the rows that each round sees. */
  readonly subsample: number
  /** Share of the columns that each tree may split by. */
  readonly colsample: number
  /** Share of the rows that is held back to see when more trees no longer help; 0: none. */
  readonly validation: number
  /** So many rounds without a lesser loss are the end; those rounds are left out. */
  readonly patience: number
  readonly classWeight?: ClassWeight | undefined
}

/** Scores are sums of one leaf per tree. */
export interface Boost {
  readonly loss: Loss
  /** The width of a row. */
  readonly columns: number
  /** What each score of a row begins with. */
  readonly base: readonly number[]
  /** They add to the scores in turn. */
  readonly trees: readonly Tree[]
}

interface Rows {
  readonly matrix: Matrix
  readonly target: Target
}

/**
 * Gradient boosting to the second order.
 *
 * @param seed decides everything that is random: the same seed gives the same model
 * @param onRound told after each round, how many there are
 */
export function fitBoost (matrix: Matrix, target: Target, params: BoostParams, seed: number, onRound?: (done: number) => void): Boost {
  const weights = classWeights(target, params.classWeight)
  const { learned, held } = holdBack({ matrix, target }, params.validation, seed)
  const booster = new Booster(learned, params, weights, seed)
  const watch = held === undefined ? undefined : new Watch(held, booster.base, weights)
  const trees: Tree[] = []
  let rounds = 0
  for (let done = 0; done < params.trees; done++) {
    const grown = booster.round(done)
    if (grown === undefined) break
    trees.push(...grown)
    rounds = watch?.bestAfter(grown) ?? done + 1
    onRound?.(done + 1)
    if (done + 1 - rounds >= params.patience) break
  }
  return { loss: lossOf(target), columns: matrix.columns, base: booster.base, trees: trees.slice(0, rounds * booster.base.length) }
}

function holdBack ({ matrix, target }: Rows, share: number, seed: number): { learned: Rows, held?: Rows } {
  const { train, test } = holdout(target, share, seed, validationStream)
  if (test.length === 0) return { learned: { matrix, target } }
  const part = (rows: Int32Array) => ({ matrix: selectRows(matrix, rows), target: selectTarget(target, rows) })
  return { learned: part(train), held: part(test) }
}

/** What a row counts. */
function rowWeights ({ target }: Rows, weights: Float64Array | undefined): (row: number) => number {
  return weights === undefined || target.kind === 'values' ? () => 1 : row => weights[target.classes[row]!]!
}

/** Grows round after round over the rows that are learned from. */
class Booster {
  readonly base: readonly number[]
  readonly #learned: Rows
  readonly #params: BoostParams
  readonly #seed: number
  readonly #weight: (row: number) => number
  readonly #grower: BoostGrower
  readonly #scores: Float64Array
  /** What the scores stood for when the round began. */
  readonly #expected: Float64Array
  readonly #derivatives: Derivatives

  constructor (learned: Rows, params: BoostParams, weights: Float64Array | undefined, seed: number) {
    const { matrix, target } = learned
    this.#learned = learned
    this.#params = params
    this.#seed = seed
    this.#weight = rowWeights(learned, weights)
    this.#grower = new BoostGrower(binMatrix(matrix), params)
    this.base = baseScores(target, this.#weight)
    this.#scores = repeated(this.base, matrix.rows)
    this.#expected = new Float64Array(this.#scores.length)
    this.#derivatives = { gradients: new Float64Array(matrix.rows), hessians: new Float64Array(matrix.rows) }
  }

  /** @returns a tree per score; undefined when no further round would change anything */
  round (index: number): Tree[] | undefined {
    const { matrix, target } = this.#learned
    const { subsample, colsample } = this.#params
    const source = random(this.#seed, index)
    expectations(lossOf(target), this.#scores, scoresPerRow(target), this.#expected)
    const rows = sample(matrix.rows, subsample, source)
    const trees = this.base.map((_, output) => this.#growTree(output, rows.slice(), sample(matrix.columns, colsample, source)))
    const isFinal = subsample === 1 && colsample === 1 && trees.every(({ nodes }) => nodes === 1)
    return isFinal ? undefined : trees
  }

  #growTree (output: number, rows: Int32Array, columns: Int32Array): Tree {
    const { matrix } = this.#learned
    const scores = this.#scores
    const outputs = this.base.length
    this.#derive(output)
    const seesAll = rows.length === matrix.rows
    const tree = this.#grower.grow({ derivatives: this.#derivatives, rows, columns }, (value, start, end) => {
      if (!seesAll) return
      for (let i = start; i < end; i++) scores[rows[i]! * outputs + output]! += value
    })
    if (!seesAll) addTree(tree, matrix, scores, output, outputs)
    return tree
  }

  /** The derivatives by one of the scores. */
  #derive (output: number): void {
    const { target } = this.#learned
    const { gradients, hessians } = this.#derivatives
    const outputs = this.base.length
    for (let row = 0; row < gradients.length; row++) {
      const expected = this.#expected[row * outputs + output]!
      const weight = this.#weight(row)
      gradients[row] = weight * (expected - actual(target, row, output))
      hessians[row] = target.kind === 'values' ? 1 : weight * expected * (1 - expected)
    }
  }
}

/** What the score should stand for. The one score of two classes is that of the second. */
function actual (target: Target, row: number, output: number): number {
  if (target.kind === 'values') return target.values[row]!
  return target.classes[row] === (target.count === 2 ? 1 : output) ? 1 : 0
}

/** Follows the loss on rows that are not learned from. */
class Watch {
  readonly #held: Rows
  readonly #scores: Float64Array
  readonly #weight: (row: number) => number
  readonly #outputs: number
  #rounds = 0
  #best: { readonly rounds: number, readonly loss: number }

  constructor (held: Rows, base: readonly number[], weights: Float64Array | undefined) {
    this.#held = held
    this.#outputs = base.length
    this.#scores = repeated(base, held.matrix.rows)
    this.#weight = rowWeights(held, weights)
    this.#best = { rounds: 0, loss: meanLoss(this.#scores, held.target, this.#weight) }
  }

  /** @returns after how many rounds the loss was least, this one among them */
  bestAfter (trees: readonly Tree[]): number {
    trees.forEach((tree, output) => addTree(tree, this.#held.matrix, this.#scores, output, this.#outputs))
    const loss = meanLoss(this.#scores, this.#held.target, this.#weight)
    this.#rounds += 1
    if (loss < this.#best.loss) this.#best = { rounds: this.#rounds, loss }
    return this.#best.rounds
  }
}

function repeated (base: readonly number[], rows: number): Float64Array {
  const scores = new Float64Array(rows * base.length)
  for (let i = 0; i < scores.length; i++) scores[i] = base[i % base.length]!
  return scores
}

/** Adds every row's leaf to one of its scores. */
function addTree (tree: Tree, { data, rows, columns }: Matrix, scores: Float64Array, output: number, outputs: number): void {
  for (let row = 0; row < rows; row++) scores[row * outputs + output]! += tree.values[leafOf(tree, data, row * columns)]!
}

/** So many of the numbers from 0 to `count` - 1, ascending, each choice of them as likely as any other. */
function sample (count: number, share: number, source: Random): Int32Array {
  const wanted = Math.max(1, Math.round(share * count))
  const chosen = new Int32Array(wanted)
  let taken = 0
  for (let i = 0; taken < wanted; i++) {
    if (wanted === count || source.below(count - i) < wanted - taken) chosen[taken++] = i
  }
  return chosen
}

/** @returns a score per row and output, as float64 sums in the order of the trees */
export function scoresOf ({ base, trees }: Boost, matrix: Matrix): Float64Array {
  const scores = repeated(base, matrix.rows)
  trees.forEach((tree, i) => addTree(tree, matrix, scores, i % base.length, base.length))
  return scores
}
