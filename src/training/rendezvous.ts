/**
 * Where threads meet that run the same program over the same data, each for a part of the columns: they tell
 * each other what they have found, and go on alike.
 */
export interface Rendezvous {
  readonly index: number
  readonly size: number
  /**
   * Waits until every thread has come here; all must come equally often.
   *
   * @param found of this thread; every thread brings the same number of numbers, at most `maxNumbers`
   * @returns what each has brought, one thread after the other; until the next call
   */
  readonly exchange: (found: Float64Array) => Float64Array
}

/** A thread without others. */
export const alone: Rendezvous = { index: 0, size: 1, exchange: found => found }

export const maxNumbers = 32
/** Looks at a number that another thread is about to change, before it is worth while to fall asleep. */
const spins = 2000

/** The memory by which `size` threads meet: a counter of arrivals, then two tables to be filled in turn. */
export function meetingPlace (size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * (1 + 2 * size * maxNumbers))
}

/** One of the threads that meet at `place`. Ending a thread wakes it, so that none waits for ever for one that has died. */
export function meetAt (place: SharedArrayBuffer, index: number, size: number): Rendezvous {
  const arrivals = new Int32Array(place, 0, 1)
  const tables = [0, 1].map(turn => new Float64Array(place, Float64Array.BYTES_PER_ELEMENT * (1 + turn * size * maxNumbers), size * maxNumbers)) as [Float64Array, Float64Array]
  let turn = 0
  let expected = 0
  return {
    index,
    size,
    exchange: found => {
      // Who is one meeting ahead writes the other table; nobody can be two ahead.
      const table = tables[turn]!
      turn = 1 - turn
      table.set(found, index * found.length)
      expected = (expected + size) | 0
      const arrived = (Atomics.add(arrivals, 0, 1) + 1) | 0
      if (arrived === expected) Atomics.notify(arrivals, 0)
      else waitFor(arrivals, expected)
      return table.subarray(0, size * found.length)
    },
  }
}

function waitFor (arrivals: Int32Array, expected: number): void {
  // The counter may begin again from the lowest number: only the difference counts.
  for (let i = 0; i < spins; i++) if (((Atomics.load(arrivals, 0) - expected) | 0) >= 0) return
  for (;;) {
    const arrived = Atomics.load(arrivals, 0)
    if (((arrived - expected) | 0) >= 0) return
    Atomics.wait(arrivals, 0, arrived)
  }
}
