import type { Caller, Batch as GraphBatch, RunResult, Tensors } from '../engine/engine.ts'
import { ApiError, type Fault } from '../errors.ts'
import type { Row } from '../row.ts'
import type { Prediction, WriteAnswer } from '../schemas/answer-text.ts'
import { type PredictInput, type RowSource, decodeRows } from '../schemas/decode.ts'
import type { Answers } from './answers.ts'
import { type Batch, encodeRows } from './encode.ts'
import type { Model } from './model.ts'
import { assemble, invalidInput } from './predictions.ts'
import type { Registry } from './registry.ts'
import { toCaller } from './run-error.ts'
import type { Tabular } from './tabular.ts'
import { areFeatures, columnsToRows, toBatch } from './tensors.ts'

/** In whose words a request came; a label of the metrics. */
export type Protocol = 'predict' | 'oip' | 'mlflow' | 'sagemaker' | 'vertex' | 'tfserving'

export interface InferOptions {
  /** Asked before a run starts: rows that nobody waits for any more are not run. */
  readonly signal?: Caller
  /** `predict` unless told. */
  readonly protocol?: Protocol
}

export interface PredictOptions extends InferOptions {
  /** Bad rows are answered in their place instead of failing the request. */
  readonly partial?: boolean
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

export interface InferResult {
  /** Every output of the graph, by name; they may be views into a buffer that other requests share. */
  readonly outputs: Tensors
  readonly timings: Timings
}

/** What a request came to, told once per request that reached a version; for metrics and drift. */
export interface PredictionEvent {
  readonly model: Model
  readonly protocol: Protocol
  /** The rows that were predicted, and what for each: a class index or a value. None where tensors were sent. */
  readonly rows: readonly Row[]
  readonly predictions: ArrayLike<number>
  /** Rows of the request, the bad ones included. */
  readonly requested: number
  /** True where bad rows were answered in their places. */
  readonly partial: boolean
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
   * Reads what a protocol sent for a version: a body that cannot be read counts among the requests that the
   * version refused, as one with bad rows does.
   */
  read<T> (model: Model, protocol: Protocol, read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw this.#failed(begin(model, { protocol }), error)
    }
  }

