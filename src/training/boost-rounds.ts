import { type BinnedMatrix, missingBin } from './bins.ts'
import { BoostGrower, type GrownTree } from './boost-grow.ts'
import type { Derivatives } from './boost-histogram.ts'
import { expectations, lossOf, meanLoss, scoresPerRow } from './boost-loss.ts'
import type { ClassWeight } from './class-weights.ts'
import type { Target } from './matrix.ts'
import { random, type Random } from './random.ts'
import type { Rendezvous } from './rendezvous.ts'
import type { Tree } from './tree.ts'

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

interface BinnedRows {
  readonly data: BinnedMatrix
  readonly target: Target
}

export interface BoostTask {
  readonly learned: BinnedRows
  /** That show when more trees no longer help. */
  readonly held: BinnedRows | undefined
  readonly params: BoostParams
  /** What a row of each class counts, where they differ. */
  readonly weights: Float64Array | undefined
  /** What each score of a row begins with. */
  readonly base: readonly number[]
  readonly seed: number
  /** Of the rows that are learned from, in shared memory: each thread fills a part. */
  readonly shared: { readonly scores: Float64Array, readonly derivatives: Derivatives }
}

/** What a row counts. */
export function rowWeights (target: Target, weights: Float64Array | undefined): (row: number) => number {
  return weights === undefined || target.kind === 'values' ? () => 1 : row => weights[target.classes[row]!]!
}

/**
 * Grows round after round, alone or in step with other threads: the trees are the same, to the bit.
 *
 * @param onRound told after each round, how many there are
 */
export function boostRounds (task: BoostTask, rendezvous: Rendezvous, onRound?: (done: number) => void): Tree[] {
  const { params, base, held, weights } = task
  const booster = new Booster(task, rendezvous)
  const watch = held === undefined ? undefined : new Watch(held, base, weights)
  const trees: Tree[] = []
  let rounds = 0
  for (let done = 0; done < params.trees; done++) {
    const grown = booster.round(done)
    if (grown === undefined) break
    trees.push(...grown.map(({ tree }) => tree))
    rounds = watch?.bestAfter(grown) ?? done + 1
    onRound?.(done + 1)
    if (done + 1 - rounds >= params.patience) break
  }
  return trees.slice(0, rounds * base.length)
}

const nothing = new Float64Array(1)

/** Grows round after round over the rows that are learned from. */
class Booster {
  readonly #task: BoostTask
  readonly #rendezvous: Rendezvous
  readonly #grower: BoostGrower
  /** Of the thread's own rows: where they begin and end, and what their scores stood for when the round began. */
  readonly #from: number
  readonly #to: number
  readonly #expected: Float64Array
  /** The rows that a round sees, and the same in the order of a tree's leaves. New memory for each tree would pile up until it is collected. */
  readonly #sampled: Int32Array
  readonly #ordered: Int32Array

