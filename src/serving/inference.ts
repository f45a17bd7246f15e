import type { Manifest } from '../artifact/manifest.ts'
import type { Caller } from '../engine/engine.ts'
import { ApiError, type Fault } from '../errors.ts'
import type { Row } from '../row.ts'
import type { Prediction, WriteAnswer } from '../schemas/answer-text.ts'
import { type PredictInput, type RowSource, decodeRows } from '../schemas/decode.ts'
import { type Batch, encodeRows } from './encode.ts'
import type { Model } from './model.ts'
import type { Registry } from './registry.ts'
import type { TimedAnswers } from './tabular.ts'
import type { RowFaults } from './row-faults.ts'

export interface PredictOptions {
  /** Bad rows are answered in their place instead of failing the request. */
  readonly partial?: boolean
  /** Asked before a run starts: rows that nobody waits for any more are not run. */
  readonly signal?: Caller
}

/** Milliseconds spent in each stage of a request. */
export interface Timings {
  readonly validateMs: number
  readonly preprocessMs: number
  readonly queueMs: number
  readonly runMs: number
  readonly postprocessMs: number
  readonly totalMs: number
}

export interface PredictResult {
  /** True when the body was one row. */
  readonly single: boolean
  /** In the order of the request's rows. */
  readonly predictions: readonly Prediction[]
  readonly warnings: readonly Fault[]
  readonly timings: Timings
  /** Writes this as the JSON that `/predict` answers. */
  readonly writeAnswer: WriteAnswer
}

/** What a prediction came to, told once per request that reached a version; for metrics and drift. */
export interface PredictionEvent {
  readonly model: Model
  /** The rows that were predicted, and what for each: a class index or a value. */
  readonly rows: readonly Row[]
  readonly predictions: ArrayLike<number>
  /** Rows of the request, the bad ones included. */
  readonly requested: number
  readonly timings: Timings | undefined
  readonly error: unknown
}

export interface InferenceOptions {
  readonly registry: Registry
  readonly maxRows: number
  readonly timeoutMs: number
  readonly onPrediction: (event: PredictionEvent) => void
}

/** The one door to a model's answers, for HTTP, Lambda and the command line. */
export class Inference {
  readonly registry: Registry
  readonly #options: InferenceOptions

  constructor (options: InferenceOptions) {
    this.registry = options.registry
    this.#options = options
  }

  /**
   * Answers every row of a request, in order.
   *
   * @throws ApiError for rows that do not fit the model, for a full queue and for a run that took too long
   */
  async predict (model: Model, input: PredictInput, options: PredictOptions = {}): Promise<PredictResult> {
    const request: Request = { model, input, options, startedMs: performance.now(), requested: 0 }
    let answered: Answered
    try {
      answered = await this.#answer(request)
    } catch (error) {
      this.#options.onPrediction({ model, rows: [], predictions: [], requested: request.requested, timings: undefined, error })
      throw error
    }
    const { rows, answers, result } = answered
    this.#options.onPrediction({ model, rows, predictions: answers.predictions, requested: request.requested, timings: result.timings, error: undefined })
    return result
  }

  async #answer (request: Request): Promise<Answered> {
    const { model, options, startedMs } = request
    const { tabular } = model
    if (tabular === undefined) throw withoutFeatures(model)
    const source = decodeRows(request.input, tabular.reader.features, this.#options.maxRows)
    request.requested = source.rows.length
    const batch = encodeRows(tabular, source, options.partial === true)
    if (batch.faults.count > 0 && options.partial !== true) throw invalidInput(batch.faults, source)
    const encodedMs = performance.now()

    const answers = batch.rows.length === 0 ? noAnswers : await tabular.run(batch.matrix, batch.rows.length, { timeoutMs: this.#options.timeoutMs, signal: options.signal })
    const predictions = assemble(model.manifest, source, batch, answers)
    if (batch.faults.count > 0 && options.partial !== true) throw invalidInput(batch.faults, source)
    const timings = timingsOf(startedMs, batch, encodedMs, answers)
    return { rows: batch.rows, answers, result: { single: source.single, predictions, warnings: batch.warnings, timings, writeAnswer: tabular.writeAnswer } }
  }
}

interface Request {
  readonly model: Model
  readonly input: PredictInput
  readonly options: PredictOptions
  readonly startedMs: number
  requested: number
}

interface Answered { readonly rows: readonly Row[], readonly answers: TimedAnswers, readonly result: PredictResult }

/** Puts each answer, or each bad row's faults, into its row's place; an answer that is no number is a fault too. */
function assemble ({ task, labels }: Manifest, source: RowSource, { places, faults }: Batch, answers: TimedAnswers): Prediction[] {
  const predictions = new Array<Prediction>(source.rows.length)
  places.forEach((place, i) => {
    const prediction = answers.predictions[i] ?? NaN
    const probabilities = answers.probabilities?.[i]
    if (!Number.isFinite(prediction) || probabilities?.every(Number.isFinite) === false) {
      faults.add(place, [{ path: '', message: 'the model gives no finite number for this row' }])
    } else if (task === 'regression') {
      predictions[place] = { prediction }
    } else {
      const className = labels?.[prediction] ?? ''
      predictions[place] = probabilities === undefined ? { prediction, class_name: className } : { prediction, class_name: className, probabilities }
    }
  })
  for (const [place, errors] of faults.listed) predictions[place] = { errors }
  return predictions
}

const noAnswers: TimedAnswers = { predictions: new Float64Array(0), probabilities: undefined, queueMs: 0, runMs: 0, postprocessMs: 0 }

function timingsOf (startedMs: number, { validateMs }: Batch, encodedMs: number, answers: TimedAnswers): Timings {
  const totalMs = performance.now() - startedMs
  const { queueMs, runMs, postprocessMs } = answers
  return { validateMs, preprocessMs: encodedMs - startedMs - validateMs, queueMs, runMs, postprocessMs, totalMs }
}

function withoutFeatures ({ manifest: { name, version } }: Model): ApiError {
  return new ApiError('ROUTE_NOT_FOUND', `${name} ${version} is served as raw tensors: it has no features to predict from. Give it a manifest.json that names them.`)
}

function invalidInput (faults: RowFaults, source: RowSource): ApiError {
  const errors = faults.list()
  const more = faults.count > errors.length ? ` The first ${errors.length} are listed.` : ''
  const count = faults.count === 1 ? 'One value does' : `${faults.count} values do`
  const rows = source.single ? '' : ` in ${faults.listed.size} of ${source.rows.length} rows`
  return new ApiError(source.unreadable.size > 0 ? source.unreadableCode : 'INVALID_INPUT', `${count} not fit the model${rows}.${more}`, { errors })
}
