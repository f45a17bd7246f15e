import type { Encoder, Matrix } from '../preprocess/compile.ts'

/** Room for `rows` encoded rows. */
export function allocate ({ type, width }: Encoder, rows: number): Matrix {
  return type === 'float32' ? new Float32Array(rows * width) : new Float64Array(rows * width)
}
