import type { Tensor, TensorSpec } from '../tensor.ts'

export type Tensors = Readonly<Record<string, Tensor>>

export interface Answer {
  /** Every output of the graph, by name. */
  readonly outputs: Tensors
  /** The inference alone, without the wait for its turn. */
  readonly runMs: number
}

/** What belongs to a graph beside its file. */
export interface GraphParts {
  /** Weights that the graph keeps in other files, by the names under which it looks for them. */
  readonly externalData?: ReadonlyMap<string, Uint8Array> | undefined
  /** An ONNX file whose outputs are inputs of the graph: both run as one. */
  readonly preprocessor?: Uint8Array | undefined
}

/** What a session takes and gives. */
export interface Specs {
  /** The graph's own inputs. */
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  /** What may be given instead where a preprocessor runs before the graph. */
  readonly columns?: readonly TensorSpec[] | undefined
}

/** One loaded graph on this thread. */
export interface Session extends Specs {
  /**
   * Begins in the next turn of the event loop and holds the thread until the inference is done.
   *
   * @throws RunError when the runtime cannot run these inputs
   */
  run: (inputs: Tensors) => Promise<Answer>
  release: () => Promise<void>
}

/** The runtime could not run the inputs it was given. The message is the runtime's: for the log, not for the caller. */
export class RunError extends Error {
  override readonly name = 'RunError'
}
