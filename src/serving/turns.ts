/** One at a time for each name, in the order in which they asked. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Waits for its turn. @returns ends it */
  async take (name: string): Promise<() => void> {
    let end = (): void => {}
    const own = new Promise<void>(resolve => { end = resolve })
    const before = this.#last.get(name)
    this.#last.set(name, own)
    await before
    return () => {
      if (this.#last.get(name) === own) this.#last.delete(name)
      end()
    }
  }
}
