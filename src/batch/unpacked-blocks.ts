import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { FatalError } from '../errors.ts'
import type { InputFile } from './input-files.ts'

const blockBytes = 256 * 1024

/**
 * A file's bytes, piece by piece, unpacked.
 *
 * @param onBytes is given them as they stand on the disk
 * @throws FatalError when it cannot be read to its end
 */
export async function * unpackedBlocks ({ path, gzip }: Pick<InputFile, 'path' | 'gzip'>, onBytes: (bytes: Uint8Array) => void = () => {}): AsyncGenerator<Buffer> {
  try {
    const bytes = tapped(createReadStream(path, { highWaterMark: blockBytes }), onBytes)
    // An error of either stream ends the iteration of the last.
    yield * gzip ? pipeline(bytes, createGunzip({ chunkSize: blockBytes }), () => {}) : bytes
  } catch (error) {
    throw new FatalError(`${path} ${whatIsWrong(error as NodeJS.ErrnoException)}`, { cause: error })
  }
}

async function * tapped (blocks: AsyncIterable<Buffer>, onBytes: (bytes: Uint8Array) => void): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    onBytes(block)
    yield block
  }
}

function whatIsWrong ({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'Z_BUF_ERROR': return 'ends in the middle of what gzip packed: it is cut off. Get the whole file, then begin again with --restart'
    case 'Z_DATA_ERROR': return `is damaged, or not packed by gzip (${message}). Get it again, then begin again with --restart`
    default: return `cannot be read (${code ?? message})`
  }
}
