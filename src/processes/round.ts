/**
 * One question to several processes. It ends when each has answered or is gone, or when the time is
 * over.
 */
export class Round<T> {
  readonly answers = new Map<number, T>()
  /** Those that could still answer. */
  readonly waiting: Set<number>
  readonly ended: Promise<void>
  #end: () => void = () => {}

  constructor (processes: Iterable<number>, waitMs: number) {
    this.waiting = new Set(processes)
    this.ended = new Promise(resolve => {
      const timer = setTimeout(resolve, waitMs)
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#check()
  }

  answer (from: number, answer: T): void {
    if (!this.waiting.delete(from)) return
    this.answers.set(from, answer)
    this.#check()
  }

  gone (process: number): void {
    this.waiting.delete(process)
    this.#check()
  }

  #check (): void {
    if (this.waiting.size === 0) this.#end()
  }
}
