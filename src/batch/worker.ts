import { parentPort } from 'node:worker_threads'
import type { Chunk, ScoredChunk } from './chunk.ts'
import { ChunkScorer, type ScorerSetup } from './chunk-scorer.ts'

/** What a thread is asked, in this order: `open` once, then chunks, `close` at the end. */
export type Request =
  | { readonly kind: 'open', readonly setup: ScorerSetup }
  | { readonly kind: 'score', readonly chunk: Chunk }
  | { readonly kind: 'close' }

/** One for each request, in their order. */
export type Reply =
  | { readonly kind: 'done' }
  | { readonly kind: 'scored', readonly scored: ScoredChunk }
  | { readonly kind: 'failed', readonly message: string }

let scorer: ChunkScorer | undefined
let last = Promise.resolve()

async function answer (request: Request): Promise<Reply> {
  switch (request.kind) {
    case 'open':
      scorer = await ChunkScorer.open(request.setup)
      return { kind: 'done' }
    case 'score':
      if (scorer === undefined) throw new Error('the model is not open')
      return { kind: 'scored', scored: await scorer.score(request.chunk) }
    case 'close':
      await scorer?.close()
      return { kind: 'done' }
    default: return request satisfies never
  }
}

async function reply (request: Request): Promise<void> {
  const reply: Reply = await answer(request).catch((error: unknown) => ({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }))
  parentPort?.postMessage(reply, reply.kind === 'scored' ? buffersOf(reply.scored) : [])
  if (request.kind === 'close') parentPort?.close()
}

parentPort?.on('message', (request: Request) => { last = last.then(() => reply(request)) })

/** Nobody here needs them any more. */
function buffersOf ({ rowEnds, answers, answerEnds, rejects, rejectEnds }: ScoredChunk): ArrayBuffer[] {
  return [rowEnds, answers, answerEnds, rejects, rejectEnds].map(({ buffer }) => buffer)
}
