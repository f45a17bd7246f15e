import type { Worker } from 'node:worker_threads'
import { ApiError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { RunError, type Answer, type GraphParts, type Specs, type Tensors } from './graph.ts'
import { startThread } from './start-thread.ts'
import type { Reply, Request } from './worker.ts'

/** A model as every thread may come to open it. */
export interface Model {
  readonly session: number
  readonly bytes: Uint8Array
  readonly parts: GraphParts
}

interface Call {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: unknown) => void
}

type Question = Request extends infer R ? R extends Request ? Omit<R, 'id'> : never : never
type Answered<Kind extends Reply['kind']> = Extract<Reply, { kind: Kind }>

/** Starts worker.ts as a thread. */
export function startWorker (): Worker {
  return startThread(import.meta.url, 'worker')
}

/** The near end of a worker thread. Calls may be made at once: they wait in its mailbox until it is up. */
export class Thread {
  readonly #worker: Worker
  readonly #calls = new Map<number, Call>()
  readonly #opened = new Set<number>()
  #lastId = 0
  #reason: unknown

  /** @param onExit  hears once that the thread is gone, and what it died of */
  constructor (worker: Worker, onExit: (reason: unknown) => void) {
    this.#worker = worker
    worker.on('message', (reply: Reply) => {
      this.#calls.get(reply.id)?.resolve(reply)
      this.#calls.delete(reply.id)
    })
    worker.on('error', error => { this.#reason = error })
    worker.on('exit', code => {
      const reason = this.#reason ?? new Error(`exit code ${code}`)
      onExit(reason)
      for (const { reject } of this.#calls.values()) {
        reject(new ApiError('INTERNAL', 'The thread that ran the inference stopped before it answered.', { cause: reason }))
      }
      this.#calls.clear()
    })
  }

  has ({ session }: Model): boolean {
    return this.#opened.has(session)
  }

  async open ({ session, bytes, parts: { externalData = new Map(), preprocessor } }: Model): Promise<Specs> {
    const parts = {
      externalData: new Map([...externalData].map(([name, data]) => [name, compact(data)])),
      preprocessor: preprocessor === undefined ? undefined : compact(preprocessor),
    }
    const { specs } = await this.#call<'opened'>({ kind: 'open', session, model: compact(bytes), parts })
    this.#opened.add(session)
    return specs
  }

  async run (model: Model, inputs: Tensors): Promise<Answer> {
    if (!this.has(model)) await this.open(model)
    const { tensors, copies } = compactAll(inputs)
    const { answer } = await this.#call<'ran'>({ kind: 'run', session: model.session, inputs: tensors }, copies)
    return answer
  }

  async release ({ session }: Model): Promise<void> {
    if (this.#opened.delete(session)) await this.#call<'released'>({ kind: 'release', session })
  }

  /** Only for a thread without calls: to end one in the middle of an inference makes the runtime abort the process. */
  async stop (): Promise<void> {
    await this.#worker.terminate()
  }

  /** @param handedOver  buffers that the thread gets instead of copies of them */
  async #call<Kind extends Reply['kind']> (question: Question, handedOver: readonly ArrayBuffer[] = []): Promise<Answered<Kind>> {
    const id = ++this.#lastId
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#worker.postMessage({ id, ...question } satisfies Request, handedOver)
    })
    if (reply.kind !== 'refused') return reply as Answered<Kind>
    throw reply.by === 'run' ? new RunError(reply.message) : new Error(reply.message)
  }
}

/**
 * Tensors as a message should carry them. What had to be copied out of a larger buffer is nobody else's
 * and can be handed over; other data may still be needed here, for a run of each request alone.
 */
function compactAll (tensors: Tensors): { tensors: Tensors, copies: ArrayBuffer[] } {
  const copies: ArrayBuffer[] = []
  const compacted = Object.entries(tensors).map(([name, tensor]): [string, Tensor] => {
    if (!ArrayBuffer.isView(tensor.data)) return [name, tensor]
    const data = compact(tensor.data)
    if (data !== tensor.data) copies.push(data.buffer as ArrayBuffer)
    return [name, { ...tensor, data }]
  })
  return { tensors: Object.fromEntries(compacted), copies }
}

/** A message carries the whole buffer behind a view: a view of a part is copied out first. */
function compact<View extends NodeJS.TypedArray> (view: View): View {
  return view.byteLength === view.buffer.byteLength ? view : view.slice() as View
}
