import type { Fault } from '../errors.ts'
import type { Matrix } from '../preprocess/compile.ts'
import type { Row } from '../row.ts'
import type { RowSource } from '../schemas/decode.ts'
import { allocate } from './matrix.ts'
import type { Tabular } from './tabular.ts'
import { RowFaults } from './row-faults.ts'

/** The good rows of a request, encoded, and what is wrong with the others. */
export interface Batch {
  readonly rows: readonly Row[]
  /** The place in the request of each of `rows`. */
  readonly places: readonly number[]
  /** [rows, width]; longer when there were bad rows. */
  readonly matrix: Matrix
  readonly faults: RowFaults
  readonly warnings: readonly Fault[]
  readonly validateMs: number
}

/** More warnings than this are counted, not listed. */
const maxListedWarnings = 1000

/**
 * Validates all rows, then writes the good ones into one matrix.
 *
 * @param partial bad rows will be answered in their places
 */
export function encodeRows (tabular: Tabular, source: RowSource, partial: boolean): Batch {
  const startedMs = performance.now()
  const faults = new RowFaults(source, partial)
  const valid = validRows(tabular, source, faults)
  const validateMs = performance.now() - startedMs

  const { reader, encoder } = tabular
  const matrix = allocate(encoder, valid.length)
  const rows: Row[] = []
  const places: number[] = []
  const warnings: Fault[] = []
  let unlisted = 0
  for (const { row, place } of valid) {
    const input = source.rows[place]
    const found: Fault[] = []
    encoder.write(row, matrix, rows.length * encoder.width, (feature, message) => found.push(reader.fault(input, feature, message)))
    if (found.length > 0) {
      faults.add(place, found)
      continue
    }
    rows.push(row)
    places.push(place)
    reader.warn(row, input, found)
    if (found.length === 0) continue
    if (warnings.length < maxListedWarnings) warnings.push(...placed(found, source, place))
    else unlisted += found.length
  }
  if (unlisted > 0) warnings.push({ path: '', message: `and ${unlisted} more values are outside the range of the training data` })
  return { rows, places, matrix: matrix.subarray(0, rows.length * encoder.width), faults, warnings, validateMs }
}

function validRows ({ reader }: Tabular, source: RowSource, faults: RowFaults): { row: Row, place: number }[] {
  const valid: { row: Row, place: number }[] = []
  source.rows.forEach((input, place) => {
    const unreadable = source.unreadable.get(place)
    const found: Fault[] = unreadable === undefined ? [] : [unreadable]
    const row = unreadable === undefined ? reader.read(input, found) : []
    if (found.length > 0) faults.add(place, found)
    else valid.push({ row, place })
  })
  return valid
}

function placed (faults: readonly Fault[], source: RowSource, place: number): Fault[] {
  return faults.map(({ path, message }) => ({ path: source.pointer(place) + path, message: message + source.note(place) }))
}
