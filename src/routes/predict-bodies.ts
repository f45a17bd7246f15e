import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import type { PredictInput } from '../schemas/decode.ts'

/** Teaches the routes of this scope the three kinds of body, each parsed to a PredictInput. */
export function addPredictBodies (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  addTextBody(app, 'application/json', parseJson)
  addTextBody(app, 'text/csv', text => ({ type: 'csv', text }))
  addTextBody(app, 'application/x-ndjson', text => ({ type: 'ndjson', text }))
}

/**
 * Teaches the routes of this scope one kind of body, which must be UTF-8.
 *
 * @param contentType  `*` for whatever no other one takes
 * @param parse        also handed the content-type as the caller wrote it
 */
export function addTextBody (app: FastifyInstance, contentType: string, parse: (text: string, written: string) => unknown): void {
  app.addContentTypeParser<Buffer>(contentType, { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      refuseEncodings(request)
      done(null, parse(decodeText(bytes), request.headers['content-type'] ?? ''))
    } catch (error) {
      done(error as ApiError, undefined)
    }
  })
}

/** A file that a spreadsheet saved in another encoding would else reach the model as other words. */
function decodeText (bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new ApiError('BAD_REQUEST', 'The body is not valid UTF-8.')
  const text = bytes.toString()
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** Own keys such as `__proto__` stay what they are here, unknown features: nothing copies them anywhere. */
function parseJson (text: string): PredictInput {
  try {
    return { type: 'json', body: JSON.parse(text) }
  } catch (error) {
    throw new ApiError('NOT_JSON', text.trim() === '' ? 'The body is empty.' : `The body is not valid JSON: ${(error as Error).message}`)
  }
}

/** Bytes read in another encoding would be other values, without a word. */
function refuseEncodings ({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', `The content-encoding ${encoding} is not supported; send the body as it is.`)
  }
  const charset = /;\s*charset="?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', `The charset ${charset} is not supported; send UTF-8.`)
  }
}