  constructor (task: BoostTask, rendezvous: Rendezvous) {
    const { learned: { data }, base, params, shared } = task
    this.#task = task
    this.#rendezvous = rendezvous
    this.#grower = new BoostGrower(data, params, rendezvous)
    this.#from = Math.floor(rendezvous.index * data.rows / rendezvous.size)
    this.#to = Math.floor((rendezvous.index + 1) * data.rows / rendezvous.size)
    this.#expected = new Float64Array((this.#to - this.#from) * base.length)
    this.#sampled = new Int32Array(sampleSize(data.rows, params.subsample))
    this.#ordered = new Int32Array(this.#sampled.length)
    fillWith(base, this.#ownScores(shared.scores))
  }

  /** @returns a tree per score; undefined when no further round would change anything */
  round (index: number): GrownTree[] | undefined {
    const { learned: { data, target }, params: { subsample, colsample }, base, seed, shared } = this.#task
    const source = random(seed, index)
    expectations(lossOf(target), this.#ownScores(shared.scores), scoresPerRow(target), this.#expected)
    sample(data.rows, this.#sampled, source)
    const grown = base.map((_, output) => {
      this.#ordered.set(this.#sampled)
      const columns = sample(data.columns, new Int32Array(sampleSize(data.columns, colsample)), source)
      return this.#growTree(output, this.#ordered, columns)
    })
    const isFinal = subsample === 1 && colsample === 1 && grown.every(({ tree }) => tree.nodes === 1)
    return isFinal ? undefined : grown
  }

  #ownScores (scores: Float64Array): Float64Array {
    const outputs = this.#task.base.length
    return scores.subarray(this.#from * outputs, this.#to * outputs)
  }

  #growTree (output: number, rows: Int32Array, columns: Int32Array): GrownTree {
    const { learned: { data }, base, shared: { scores, derivatives } } = this.#task
    this.#derive(output)
    this.#rendezvous.exchange(nothing)
    const grown = this.#grower.grow({ derivatives, rows, columns })
    if (rows.length === data.rows) this.#addLeaves(grown, rows, output)
    else addTree(grown, data, this.#from, this.#to, scores, output, base.length)
    // The next tree's derivatives come from other rows' scores, and the next round's trees overwrite these derivatives.
    this.#rendezvous.exchange(nothing)
    return grown
  }

  /** The rows of each leaf stand together: each thread takes as many places of `rows` as it has rows. */
  #addLeaves ({ leaves }: GrownTree, rows: Int32Array, output: number): void {
    const { base, shared: { scores } } = this.#task
    for (const { value, start, end } of leaves) {
      const stop = Math.min(end, this.#to)
      for (let i = Math.max(start, this.#from); i < stop; i++) scores[rows[i]! * base.length + output]! += value
    }
  }

  /** The derivatives of the thread's own rows by one of the scores. */
  #derive (output: number): void {
    const { learned: { target }, weights, base, shared: { derivatives: { gradients, hessians } } } = this.#task
    const expected = this.#expected
    const outputs = base.length
    const [from, to] = [this.#from, this.#to]
    if (target.kind === 'values') {
      for (let row = from; row < to; row++) gradients[row] = expected[row - from]! - target.values[row]!
      hessians.fill(1, from, to)
      return
    }
    // The one score of two classes is that of the second.
    const wanted = target.count === 2 ? 1 : output
    for (let row = from; row < to; row++) {
      const k = target.classes[row]!
      const share = expected[(row - from) * outputs + output]!
      const weight = weights === undefined ? 1 : weights[k]!
      gradients[row] = weight * (share - (k === wanted ? 1 : 0))
      hessians[row] = weight * share * (1 - share)
    }
  }
}

/** Follows the loss on rows that are not learned from. */
class Watch {
  readonly #held: BinnedRows
  readonly #scores: Float64Array
  readonly #weight: (row: number) => number
  readonly #outputs: number
  #rounds = 0
  #best: { readonly rounds: number, readonly loss: number }

  constructor (held: BinnedRows, base: readonly number[], weights: Float64Array | undefined) {
    this.#held = held
    this.#outputs = base.length
    this.#scores = fillWith(base, new Float64Array(held.data.rows * base.length))
    this.#weight = rowWeights(held.target, weights)
    this.#best = { rounds: 0, loss: meanLoss(this.#scores, held.target, this.#weight) }
  }

  /** @returns after how many rounds the loss was least, this one among them */
  bestAfter (grown: readonly GrownTree[]): number {
    const { data, target } = this.#held
    grown.forEach((tree, output) => addTree(tree, data, 0, data.rows, this.#scores, output, this.#outputs))
    const loss = meanLoss(this.#scores, target, this.#weight)
    this.#rounds += 1
    if (loss < this.#best.loss) this.#best = { rounds: this.#rounds, loss }
    return this.#best.rounds
  }
}

function fillWith (base: readonly number[], scores: Float64Array): Float64Array {
  for (let i = 0; i < scores.length; i++) scores[i] = base[i % base.length]!
  return scores
}

/** Adds the leaf of each row from `from` to before `to` to one of its scores. */
function addTree ({ tree, bins }: GrownTree, { codes, rows }: BinnedMatrix, from: number, to: number, scores: Float64Array, output: number, outputs: number): void {
  const { feature, missingLeft, left, right, values } = tree
  for (let row = from; row < to; row++) {
    let node = 0
    while (feature[node]! >= 0) {
      const code = codes[feature[node]! * rows + row]!
      const goesLeft = code === missingBin ? missingLeft[node] === 1 : code <= bins[node]!
      node = goesLeft ? left[node]! : right[node]!
    }
    scores[row * outputs + output]! += values[node]!
  }
}

function sampleSize (count: number, share: number): number {
  return Math.max(1, Math.round(share * count))
}

/** Fills `chosen` with numbers from 0 to `count` - 1, ascending, each choice of them as likely as any other. */
function sample (count: number, chosen: Int32Array, source: Random): Int32Array {
  const wanted = chosen.length
  let taken = 0
  for (let i = 0; taken < wanted; i++) {
    if (wanted === count || source.below(count - i) < wanted - taken) chosen[taken++] = i
  }
  return chosen
}