  /**
   * Answers every row of a request, in order.
   *
   * @throws ApiError for rows that do not fit the model, values that it cannot run, a full queue and a run that took too long
   */
  async predict (model: Model, input: PredictInput, options: PredictOptions = {}): Promise<PredictResult> {
    const request = begin(model, options)
    const { tabular } = model
    try {
      if (tabular === undefined) throw withoutFeatures(model)
      const source = decodeRows(input, tabular.reader.features, this.#options.maxRows)
      const batch = encode(request, tabular, source, options.partial === true)
      const rows = batch.rows.length
      // Where every row was bad, each is answered in its place.
      const answers = rows === 0 ? noAnswers : tabular.readAnswers(ran(request, await this.#run(request, { inputs: batch.inputs, rows }, options)), rows)
      const predictions = assemble(model.manifest, source, batch, answers)
      if (batch.faults.count > 0 && options.partial !== true) throw invalidInput(batch.faults, source)
      const timings = timingsOf(request)
      this.#tell(request, timings, batch.rows, answers.predictions, batch.faults.count > 0)
      return { single: source.single, predictions, warnings: batch.warnings, timings, writeAnswer: tabular.writeAnswer }
    } catch (error) {
      throw this.#failed(request, error)
    }
  }

  /**
   * Runs tensors: the graph's own inputs, or the model's features as named columns, which are validated
   * and encoded as rows are.
   *
   * @throws ApiError as `predict` does; BAD_ENVELOPE for tensors that are not what the model takes
   */
  async infer (model: Model, inputs: Tensors, options: InferOptions = {}): Promise<InferResult> {
    const request = begin(model, options)
    try {
      return areFeatures(model, inputs) ? await this.#inferColumns(request, inputs, options) : await this.#inferTensors(request, inputs, options)
    } catch (error) {
      throw this.#failed(request, error)
    }
  }

  async #inferColumns (request: Request, inputs: Tensors, options: InferOptions): Promise<InferResult> {
    const { reader, readAnswers } = request.model.tabular as Tabular
    const source = columnsToRows(reader.features, inputs, this.#options.maxRows)
    const { inputs: encoded, rows } = encode(request, request.model.tabular as Tabular, source, false)
    const outputs = ran(request, await this.#run(request, { inputs: encoded, rows: rows.length }, options))
    const { predictions } = rows.length === 0 ? noAnswers : readAnswers(outputs, rows.length)
    const timings = timingsOf(request)
    this.#tell(request, timings, rows, predictions, false)
    return { outputs, timings }
  }

  async #inferTensors (request: Request, inputs: Tensors, options: InferOptions): Promise<InferResult> {
    const batch = toBatch(request.model.engine, inputs)
    request.requested = batch.rows
    request.validatedMs = request.encodedMs = performance.now()
    const outputs = ran(request, await this.#run(request, batch, options))
    const timings = timingsOf(request)
    this.#tell(request, timings, [], [], false)
    return { outputs, timings }
  }

  #run ({ model }: Request, batch: GraphBatch, { signal }: InferOptions): Promise<RunResult> {
    return model.engine.run(batch, { signal, timeoutMs: this.#options.timeoutMs })
  }

  #tell ({ model, protocol, requested }: Request, timings: Timings, rows: readonly Row[], predictions: ArrayLike<number>, partial: boolean): void {
    this.#options.onPrediction({ model, protocol, rows, predictions, requested, partial, timings, error: undefined })
  }

  /** @returns what the caller is told */
  #failed ({ model, protocol, requested }: Request, cause: unknown): unknown {
    const error = toCaller(cause)
    this.#options.onPrediction({ model, protocol, rows: [], predictions: [], requested, partial: false, timings: undefined, error })
    return error
  }
}

/** A request on its way, and when it came past where. */
interface Request {
  readonly model: Model
  readonly protocol: Protocol
  readonly startedMs: number
  requested: number
  validatedMs: number
  encodedMs: number
  queueMs: number
  runMs: number
  ranMs: number
}

const noAnswers: Answers = { predictions: new Float64Array(0), probabilities: undefined }

function begin (model: Model, { protocol = 'predict' }: InferOptions): Request {
  const startedMs = performance.now()
  return { model, protocol, startedMs, requested: 0, validatedMs: startedMs, encodedMs: startedMs, queueMs: 0, runMs: 0, ranMs: startedMs }
}

function encode (request: Request, tabular: Tabular, source: RowSource, partial: boolean): Batch {
  request.requested = source.rows.length
  const batch = encodeRows(tabular, source, partial)
  request.validatedMs = request.startedMs + batch.validateMs
  if (batch.faults.count > 0 && !partial) throw invalidInput(batch.faults, source)
  request.encodedMs = performance.now()
  return batch
}

function ran (request: Request, { outputs, queueMs, runMs }: RunResult): Tensors {
  request.queueMs = queueMs
  request.runMs = runMs
  request.ranMs = performance.now()
  return outputs
}

function timingsOf ({ startedMs, validatedMs, encodedMs, queueMs, runMs, ranMs }: Request): Timings {
  const nowMs = performance.now()
  return {
    validateMs: validatedMs - startedMs,
    preprocessMs: encodedMs - validatedMs,
    queueMs,
    runMs,
    postprocessMs: nowMs - ranMs,
    totalMs: nowMs - startedMs,
  }
}

function withoutFeatures ({ manifest: { name, version } }: Model): ApiError {
  return new ApiError('ROUTE_NOT_FOUND', `${name} ${version} is served as raw tensors: it has no features to predict from. Give it a manifest.json that names them.`)
}
