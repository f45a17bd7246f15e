import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Answered } from '../protocols/answered.ts'
import { type Asked, type Signature, placed, rowPointer } from '../protocols/asked.ts'
import { Caller } from './caller.ts'
import { serverTiming } from './server-timing.ts'

/** A version that answers. */
export type Model = ReturnType<FastifyInstance['inference']['registry']['resolve']>

type Protocol = NonNullable<NonNullable<Parameters<FastifyInstance['inference']['infer']>[2]>['protocol']>

export function signatureOf ({ manifest, engine }: Model, maxRows: number): Signature {
  return { features: manifest.features, inputs: engine.inputs, maxRows }
}

/** Asks the one door to predictions for what a protocol has read, and notes in the answer how long that took. */
export async function ask (reply: FastifyReply, model: Model, asked: Asked, protocol: Protocol): Promise<Answered> {
  const { inference } = reply.server
  const options = { protocol, signal: new Caller(reply) }
  if (asked.kind === 'tensors') {
    const { outputs, timings } = await inference.infer(model, asked.inputs, options)
    reply.header('server-timing', serverTiming(timings))
    return { kind: 'tensors', outputs }
  }
  const answer = asked.kind === 'table'
    ? inference.predict(model, asked.input, options)
    : placed(inference.predict(model, { type: 'rows', rows: asked.rows, pointer: rowPointer }, options), asked.place)
  const { predictions, timings } = await answer
  reply.header('server-timing', serverTiming(timings))
  return { kind: 'rows', predictions }
}
