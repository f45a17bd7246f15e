import type { Feature } from '../artifact/manifest.ts'
import { ApiError, type Fault } from '../errors.ts'
import type { PredictInput } from '../schemas/decode.ts'
import type { Tensor, TensorSpec } from '../tensor.ts'

/** As much of a model as a protocol has to know to read its bodies. */
export interface Signature {
  /** Undefined for a model that takes its own tensors only. */
  readonly features: readonly Feature[] | undefined
  readonly inputs: readonly TensorSpec[]
  /** Most rows of one request. */
  readonly maxRows: number
}

/** What stands where in the caller's own body: `path` is a pointer that begins at row `row`. */
export type Place = (row: number, path: string) => string

/** Rows in the forms of /predict, found in a body of another form. */
export interface AskedRows { readonly kind: 'rows', readonly rows: readonly unknown[], readonly place: Place }

/** What a body asks for: rows of features, a table that /predict reads as it is, or a run of the graph itself. */
export type Asked =
  | AskedRows
  | { readonly kind: 'table', readonly input: PredictInput }
  | { readonly kind: 'tensors', readonly inputs: Readonly<Record<string, Tensor>> }

/** Where row i stands for the one door to predictions, before `placed` says it in the caller's terms. */
export function rowPointer (row: number): string {
  return `/${row}`
}

/** Faults of rows are told where the caller wrote them. */
export async function placed<T> (answer: Promise<T>, place: Place): Promise<T> {
  return await answer.catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.errors === undefined) throw error
    const { code, message, headers } = error
    throw new ApiError(code, message, { errors: error.errors.map(fault => moved(fault, place)), headers, cause: error })
  })
}

function moved ({ path, message }: Fault, place: Place): Fault {
  const [, row, rest = ''] = /^\/(\d+)(.*)$/s.exec(path) ?? []
  return { path: row === undefined ? path : place(Number(row), rest), message }
}

/** @throws ApiError TOO_MANY_ROWS, before anything is made of them; INVALID_INPUT when there are none */
export function checkRowCount (rows: number, maxRows: number, pointer: string): void {
  if (rows > maxRows) throw new ApiError('TOO_MANY_ROWS', `The request has more than ${maxRows} rows. Send them in several requests.`)
  if (rows === 0) throw new ApiError('INVALID_INPUT', 'The request has no rows.', { errors: [{ path: pointer, message: 'must have at least one row' }] })
}
