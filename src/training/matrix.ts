/** Encoded rows, as the model's input tensor holds them: row-major float32, NaN is missing. */
export interface Matrix {
  readonly data: Float32Array
  readonly rows: number
  readonly columns: number
}

/** The matrix of some of the rows, in the order asked for. */
export function selectRows ({ data, columns }: Matrix, rows: ArrayLike<number>): Matrix {
  const selected = new Float32Array(rows.length * columns)
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i]! * columns
    selected.set(data.subarray(start, start + columns), i * columns)
  }
  return { data: selected, rows: rows.length, columns }
}

/** What is to be learned, one entry per row. */
export type Target =
  | { readonly kind: 'classes', readonly classes: Int32Array, readonly count: number }
  | { readonly kind: 'values', readonly values: Float64Array }

export function selectTarget (target: Target, rows: ArrayLike<number>): Target {
  return target.kind === 'classes'
    ? { ...target, classes: Int32Array.from(rows, row => target.classes[row]!) }
    : { ...target, values: Float64Array.from(rows, row => target.values[row]!) }
}

/** The same target in shared memory, so that other threads see it without a copy. */
export function shareTarget (target: Target): Target {
  if (target.kind === 'classes') {
    const classes = new Int32Array(new SharedArrayBuffer(target.classes.byteLength))
    classes.set(target.classes)
    return { ...target, classes }
  }
  return { ...target, values: sharedFloat64(target.values.length, target.values) }
}

/** @returns `length` numbers in shared memory: 0, or those given */
export function sharedFloat64 (length: number, values?: ArrayLike<number>): Float64Array {
  const shared = new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT))
  if (values !== undefined) shared.set(values)
  return shared
}
