import type { Database } from '../etl/database.ts'
import type { Chunk } from './chunk.ts'
import type { ChunkSize } from './chunk-size.ts'
import type { KnownInput } from './chunk-scorer.ts'
import { checkHeader } from './csv-columns.ts'
import type { InputFile } from './input-files.ts'
import type { Wanted } from './input-row.ts'
import type { Place } from './job.ts'
import { columnChunks, openParquet } from './parquet-input.ts'
import { readHead, textChunks } from './text-chunks.ts'
import { unpackedBlocks } from './unpacked-blocks.ts'

/** An input whose beginning was looked at. */
export interface OpenedInput {
  readonly file: InputFile
  readonly known: KnownInput
  /** Of the kept columns, in SQL. */
  readonly keptTypes: readonly string[]
  /** Its rows. @throws FatalError when the file cannot be read to its end */
  readonly chunks: (reading: Reading) => AsyncGenerator<Chunk>
}

export interface Reading {
  /** Index of the input. */
  readonly input: number
  /** Where to begin; undefined for its first row. */
  readonly from: Place | undefined
  readonly size: ChunkSize
  /** Is given all of the file's bytes as they stand on the disk. */
  readonly onBytes: (bytes: Uint8Array) => void
  /** How many of the file's bytes are read, as far as a person cares. */
  readonly onRead: (bytes: number) => void
}

/**
 * Reads the beginning of a file, before anything is written.
 *
 * @param database  for Parquet
 * @throws FatalError when the file cannot be read, or does not have what is wanted of it
 */
export async function openInput (file: InputFile, wanted: Wanted, database: Database | undefined, notice: (text: string) => void): Promise<OpenedInput> {
  if (file.kind === 'parquet') return await openColumns(file, wanted, database as Database, notice)
  const { path, gzip, kind } = file
  const { header, at, line } = await readHead({ path, gzip, kind })
  if (kind === 'csv') checkHeader(header, path, wanted, notice)
  return {
    file,
    known: kind === 'csv' ? { path, kind, header } : { path, kind },
    keptTypes: wanted.keep.map(name => typeOf(name, wanted)),
    chunks: ({ input, from, size, onBytes, onRead }) => textChunks({ path, gzip, kind }, input, from ?? { at, line }, () => size.bytes, bytes => {
      onBytes(bytes)
      onRead(bytes.byteLength)
    }),
  }
}

/** What a row of text has of a feature; anything else it has is a text. */
function typeOf (name: string, { features, typed }: Wanted): string {
  const type = typed ? features.find(feature => feature.name === name)?.type : undefined
  return type === 'number' || type === 'integer' ? 'DOUBLE' : type === 'boolean' ? 'BOOLEAN' : 'VARCHAR'
}

async function openColumns (file: InputFile, wanted: Wanted, database: Database, notice: (text: string) => void): Promise<OpenedInput> {
  const { path, bytes } = file
  const opened = await openParquet(database, file, wanted, notice)
  return {
    file,
    known: { path, kind: 'parquet', kept: opened.kept },
    keptTypes: opened.keptTypes,
    chunks: async function * ({ input, from, size, onBytes, onRead }) {
      await readThrough(path, onBytes)
      const first = from?.at ?? 0
      onRead(bytes * (opened.rows === 0 ? 1 : first / opened.rows))
      for await (const chunk of columnChunks(database, path, opened, input, first, () => size.rows)) {
        yield chunk
        onRead(bytes * chunk.rows / opened.rows)
      }
    },
  }
}

/** For a file's bytes alone, as they stand on the disk. */
export async function readThrough (path: string, onBytes: (bytes: Uint8Array) => void): Promise<void> {
  const blocks = unpackedBlocks({ path, gzip: false }, onBytes)
  while ((await blocks.next()).done !== true);
}
