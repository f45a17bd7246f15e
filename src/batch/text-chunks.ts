import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { FatalError } from '../errors.ts'
import type { InputFile } from './input-files.ts'

const chunkBytes = 64 * 1024

/**
 * A file's text, piece by piece, unpacked and without a byte order mark.
 *
 * @param onBytes is given the bytes as they stand on the disk
 * @throws FatalError when it cannot be read to its end
 */
export async function * textChunks ({ path, gzip }: InputFile, onBytes: (bytes: Uint8Array) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    const bytes = tapped(createReadStream(path, { highWaterMark: chunkBytes }), onBytes)
    for await (const chunk of gzip ? unpacked(bytes) : bytes) {
      const text = decoder.decode(chunk, { stream: true })
      if (text !== '') yield text
    }
    const last = decoder.decode()
    if (last !== '') yield last
  } catch (error) {
    throw new FatalError(`${path} ${whatIsWrong(error as NodeJS.ErrnoException)}`, { cause: error })
  }
}

async function * tapped (chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onBytes(chunk)
    yield chunk
  }
}

function unpacked (chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // An error of either stream ends the iteration of the last.
  return pipeline(chunks, createGunzip({ chunkSize: chunkBytes }), () => {})
}

function whatIsWrong ({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'Z_BUF_ERROR': return 'ends in the middle of what gzip packed: it is cut off. Get the whole file, then begin again with --restart'
    case 'Z_DATA_ERROR': return `is damaged, or not packed by gzip (${message}). Get it again, then begin again with --restart`
    case 'ERR_ENCODING_INVALID_ENCODED_DATA': return 'is not UTF-8: save it as UTF-8'
    default: return `cannot be read (${code ?? message})`
  }
}
