import type { FastifyReply } from 'fastify'
import { ApiError } from '../errors.ts'

/**
 * The one who waits for this answer. `request.signal` will not do: it aborts as soon as the body has
 * been read.
 */
export class Caller {
  readonly #reply: FastifyReply

  constructor (reply: FastifyReply) {
    this.#reply = reply
  }

  get aborted (): boolean {
    return this.#reply.raw.destroyed
  }

  get reason (): ApiError {
    return new ApiError('CALLER_LEFT', 'The connection was closed while the rows waited for their run.')
  }
}
