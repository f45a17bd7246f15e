import { ApiError, type Fault } from '../errors.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import type { Inference } from '../serving/inference.ts'
import type { Model } from '../serving/model.ts'
import type { InputRow } from './input-row.ts'

/** Whoever waits for a chunk should not wait long, and a run should be worth its way to a thread. */
const chunkMs = 200
/** More than any run that the engine would do on this thread, which has the files to read meanwhile. */
const maxChunkRows = 8192

/** Of a row with more faults, how many are listed depends on the rows before it. */
const surelyListed = 10

/** Asks the model by the same door as `/predict`; a row's answer does not depend on those beside it. */
export class Scorer {
  /** Rows that are asked together. */
  readonly chunkRows: number
  /** Chunks that are worth asking at once. */
  readonly inFlight: number
  readonly #model: Model
  readonly #inference: Inference

  constructor (model: Model, inference: Inference, threads: number) {
    const { gathers, perRowMs } = model.engine.placement
    this.#model = model
    this.#inference = inference
    // Where rows were not seen to be independent, each has a run of its own, as a caller's one row has.
    this.chunkRows = gathers ? Math.min(maxChunkRows, Math.max(1, Math.floor(chunkMs / (perRowMs ?? chunkMs)))) : 1
    this.inFlight = gathers ? threads + 1 : 16 * threads
  }

  /** An answer or the faults of each row, in order; paths are relative to the row. */
  async score (rows: readonly InputRow[]): Promise<Prediction[]> {
    const readable = rows.filter(({ fault }) => fault === undefined)
    const answers = await this.#predict(readable.map(({ row }) => row))
    let next = 0
    return rows.map(({ fault }) => fault === undefined ? answers[next++] as Prediction : refused(fault))
  }

  async #predict (rows: readonly unknown[]): Promise<readonly Prediction[]> {
    if (rows.length === 0) return []
    try {
      const { predictions } = await this.#inference.predict(this.#model, { type: 'rows', rows, pointer: () => '' }, { partial: true })
      if (rows.length === 1 || !predictions.some(listsMany)) return predictions
      return (await Promise.all(predictions.map(async (answer, i) => listsMany(answer) ? await this.#predict([rows[i]]) : [answer]))).flat()
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'UNRUNNABLE_VALUES') throw error
      // One row's values fail the run of all.
      if (rows.length === 1) return [refused(error.message)]
      const half = rows.length >> 1
      return [...await this.#predict(rows.slice(0, half)), ...await this.#predict(rows.slice(half))]
    }
  }
}

function listsMany (answer: Prediction): boolean {
  return 'errors' in answer && answer.errors.length > surelyListed
}

function refused (message: string): Prediction {
  const errors: Fault[] = [{ path: '', message }]
  return { errors }
}
