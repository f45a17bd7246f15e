import type { Worker } from 'node:worker_threads'
import { startThread } from '../engine/start-thread.ts'
import { FatalError } from '../errors.ts'
import { type Boost, type BoostParams, boostOf, boostTask } from './boost.ts'
import { type Forest, type ForestParams, forestOf, forestTask } from './forest.ts'
import type { Matrix, Target } from './matrix.ts'
import { meetingPlace } from './rendezvous.ts'
import type { Order, Report, Work } from './training-worker.ts'
import type { Tree } from './tree.ts'

/** Threads that fit one model after the other together. Each model is the same to the byte, however many they are. */
export class Crew {
  readonly size: number
  readonly #start: () => Worker
  #threads: readonly Worker[] = []
  #hasLosses = false

  /** @param start  starts training-worker.ts */
  constructor (size: number, start: () => Worker = startTrainingThread) {
    this.size = size
    this.#start = start
  }

  /** Trees come in any order. @throws FatalError when a thread ends before the last one */
  async fitForest (
    matrix: Matrix, target: Target, params: ForestParams, seed: number, onTree?: (done: number) => void, chosen?: Int32Array
  ): Promise<Forest> {
    const task = forestTask(matrix, target, params, seed, chosen)
    const trees: Tree[] = []
    let done = 0
    await this.#work({ kind: 'forest', task, next: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) }, report => {
      if (report.kind !== 'tree') return
      trees[report.index] = report.tree
      onTree?.(++done)
    })
    return forestOf(task, trees)
  }

  /** @throws FatalError when a thread ends before the last round */
  async fitBoost (
    matrix: Matrix, target: Target, params: BoostParams, seed: number, onRound?: (done: number) => void, chosen?: Int32Array
  ): Promise<Boost> {
    const task = boostTask(matrix, target, params, seed, chosen)
    let trees: readonly Tree[] = []
    await this.#work({ kind: 'boost', task, place: meetingPlace(this.size), size: this.size }, report => {
      if (report.kind === 'round') onRound?.(report.done)
      if (report.kind === 'trees') trees = report.trees
    })
    return boostOf(task, trees)
  }

  /** Ends the threads, whatever they do. */
  async close (): Promise<void> {
    const threads = this.#threads
    this.#threads = []
    await Promise.all(threads.map(thread => thread.terminate()))
  }

  /** A message to a thread that has ended would never be answered: then all begin anew. */
  async #assemble (): Promise<void> {
    if (this.#hasLosses) await this.close()
    if (this.#threads.length > 0) return
    this.#hasLosses = false
    this.#threads = Array.from({ length: this.size }, () => {
      const thread = this.#start()
      const onLoss = () => { this.#hasLosses ||= this.#threads.includes(thread) }
      return thread.on('error', onLoss).on('exit', onLoss)
    })
  }

  /** Has every thread do it, until all are done. */
  async #work (work: Work, hear: (report: Report) => void): Promise<void> {
    await this.#assemble()
    try {
      await Promise.all(this.#threads.map((thread, index) => obey(thread, { ...work, index }, hear)))
      if (codesOf(work).byteLength >= muchMemory) await this.close()
    } catch (error) {
      // The others may wait for the one that has died.
      await this.close()
      throw error
    }
  }
}

/** What a thread held of a model it would keep through the next one: shared memory is no reason for it to collect. It is sooner started anew. */
const muchMemory = 4 * 2 ** 20

function codesOf (work: Work): Uint8Array {
  return work.kind === 'forest' ? work.task.data.codes : work.task.learned.data.codes
}

function startTrainingThread (): Worker {
  return startThread(import.meta.url, 'training-worker')
}

async function obey (thread: Worker, order: Order, hear: (report: Report) => void): Promise<void> {
  let listening: (() => void) | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const onMessage = (report: Report) => report.kind === 'done' ? resolve() : hear(report)
      const onError = (error: Error) => { reject(died(error)) }
      const onExit = (code: number) => { reject(died(new Error(`exit code ${code}`))) }
      thread.on('message', onMessage).on('error', onError).on('exit', onExit)
      listening = () => { thread.off('message', onMessage).off('error', onError).off('exit', onExit) }
      thread.postMessage(order)
    })
  } finally {
    listening?.()
  }
}

function died (error: Error & { code?: string }): FatalError {
  const remedy = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'fewer --threads or fewer, shallower trees need less memory' : 'nothing is written; try again, with --threads 1 if it stays so'
  return new FatalError(`A training thread has ended before its work was done (${error.message}): ${remedy}`, { cause: error })
}
