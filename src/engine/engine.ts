import { ApiError } from '../errors.ts'
import type { Batch } from './batch.ts'
import { Batcher, type Lane, type RunOptions, type RunResult } from './batcher.ts'
import { cpuCount } from './cpus.ts'
import { inlineMs, load, type Loaded, type WarmUp } from './load.ts'
import { Pool, type Log } from './pool.ts'
import type { GraphParts, Specs } from './graph.ts'

export { type Batch, joinRows, sliceRows } from './batch.ts'
export type { Caller, RunOptions, RunResult } from './batcher.ts'
export { RunError, type GraphParts, type Specs as GraphSpecs, type Tensors } from './graph.ts'

/** Where a model's runs happen, and the measured reasons. */
export interface Placement {
  /** `inline`: runs of up to `inlineRows` rows happen on the main thread, larger ones in worker threads; `pool`: all in worker threads. */
  readonly mode: 'inline' | 'pool'
  readonly inlineRows: number
  /** True where requests that wait at the same time share a run. */
  readonly gathers: boolean
  /** A run of n rows takes about oneRowMs + (n - 1) × perRowMs; null where no row is known that the model runs. */
  readonly oneRowMs: number | null
  readonly perRowMs: number | null
}

/** A loaded graph: tensors in, tensors out. */
export interface Engine extends Specs {
  readonly placement: Placement
  /**
   * Runs the graph over a batch, together with others that wait where rows are independent: the answer
   * is bit by bit that of the batch alone. Its tensors may be views into a buffer that is shared with others.
   *
   * @throws QUEUE_FULL, INFERENCE_TIMEOUT, MODEL_NOT_READY once closed, INTERNAL when a thread died,
   *         RunError when the runtime refuses the values, the signal's reason when the caller left
   */
  run: (batch: Batch, options?: RunOptions) => Promise<RunResult>
  /** Rows that wait for a run to begin. */
  queuedRows: () => number
  /** Runs of the graph so far: requests that shared one count once. */
  executions: () => number
  /** Waits for the runs asked for so far, then frees the model on every thread. */
  close: () => Promise<void>
}

export interface EngineHost {
  /**
   * @param model   an ONNX file; the bytes are kept for threads that come to open it later
   * @param warmUp  makes rows such as callers send; without them zeros are tried
   * @throws Error with a short reason: the file cannot be loaded, or the warm-up rows do not run
   */
  open: (model: Uint8Array, options?: GraphParts & { readonly warmUp?: WarmUp }) => Promise<Engine>
  /** Closes every engine, then ends the threads. */
  close: () => Promise<void>
}

interface Limits {
  /** Rows of one model that may wait; a batch larger than that is taken when nothing waits. */
  readonly maxQueuedRows: number
  /** Rows that gathered batches have together; a larger batch runs alone. */
  readonly maxBatchRows: number
}

export interface EngineHostOptions extends Partial<Limits> {
  /** Worker threads, started when first needed; unset: one for each CPU of the quota. */
  readonly threads?: number | undefined
  readonly log: Log
}

/** A shared run may last so much longer than one of a single row: everybody in it waits for all of it, and more would save little. */
const maxSharedMs = 100

/** Opens models, and places the runs of each on this thread or on those of one pool. */
export function createEngineHost ({ threads = cpuCount(), maxQueuedRows = 50_000, maxBatchRows = 4096, log }: EngineHostOptions): EngineHost {
  const pool = new Pool(threads, log)
  const engines = new Set<Engine>()
  return {
    async open (model, { warmUp = () => undefined, ...parts } = {}) {
      const engine = createEngine(await load(model, parts, warmUp, pool), { maxQueuedRows, maxBatchRows }, () => engines.delete(engine))
      engines.add(engine)
      return engine
    },
    async close () {
      await Promise.all([...engines].map(engine => engine.close()))
      await pool.close()
    },
  }
}

function createEngine (loaded: Loaded, limits: Limits, onClose: () => void): Engine {
  const { specs, inline, pooled, rowsWorth } = loaded
  const placement = placementOf(loaded, limits)
  const gatheredRows = placement.gathers ? Math.min(limits.maxBatchRows, 1 + Math.floor(maxSharedMs / (placement.perRowMs ?? 0))) : 0
  const batchers = { pool: new Batcher(pooled.lane, gatheredRows), inline: undefined as Batcher | undefined }
  if (inline !== undefined) {
    const lane: Lane = start => setImmediate(() => start(inline.run, 0))
    batchers.inline = new Batcher(lane, Math.min(gatheredRows, placement.inlineRows))
  }
  const queuedRows = () => batchers.pool.waitingRows + (batchers.inline?.waitingRows ?? 0)
  const isFull = (rows: number) => queuedRows() > 0 && queuedRows() + rows > limits.maxQueuedRows

  async function end (): Promise<void> {
    await Promise.all([batchers.inline?.idle(), batchers.pool.idle()])
    await Promise.all([inline?.release(), pooled.release()])
    onClose()
  }

  let ended: Promise<void> | undefined
  return {
    inputs: specs.inputs,
    outputs: specs.outputs,
    columns: specs.columns,
    placement,
    run (batch, options = {}) {
      if (ended !== undefined) return Promise.reject(new ApiError('MODEL_NOT_READY', 'The model was unloaded; ask for its current version.'))
      if (options.signal?.aborted === true) return Promise.reject(options.signal.reason)
      if (isFull(batch.rows)) {
        batchers.inline?.sweep()
        batchers.pool.sweep()
        if (isFull(batch.rows)) return Promise.reject(queueFull(queuedRows(), placement))
      }
      const weight = rowsWorth(batch)
      const batcher = weight <= placement.inlineRows ? batchers.inline ?? batchers.pool : batchers.pool
      return batcher.run(batch, weight, options)
    },
    queuedRows,
    executions: () => batchers.pool.runs + (batchers.inline?.runs ?? 0),
    close () {
      ended ??= end()
      return ended
    },
  }
}

function placementOf ({ inline, speed }: Loaded, { maxBatchRows }: Limits): Placement {
  if (speed === undefined) return { mode: 'pool', inlineRows: 0, gathers: false, oneRowMs: null, perRowMs: null }
  if (inline === undefined) return { mode: 'pool', inlineRows: 0, ...speed }
  const furtherRows = Math.floor((inlineMs - speed.oneRowMs) / speed.perRowMs)
  return { mode: 'inline', inlineRows: Math.min(1 + furtherRows, maxBatchRows), ...speed }
}

function queueFull (queuedRows: number, { perRowMs }: Placement): ApiError {
  const waitSeconds = Math.min(60, Math.max(1, Math.ceil(queuedRows * (perRowMs ?? 0) / 1000)))
  return new ApiError('QUEUE_FULL', `${queuedRows} rows wait for this model already; try again in ${waitSeconds} s.`, {
    headers: { 'retry-after': `${waitSeconds}` },
  })
}
