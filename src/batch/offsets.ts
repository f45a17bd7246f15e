/** Places in a text or in bytes, as many as there come to be. */
export class Offsets {
  length = 0
  #values = new Uint32Array(1024)

  push (value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Uint32Array(2 * this.length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  at (i: number): number {
    return this.#values[i] as number
  }

  /** A copy that is as long as it needs to be. */
  all (): Uint32Array<ArrayBuffer> {
    return this.#values.slice(0, this.length)
  }
}
