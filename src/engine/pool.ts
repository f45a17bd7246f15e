import type { Worker } from 'node:worker_threads'
import type { Lane, Run } from './batcher.ts'
import type { GraphParts, Specs } from './graph.ts'
import { Thread, startWorker, type Model } from './thread.ts'

export interface Log {
  error: (data: object, message: string) => void
}

/** A model that may run on the pool's threads; each opens it when it first has work for it. */
export interface PooledSession {
  /** Opens it on one thread, to know that it can be loaded. @throws Error with a short reason */
  readonly open: () => Promise<Specs>
  readonly lane: Lane
  readonly run: Run
  /** Frees it on every thread. Only once nothing runs any more. */
  readonly release: () => Promise<void>
}

interface Job {
  readonly model: Model
  readonly work: (thread: Thread) => Promise<void>
}

/** Threads that run one job at a time, jobs in the order in which they came; a thread is started when one is missing. */
export class Pool {
  readonly #size: number
  readonly #log: Log
  readonly #startWorker: () => Worker
  readonly #threads = new Set<Thread>()
  readonly #idle = new Set<Thread>()
  readonly #jobs: Job[] = []
  #lastSession = 0
  #closing = false

  constructor (size: number, log: Log, start: () => Worker = startWorker) {
    this.#size = size
    this.#log = log
    this.#startWorker = start
  }

  session (bytes: Uint8Array, parts: GraphParts = {}): PooledSession {
    const model = { session: ++this.#lastSession, bytes, parts }
    return {
      open: () => this.#once(model, thread => thread.open(model)),
      lane: start => this.#add({ model, work: thread => start(inputs => thread.run(model, inputs), this.#spare()) }),
      run: inputs => this.#once(model, thread => thread.run(model, inputs)),
      release: async () => {
        // A thread that dies meanwhile has freed it too.
        await Promise.allSettled([...this.#threads].map(thread => thread.release(model)))
      },
    }
  }

  /** Only once no session is in use. */
  async close (): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#threads].map(thread => thread.stop()))
  }

  #once<T> (model: Model, work: (thread: Thread) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add({ model, work: thread => work(thread).then(resolve, reject) })
    })
  }

  /** In a later turn: more work can gather until then, and a thread that has just answered is idle again. */
  #add (job: Job): void {
    setImmediate(() => {
      this.#jobs.push(job)
      this.#next()
    })
  }

  #next (): void {
    const [job] = this.#jobs
    if (job === undefined) return
    // One that has the model open saves loading it once more, in time and in memory.
    const thread = [...this.#idle].find(thread => thread.has(job.model)) ?? [...this.#idle][0] ?? this.#start()
    if (thread === undefined) return
    this.#jobs.shift()
    this.#idle.delete(thread)
    const done = () => {
      if (this.#threads.has(thread)) this.#idle.add(thread)
      this.#next()
    }
    job.work(thread).then(done, done)
  }

  /** Threads that could take a job now. */
  #spare (): number {
    return this.#idle.size + this.#size - this.#threads.size
  }

  #start (): Thread | undefined {
    if (this.#threads.size >= this.#size) return undefined
    const thread: Thread = new Thread(this.#startWorker(), reason => {
      this.#threads.delete(thread)
      this.#idle.delete(thread)
      if (this.#closing) return
      this.#log.error({ err: reason }, 'an inference thread stopped; its work failed, the next work starts another')
      this.#next()
    })
    this.#threads.add(thread)
    return thread
  }
}
