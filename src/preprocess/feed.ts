import type { Row } from '../row.ts'
import type { Tensor } from '../tensor.ts'
import type { Encoder, EncodingFault, Matrix } from './compile.ts'

/** How rows become the inputs of a graph, compiled once per version. */
export interface Feed {
  /** Room for so many rows. */
  begin: (rows: number) => Filling
}

/** The rows of one request on their way into the graph. */
export interface Filling {
  /** Writes a row into place `i`; one with a fault may be overwritten by the next. */
  write: (row: Row, i: number, fault?: EncodingFault) => void
  /** The first `rows` rows by input, each [rows, …]; they belong to the engine from here on. */
  tensors: (rows: number) => Record<string, Tensor>
}

/** All columns side by side in one input. */
export function matrixFeed (encoder: Encoder): Feed {
  return { begin: rows => new MatrixFilling(encoder, rows) }
}

class MatrixFilling implements Filling {
  readonly #encoder: Encoder
  readonly #matrix: Matrix

  constructor (encoder: Encoder, rows: number) {
    this.#encoder = encoder
    this.#matrix = encoder.type === 'float32' ? new Float32Array(rows * encoder.width) : new Float64Array(rows * encoder.width)
  }

  write (row: Row, i: number, fault?: EncodingFault): void {
    this.#encoder.write(row, this.#matrix, i * this.#encoder.width, fault)
  }

  tensors (rows: number): Record<string, Tensor> {
    const { input, type, width } = this.#encoder
    const full = this.#matrix.length === rows * width
    return { [input]: { type, shape: [rows, width], data: full ? this.#matrix : this.#matrix.subarray(0, rows * width) } }
  }
}
