import { Worker } from 'node:worker_threads'
import type { Placement } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import type { Chunk, ScoredChunk } from './chunk.ts'
import { ChunkScorer, type ScorerSetup } from './chunk-scorer.ts'
import type { InputFile } from './input-files.ts'
import type { Reply, Request } from './worker.ts'

/** Whoever scores chunks, in this thread or in others. */
export interface Scorers {
  /** Chunks that are worth asking at once. */
  readonly inFlight: number
  /** @throws FatalError when a thread has died */
  readonly score: (chunk: Chunk) => Promise<ScoredChunk>
  /** Waits for what is under way. */
  readonly close: () => Promise<void>
}

/** @param threads  0: this one */
export async function openScorers (setup: ScorerSetup, threads: number): Promise<Scorers> {
  if (threads === 0) {
    const scorer = await ChunkScorer.open(setup)
    return { inFlight: 1, score: chunk => scorer.score(chunk), close: () => scorer.close() }
  }
  const all = Array.from({ length: threads }, () => new ScorerThread())
  const close = async (): Promise<void> => { await Promise.all(all.map(thread => thread.close())) }
  try {
    await Promise.all(all.map(thread => thread.open(setup)))
  } catch (error) {
    await close()
    throw error
  }
  // Each has one chunk to go on with when it is through with another.
  return { inFlight: 2 * threads, score: chunk => leastBusy(all).score(chunk), close }
}

function leastBusy (threads: readonly ScorerThread[]): ScorerThread {
  return threads.reduce((least, thread) => thread.waiting < least.waiting ? thread : least)
}

/** A row's way without the model, roughly. */
const rowMs = 0.002
/** Roughly, and of a file that is packed; more bytes only mean that threads are started earlier. */
const [rowBytes, packedRowBytes] = [20, 5]
/** Threads take about this long to start. */
const worthMs = 300

/** How many threads are worth starting for these files; 0: none beside this one. */
export function worthThreads (inputs: readonly InputFile[], { perRowMs }: Placement, most: number): number {
  const rows = inputs.reduce((sum, { bytes, gzip }) => sum + bytes / (gzip ? packedRowBytes : rowBytes), 0)
  return rows * (rowMs + (perRowMs ?? 1)) < worthMs ? 0 : most
}

/** The near end of a thread that scores chunks, in the order in which it is asked. */
class ScorerThread {
  readonly #worker = startWorker()
  readonly #calls: { resolve: (reply: Reply) => void, reject: (error: unknown) => void }[] = []
  #died: FatalError | undefined

  constructor () {
    this.#worker.on('message', (reply: Reply) => { this.#calls.shift()?.resolve(reply) })
    this.#worker.on('error', error => { this.#end(error.message) })
    this.#worker.on('exit', code => { this.#end(`exit code ${code}`) })
  }

  get waiting (): number {
    return this.#calls.length
  }

  async open (setup: ScorerSetup): Promise<void> {
    await this.#ask({ kind: 'open', setup })
  }

  async score (chunk: Chunk): Promise<ScoredChunk> {
    const reply = await this.#ask(...requestFor(chunk))
    if (reply.kind !== 'scored') throw new Error(`a thread answered a chunk with ${reply.kind}`)
    return reply.scored
  }

  /** Lets it end by itself: to end one in the middle of an inference makes the runtime abort the process. */
  async close (): Promise<void> {
    if (this.#died !== undefined) return
    const gone = new Promise(resolve => { this.#worker.once('exit', resolve) })
    await this.#ask({ kind: 'close' }).catch(() => {})
    await gone
  }

  async #ask (request: Request, handedOver: readonly ArrayBuffer[] = []): Promise<Reply> {
    if (this.#died !== undefined) throw this.#died
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#calls.push({ resolve, reject })
      this.#worker.postMessage(request, handedOver)
    })
    if (reply.kind === 'failed') throw new FatalError(`the model stopped: ${reply.message}. What is finished stays, and the same command goes on after it`)
    return reply
  }

  #end (reason: string): void {
    this.#died ??= new FatalError(`a thread that scored rows ended (${reason}). What is finished stays, and the same command goes on after it`)
    for (const { reject } of this.#calls.splice(0)) reject(this.#died)
  }
}

/** With the buffers that the thread gets instead of copies. */
function requestFor (chunk: Chunk): [Request, ArrayBuffer[]] {
  if (chunk.kind === 'columns') return [{ kind: 'score', chunk }, chunk.features.flatMap(column => column instanceof Float64Array ? [column.buffer] : [])]
  // The chunk's own bytes are a part of a larger buffer, all of which would be copied, and are asked for again where a part ends.
  const bytes = new Uint8Array(chunk.bytes)
  return [{ kind: 'score', chunk: { ...chunk, bytes } }, [bytes.buffer]]
}

/** Starts worker.ts as a thread: the built file, or the source where this file is one. */
function startWorker (): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./batch-worker.js', import.meta.url))
  // On Node 20 `--import tsx` does not reach the first file of a thread, so the thread asks for it before it imports.
  const [tsx, source] = [import.meta.resolve('tsx/esm/api'), new URL('./worker.ts', import.meta.url).href]
  return new Worker(`import('${tsx}').then(({ register }) => { register(); return import('${source}') })`, { eval: true, execArgv: [] })
}
