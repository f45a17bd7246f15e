import type { Fault } from '../errors.ts'
import type { RowSource } from '../schemas/decode.ts'
import { maxListedFaults } from '../schemas/faults.ts'

/** Where bad rows are answered in their places, each lists so many of its faults, however many there were before it. */
const leastInPlace = 10

/**
 * What is wrong with the bad rows of a request. All of it is counted, and listed as far as a person
 * reads: a few bytes that lack a wide model's every feature would else fill an answer of many megabytes.
 */
export class RowFaults {
  /** By the row's place in the request; paths are pointers into the body. */
  readonly listed = new Map<number, readonly Fault[]>()
  readonly #source: RowSource
  readonly #leastPerRow: number
  #count = 0
  #listedCount = 0

  constructor (source: RowSource, inPlace: boolean) {
    this.#source = source
    this.#leastPerRow = inPlace ? leastInPlace : 0
  }

  get count (): number {
    return this.#count
  }

  /** @param faults paths relative to the row */
  add (place: number, faults: readonly Fault[]): void {
    const { pointer, note } = this.#source
    const room = Math.max(this.#leastPerRow, maxListedFaults - this.#listedCount)
    const listed = faults.slice(0, room).map(({ path, message }) => ({ path: pointer(place) + path, message: message + note(place) }))
    this.#listedCount += listed.length
    this.#count += faults.length
    const more = faults.length - listed.length
    if (more > 0 && this.#leastPerRow > 0) listed.push({ path: pointer(place), message: `and ${more} more${note(place)}` })
    this.listed.set(place, listed)
  }

  /** In the order of the rows. */
  list (): Fault[] {
    return [...this.listed].sort(([a], [b]) => a - b).flatMap(([, faults]) => faults)
  }
}
