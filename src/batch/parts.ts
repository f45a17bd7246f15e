import { isAscii } from 'node:buffer'
import type { Chunk, ScoredChunk } from './chunk.ts'
import type { JobOptions, Part, Place } from './job.ts'
import { addPart } from './output-folder.ts'
import { countLines } from './record-ends.ts'
import { type WrittenFile, writeWhole } from './write-file.ts'

/** Writes the answers' lines into a file; it is there as a whole or not at all. */
export type WriteLines = (file: string, lines: Uint8Array) => Promise<WrittenFile>

export interface PartsOptions {
  readonly folder: string
  readonly options: JobOptions
  /** The first line of each part, '' for none. */
  readonly header: string
  readonly write: WriteLines
}

/** A part as it grows. */
interface Draft {
  rows: number
  rejected: number
  readonly answers: Uint8Array[]
  readonly rejects: Uint8Array[]
}

/** Puts scored chunks into parts, in the order of the rows, and each part onto the disk while the next one grows. */
export class Parts {
  readonly #folder: string
  readonly #options: JobOptions
  readonly #header: Buffer
  readonly #writeLines: WriteLines
  readonly #onPart: (part: Part) => void
  readonly #finished: Part[]
  #draft: Draft
  /** Where the draft ends; asked for when it is finished. */
  #upTo: () => Place = () => ({ input: 0, at: 0, line: 1 })
  #writing: Promise<void> = Promise.resolve()
  #next: number

  /** @param finished parts that an earlier process has written */
  constructor ({ folder, options, header, write }: PartsOptions, finished: readonly Part[], onPart: (part: Part) => void) {
    this.#folder = folder
    this.#options = options
    this.#header = Buffer.from(header)
    this.#writeLines = write
    this.#onPart = onPart
    this.#finished = [...finished]
    this.#next = finished.length
    this.#draft = this.#begin()
  }

  async add (chunk: Chunk, scored: ScoredChunk): Promise<void> {
    const { rows, answers, answerEnds, rejects, rejectEnds } = scored
    for (let from = 0; from < rows;) {
      const draft = this.#draft
      const to = from + Math.min(this.#options.partRows - draft.rows, rows - from)
      const bad = between(rejects, rejectEnds, from, to)
      draft.rows += to - from
      draft.rejected += countLines(bad)
      draft.answers.push(between(answers, answerEnds, from, to))
      if (bad.length > 0) draft.rejects.push(bad)
      this.#upTo = () => placeBehind(chunk, scored.rowEnds[to - 1] as number)
      if (draft.rows === this.#options.partRows) await this.#finish()
      from = to
    }
  }

  /** Every part, once all are on the disk. */
  async end (): Promise<readonly Part[]> {
    if (this.#draft.rows > 0) await this.#finish()
    await this.#writing
    return this.#finished
  }

  /** Nothing is being written any more, well or badly. */
  async settled (): Promise<void> {
    await this.#writing.catch(() => {})
  }

  #begin (): Draft {
    return { rows: 0, rejected: 0, answers: [this.#header], rejects: [] }
  }

  /** Ends the part under way; waits for the one before it. */
  async #finish (): Promise<void> {
    const [draft, upTo] = [this.#draft, this.#upTo()]
    this.#draft = this.#begin()
    await this.#writing
    const number = String(this.#next++).padStart(5, '0')
    this.#writing = this.#write(number, draft, upTo)
    // Told by whoever waits for it next.
    this.#writing.catch(() => {})
  }

  async #write (number: string, { rows, rejected, answers, rejects }: Draft, upTo: Place): Promise<void> {
    const { format, gzip: packed } = this.#options
    const bad = rejected === 0 ? undefined : await writeWhole(this.#folder, `rejected-${number}.ndjson`, Buffer.concat(rejects))
    const good = await this.#writeLines(`part-${number}.${format}${packed ? '.gz' : ''}`, Buffer.concat(answers))
    const part: Part = { ...good, rows, predicted: rows - rejected, upTo, ...(bad === undefined ? {} : { rejected: { ...bad, rows: rejected } }) }
    await addPart(this.#folder, part)
    this.#finished.push(part)
    this.#onPart(part)
  }
}

function between (bytes: Uint8Array, ends: Uint32Array, from: number, to: number): Uint8Array {
  return bytes.subarray(from === 0 ? 0 : ends[from - 1], ends[to - 1])
}

/** The place in the file of a place in the chunk's text: the same wherever the file was cut into chunks. */
function placeBehind (chunk: Chunk, end: number): Place {
  const { input, at, line } = chunk
  if (chunk.kind === 'columns') return { input, at: at + end, line: line + end }
  const { bytes } = chunk
  const length = isAscii(bytes) ? end : Buffer.byteLength(Buffer.from(bytes).toString().slice(0, end))
  return { input, at: at + length, line: line + countLines(bytes, 0, length) }
}
