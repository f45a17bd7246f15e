import { parentPort } from 'node:worker_threads'
import { RunError, type Answer, type GraphParts, type Session, type Specs, type Tensors } from './graph.ts'
import { openSession } from './session.ts'

/** What a pool asks of a thread, and what the thread replies, each with the id of the request. */
export type Request = { readonly id: number, readonly session: number } & (
  | { readonly kind: 'open', readonly model: Uint8Array, readonly parts: GraphParts }
  | { readonly kind: 'run', readonly inputs: Tensors }
  | { readonly kind: 'release' }
)

export type Reply = { readonly id: number } & (
  | { readonly kind: 'opened', readonly specs: Specs }
  | { readonly kind: 'ran', readonly answer: Answer }
  | { readonly kind: 'released' }
  /** `run`: the runtime could not run the inputs; `open`: it could not load the model. */
  | { readonly kind: 'refused', readonly by: 'open' | 'run', readonly message: string }
)

const sessions = new Map<number, Session>()

async function reply (request: Request): Promise<Reply> {
  const { id } = request
  switch (request.kind) {
    case 'open': {
      const session = await openSession(request.model, request.parts)
      sessions.set(request.session, session)
      const { inputs, outputs, columns } = session
      return { kind: 'opened', id, specs: { inputs, outputs, columns } }
    }
    case 'run': {
      const session = sessions.get(request.session)
      if (session === undefined) throw new Error('the session is not open on this thread')
      return { kind: 'ran', id, answer: await session.run(request.inputs) }
    }
    case 'release': {
      await sessions.get(request.session)?.release()
      sessions.delete(request.session)
      return { kind: 'released', id }
    }
  }
}

// Anything else that is thrown ends the thread: the pool fails its task, says why in the log and starts another.
parentPort?.on('message', async (request: Request) => {
  try {
    const answer = await reply(request)
    parentPort?.postMessage(answer, answer.kind === 'ran' ? buffersOf(answer.answer.outputs) : [])
  } catch (error) {
    const refused = request.kind === 'open' || error instanceof RunError
    if (!refused) throw error
    const by = request.kind === 'open' ? 'open' : 'run'
    parentPort?.postMessage({ kind: 'refused', id: request.id, by, message: (error as Error).message } satisfies Reply)
  }
})

/** What the runtime has written for this run alone: it goes to the other thread without a copy. */
function buffersOf (outputs: Tensors): ArrayBuffer[] {
  const buffers = Object.values(outputs).flatMap(({ data }) => ArrayBuffer.isView(data) ? [data.buffer as ArrayBuffer] : [])
  return [...new Set(buffers)]
}
