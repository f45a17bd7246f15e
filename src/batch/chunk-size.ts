/** Long enough that a message to a thread and a run of the model are worth their cost, short enough that no thread waits long for another at the end. */
const goalMs = 50
const [leastBytes, firstBytes, mostBytes] = [2 ** 10, 2 ** 16, 2 ** 19]

/** How long chunks should be, by how long the last ones took. What is written does not depend on it. */
export class ChunkSize {
  #bytes = firstBytes

  get bytes (): number {
    return this.#bytes
  }

  /** A chunk of so many bytes took so long. The first ones take longer than they will, so it grows slowly. */
  took (bytes: number, ms: number): void {
    const wanted = bytes * goalMs / Math.max(1, ms)
    this.#bytes = Math.floor(Math.min(2 * this.#bytes, mostBytes, Math.max(leastBytes, wanted)))
  }
}
