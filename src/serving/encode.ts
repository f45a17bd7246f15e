import type { Fault } from '../errors.ts'
import type { Matrix } from '../preprocess/compile.ts'
import type { Row } from '../row.ts'
import type { RowSource } from '../schemas/decode.ts'
import { allocate } from './matrix.ts'
import type { Tabular } from './model.ts'

/** The faults of each bad row, by its place in the request; paths are pointers into the body. */
export type BatchFaults = Map<number, Fault[]>

/** The good rows of a request, encoded, and what is wrong with the others. */
export interface Batch {
  readonly rows: readonly Row[]
  /** The place in the request of each of `rows`. */
  readonly places: readonly number[]
  /** [rows, width]; longer when there were bad rows. */
  readonly matrix: Matrix
  readonly faults: BatchFaults
  readonly warnings: readonly Fault[]
  readonly validateMs: number
}

/** Validates all rows, then writes the good ones into one matrix. */
export function encodeRows (tabular: Tabular, source: RowSource): Batch {
  const startedMs = performance.now()
  const faults: BatchFaults = new Map()
  const valid = validRows(tabular, source, faults)
  const validateMs = performance.now() - startedMs

  const { reader, encoder } = tabular
  const matrix = allocate(encoder, valid.length)
  const rows: Row[] = []
  const places: number[] = []
  const warnings: Fault[] = []
  for (const { row, place } of valid) {
    const input = source.rows[place]
    const found: Fault[] = []
    encoder.write(row, matrix, rows.length * encoder.width, (feature, message) => found.push({ path: reader.place(input, feature), message }))
    if (found.length > 0) {
      faults.set(place, placed(found, source, place))
      continue
    }
    rows.push(row)
    places.push(place)
    reader.warn(row, input, found)
    if (found.length > 0) warnings.push(...placed(found, source, place))
  }
  return { rows, places, matrix: matrix.subarray(0, rows.length * encoder.width), faults, warnings, validateMs }
}

function validRows ({ reader }: Tabular, source: RowSource, faults: BatchFaults): { row: Row, place: number }[] {
  const valid: { row: Row, place: number }[] = []
  source.rows.forEach((input, place) => {
    const unreadable = source.unreadable.get(place)
    const found: Fault[] = unreadable === undefined ? [] : [unreadable]
    const row = unreadable === undefined ? reader.read(input, found) : []
    if (found.length > 0) faults.set(place, placed(found, source, place))
    else valid.push({ row, place })
  })
  return valid
}

function placed (faults: readonly Fault[], source: RowSource, place: number): Fault[] {
  return faults.map(({ path, message }) => ({ path: source.pointer(place) + path, message: message + source.note(place) }))
}
