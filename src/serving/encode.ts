import type { Fault } from '../errors.ts'
import type { EncodingFault } from '../preprocess/compile.ts'
import type { Tensors } from '../engine/engine.ts'
import type { Row } from '../row.ts'
import type { RowSource } from '../schemas/decode.ts'
import type { Tabular } from './tabular.ts'
import { RowFaults } from './row-faults.ts'

/** The good rows of a request, encoded, and what is wrong with the others. */
export interface Batch {
  readonly rows: readonly Row[]
  /** The place in the request of each of `rows`. */
  readonly places: readonly number[]
  /** What the graph takes for them. */
  readonly inputs: Tensors
  readonly faults: RowFaults
  readonly warnings: readonly Fault[]
  readonly validateMs: number
}

/** More warnings than this are counted, not listed. */
const maxListedWarnings = 1000

/**
 * Validates all rows, then writes the good ones into the graph's inputs. Allocates nothing per row but what it
 * returns: this is done for every request.
 *
 * @param partial bad rows will be answered in their places
 */
export function encodeRows ({ reader, feed }: Pick<Tabular, 'reader' | 'feed'>, source: RowSource, partial: boolean): Batch {
  const startedMs = performance.now()
  const faults = new RowFaults(source, partial)
  const valid = validRows(reader, source, faults)
  const validateMs = performance.now() - startedMs

  const filling = feed.begin(valid.rows.length)
  const warnings = new Warnings(source)
  const rows: Row[] = []
  const places: number[] = []
  let place = 0
  let found: Fault[] = []
  const onFault: EncodingFault = (feature, message) => found.push(reader.fault(source.rows[place], feature, message))
  for (let i = 0; i < valid.rows.length; i++) {
    const row = valid.rows[i] as Row
    place = valid.places[i] as number
    filling.write(row, rows.length, onFault)
    if (found.length > 0) {
      faults.add(place, found)
      found = []
      continue
    }
    rows.push(row)
    places.push(place)
    reader.warn(row, source.rows[place], found)
    if (found.length > 0) {
      warnings.add(place, found)
      found = []
    }
  }
  return { rows, places, inputs: filling.tensors(rows.length), faults, warnings: warnings.list(), validateMs }
}

function validRows (reader: Tabular['reader'], source: RowSource, faults: RowFaults): { rows: Row[], places: number[] } {
  const rows: Row[] = []
  const places: number[] = []
  let found: Fault[] = []
  for (let place = 0; place < source.rows.length; place++) {
    const unreadable = source.unreadable.get(place)
    if (unreadable !== undefined) found.push(unreadable)
    const row = unreadable === undefined ? reader.read(source.rows[place], found) : []
    if (found.length > 0) {
      faults.add(place, found)
      found = []
    } else {
      rows.push(row)
      places.push(place)
    }
  }
  return { rows, places }
}

/** What is odd about good rows, as far as a person reads. */
class Warnings {
  readonly #source: RowSource
  readonly #listed: Fault[] = []
  #unlisted = 0

  constructor (source: RowSource) {
    this.#source = source
  }

  /** @param found paths relative to the row */
  add (place: number, found: readonly Fault[]): void {
    if (this.#listed.length < maxListedWarnings) this.#listed.push(...placed(found, this.#source, place))
    else this.#unlisted += found.length
  }

  list (): readonly Fault[] {
    if (this.#unlisted > 0) this.#listed.push({ path: '', message: `and ${this.#unlisted} more values are outside the range of the training data` })
    return this.#listed
  }
}

function placed (faults: readonly Fault[], source: RowSource, place: number): Fault[] {
  return faults.map(({ path, message }) => ({ path: source.pointer(place) + path, message: message + source.note(place) }))
}
