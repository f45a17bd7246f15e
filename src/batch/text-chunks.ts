import { isUtf8 } from 'node:buffer'
import { FatalError } from '../errors.ts'
import type { TextChunk } from './chunk.ts'
import { readRecord, skipEmptyLines } from './csv-records.ts'
import type { InputFile } from './input-files.ts'
import { countLines, wholeLines, wholeRecords } from './record-ends.ts'
import { unpackedBlocks } from './unpacked-blocks.ts'

/** A row that is longer comes from a quote that nobody closed or is none; it would else take up the memory. */
const maxRowBytes = 8 * 2 ** 20

type TextFile = Pick<InputFile, 'path' | 'gzip'> & { readonly kind: 'csv' | 'ndjson' }

/** Bytes before it, unpacked, and the line that begins there, from 1. */
export interface TextPlace { readonly at: number, readonly line: number }

/**
 * A file in chunks of whole rows, from a place on; what is before that is read too.
 *
 * @param wantedBytes  is asked before each chunk how long it should be
 * @param onBytes      is given the bytes as they stand on the disk
 * @throws FatalError when the file cannot be read, is not UTF-8, or ends in the middle of a row
 */
export async function * textChunks (file: TextFile, input: number, from: TextPlace, wantedBytes: () => number, onBytes: (bytes: Uint8Array) => void): AsyncGenerator<TextChunk> {
  let { at, line } = from
  let skip = at
  let rest: Buffer = Buffer.alloc(0)
  const chunkOf = (bytes: Buffer): TextChunk => {
    if (!isUtf8(bytes)) throw notUtf8(file)
    const chunk = { kind: 'text', input, at, line, bytes } as const
    at += bytes.length
    line += countLines(bytes)
    return chunk
  }
  for await (const block of unpackedBlocks(file, onBytes)) {
    const skipped = Math.min(skip, block.length)
    skip -= skipped
    rest = Buffer.concat([rest, block.subarray(skipped)])
    while (rest.length > wantedBytes()) {
      const whole = firstRows(rest, file, wantedBytes())
      if (whole === 0) break
      yield chunkOf(rest.subarray(0, whole))
      rest = rest.subarray(whole)
    }
    if (rest.length > maxRowBytes) throw endless(file, line)
  }
  const whole = wholeRows(rest, file, true)
  if (whole > 0) yield chunkOf(rest.subarray(0, whole))
  if (whole < rest.length) throw endless(file, line)
}

export interface Head extends TextPlace {
  /** Of CSV: the names of its columns. */
  readonly header: readonly string[]
}

/**
 * Looks where the rows of a file begin.
 *
 * @throws FatalError when it cannot be read, is not what it is called, or has no header
 */
export async function readHead (file: TextFile): Promise<Head> {
  let bytes: Buffer = Buffer.alloc(0)
  for await (const block of unpackedBlocks(file)) {
    bytes = Buffer.concat([bytes, block])
    const head = headOf(bytes, file, false)
    if (head !== undefined) return head
    if (bytes.length > maxRowBytes) throw endless(file, 1)
  }
  const head = headOf(bytes, file, true)
  if (head !== undefined) return head
  if (wholeRows(bytes, file, true) < bytes.length) throw endless(file, 1 + countLines(bytes, 0, wholeRows(bytes, file, true)))
  throw new FatalError(`${file.path} is empty: it must begin with a header that names the columns`)
}

/** undefined: the header has not come yet. */
function headOf (bytes: Buffer, file: TextFile, isLast: boolean): Head | undefined {
  const start = bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? byteOrderMark.length : 0
  const whole = bytes.subarray(start, start + wholeRows(bytes.subarray(start), file, isLast))
  if (!isUtf8(whole)) throw notUtf8(file)
  if (file.kind === 'ndjson') return { at: start, line: 1, header: [] }
  const text = whole.toString()
  const from = skipEmptyLines(text, 0)
  if (from === text.length) return undefined
  const { cells, fault, end } = readRecord(text, from)
  if (fault !== undefined) throw new FatalError(`${file.path}: the header ${fault}`)
  const length = Buffer.byteLength(text.slice(0, end))
  return { at: start + length, line: 1 + countLines(whole, 0, length), header: cells.map(cell => cell.trim()) }
}

const byteOrderMark = Buffer.from('\uFEFF')

function wholeRows (bytes: Buffer, { kind }: TextFile, isLast: boolean): number {
  return kind === 'csv' ? wholeRecords(bytes, isLast) : wholeLines(bytes, isLast)
}

/** How many bytes are some rows, about as long as is wanted, at least one; 0 where not even that has come. */
function firstRows (bytes: Buffer, file: TextFile, wantedBytes: number): number {
  for (let length = wantedBytes; ; length *= 2) {
    const whole = wholeRows(bytes.subarray(0, length), file, false)
    if (whole > 0 || length >= bytes.length) return whole
  }
}

function endless ({ path, kind }: TextFile, line: number): FatalError {
  if (kind === 'ndjson') return new FatalError(`${path}: line ${line} is longer than ${maxRowBytes} bytes; NDJSON has one row on each line`)
  return new FatalError(`${path}: what begins on line ${line} does not end: a quote is not closed, or the file is cut off. Mend it, then begin again with --restart`)
}

function notUtf8 ({ path }: TextFile): FatalError {
  return new FatalError(`${path} is not UTF-8: save it as UTF-8`)
}
