import { isUtf8 } from 'node:buffer'
import { ApiError } from '../../errors.ts'

/** A request as it arrived: a JSON text, and behind it the bytes of the tensors that are sent as such. */
export interface InferBody {
  readonly json: string
  readonly binary: Buffer
}

/**
 * Parts a body where the caller says that its JSON ends.
 *
 * @param jsonBytes  the header Inference-Header-Content-Length; undefined: all of the body is JSON
 * @throws ApiError BAD_REQUEST for a length that cannot be, or a text that is not UTF-8
 */
export function splitBody (bytes: Buffer, jsonBytes: string | undefined): InferBody {
  const length = jsonBytes === undefined ? bytes.length : readLength(jsonBytes)
  if (length > bytes.length) {
    throw new ApiError('BAD_REQUEST', `Inference-Header-Content-Length is ${length}, and the body has only ${bytes.length} bytes.`)
  }
  const json = bytes.subarray(0, length)
  if (!isUtf8(json)) throw new ApiError('BAD_REQUEST', 'The JSON of the body is not valid UTF-8.')
  return { json: json.toString(), binary: bytes.subarray(length) }
}

/** @throws ApiError BAD_REQUEST */
export function readLength (jsonBytes: string): number {
  if (/^\d{1,15}$/.test(jsonBytes)) return Number(jsonBytes)
  throw new ApiError('BAD_REQUEST', `Inference-Header-Content-Length must be the number of bytes of the JSON at the beginning of the body, not ${JSON.stringify(jsonBytes.slice(0, 64))}.`)
}
