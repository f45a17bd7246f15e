import { csvRows } from './csv-rows.ts'
import type { InputFile } from './input-files.ts'
import type { InputRow, Wanted } from './input-row.ts'
import { ndjsonRows } from './ndjson-rows.ts'
import { textChunks } from './text-chunks.ts'

/**
 * The rows of a file, some at a time, in order. Reads on only as they are taken.
 *
 * @param onBytes is given the bytes as they stand on the disk
 * @throws FatalError when the file cannot be read, or not be what it is called
 */
export function inputRows (file: InputFile, wanted: Wanted, onBytes: (bytes: Uint8Array) => void = () => {}): AsyncGenerator<readonly InputRow[]> {
  const chunks = textChunks(file, onBytes)
  switch (file.kind) {
    case 'csv': return csvRows(chunks, file.path, wanted)
    case 'ndjson': return ndjsonRows(chunks, file.path, wanted)
    default: return file.kind satisfies never
  }
}
