import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import { type InferBody, readLength, splitBody } from '../protocols/oip/body.ts'
import { SpareBuffer } from './oip-buffers.ts'

/** No datatype is wider: what lies at a multiple of this can be viewed as any of them. */
const alignment = 8

/**
 * Teaches the routes of this scope the bodies of the protocol: JSON, and tensors as bytes behind it. Clients
 * of Triton name no type at all.
 */
export function addTensorBodies (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const buffers = new SpareBuffer()
  const read = async (request: FastifyRequest, payload: IncomingMessage): Promise<TensorBody> => await readBody(request, payload, buffers)
  for (const type of ['application/json', 'application/octet-stream']) app.addContentTypeParser(type, read)
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    if (request.headers['content-type'] === undefined) return await read(request, payload)
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json, or as application/octet-stream where bytes of tensors follow the JSON.')
  })
}

async function readBody (request: FastifyRequest, payload: IncomingMessage, buffers: SpareBuffer): Promise<TensorBody> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const limit = request.routeOptions.bodyLimit
  const jsonBytes = headerOf(request, 'inference-header-content-length')
  const jsonLength = jsonBytes === undefined ? 0 : readLength(jsonBytes)
  const decompress = decompressors.get(encoding.toLowerCase())
  if (decompress === undefined) throw new ApiError('UNSUPPORTED_MEDIA_TYPE', `The content-encoding ${encoding.slice(0, 64)} is not supported; send gzip, deflate or the body as it is.`)
  const chunks = await collect(payload, request, limit)
  const plain = await decompress(chunks, limit)
  const bytes = alignedBehind(jsonLength, plain, buffers)
  return new TensorBody(splitBody(bytes, jsonBytes), () => { buffers.giveBack(bytes) })
}

export class TensorBody implements InferBody {
  readonly json: string
  readonly binary: Buffer
  /** To be called when nobody will look at the bytes or at a view of them any more; or never. */
  readonly release: () => void

  constructor ({ json, binary }: InferBody, release: () => void) {
    this.json = json
    this.binary = binary
    this.release = release
  }

  /** What the log shows of a body (LOG_INPUTS): its JSON, not thousands of bytes. */
  toJSON (): string {
    return this.json
  }
}

function headerOf ({ headers }: FastifyRequest, name: string): string | undefined {
  return headers[name] === undefined ? undefined : String(headers[name])
}

/** In the pieces in which it comes: they are joined once, where the tensors can be viewed without another copy. */
async function collect (payload: IncomingMessage, { headers }: FastifyRequest, limit: number): Promise<Buffer[]> {
  // A client that will send too much need not begin.
  if (Number(headers['content-length']) > limit) throw tooLarge()
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    payload.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= limit) chunks.push(chunk)
      else reject(tooLarge())
    })
    payload.on('end', () => { resolve(chunks) })
    payload.on('error', error => { reject(new ApiError('BAD_REQUEST', 'The body ended before its end.', { cause: error })) })
  })
}

type Decompress = (chunks: readonly Buffer[], limit: number) => Promise<readonly Buffer[]>

const decompressors = new Map<string, Decompress>([
  ['identity', async chunks => chunks],
  ['gzip', bounded(promisify(gunzip))],
  ['deflate', bounded(promisify(inflate))],
])

/** A few bytes can stand for gigabytes: what comes out is limited as what comes in. */
function bounded (decompress: (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>): Decompress {
  return async (chunks, limit) => {
    try {
      return [await decompress(Buffer.concat(chunks), { maxOutputLength: limit })]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
      throw new ApiError('BAD_REQUEST', 'The body is not compressed as content-encoding says, or is cut off.', { cause: error })
    }
  }
}

/** Joins a body so that what follows its JSON, usually a tensor, lies at a multiple of the alignment. */
function alignedBehind (jsonLength: number, chunks: readonly Buffer[], buffers: SpareBuffer): Buffer {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const padding = (alignment - jsonLength % alignment) % alignment
  const bytes = buffers.take(padding + length)
  let at = padding
  for (const chunk of chunks) at += chunk.copy(bytes, at)
  return bytes.subarray(padding)
}

function tooLarge (): ApiError {
  return new ApiError('BODY_TOO_LARGE', 'The body is above the limit of this server (BODY_LIMIT). Send the tensors in several requests.')
}
