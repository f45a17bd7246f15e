import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Prediction } from '../schemas/answer-text.ts'
import type { InputRow } from './input-row.ts'
import type { JobOptions, Part } from './job.ts'
import { addPart } from './output-folder.ts'
import type { OutputLines } from './output-lines.ts'
import { writeWhole } from './write-file.ts'

/** The text of one part, as it grows: bytes, for a hundred thousand short texts would keep the garbage collector busy. */
class Draft {
  rows = 0
  rejected = 0
  readonly lines: Buffer[]
  readonly rejects: Buffer[] = []

  constructor (header: string | undefined) {
    this.lines = header === undefined ? [] : [toBytes([header])]
  }
}

/** Puts answers into parts, in the order of the rows, and each part onto the disk while the next one grows. */
export class Parts {
  readonly #folder: string
  readonly #options: JobOptions
  readonly #lines: OutputLines
  readonly #onPart: (part: Part) => void
  readonly #finished: Part[]
  #draft: Draft
  #writing: Promise<void> = Promise.resolve()
  #next: number

  /** @param finished parts that an earlier process has written */
  constructor (folder: string, options: JobOptions, lines: OutputLines, finished: readonly Part[], onPart: (part: Part) => void) {
    this.#folder = folder
    this.#options = options
    this.#lines = lines
    this.#onPart = onPart
    this.#finished = [...finished]
    this.#next = finished.length
    this.#draft = new Draft(lines.header)
  }

  /** Rows that the part under way still takes; at least one. */
  get room (): number {
    return this.#options.partRows - this.#draft.rows
  }

  /** Never more than there is room for. */
  add (file: string, rows: readonly InputRow[], answers: readonly Prediction[]): void {
    const lines: string[] = []
    const rejects: string[] = []
    rows.forEach((row, i) => {
      const answer = answers[i] as Prediction
      if ('errors' in answer) rejects.push(JSON.stringify({ file, line: row.line, row: row.given, errors: answer.errors }))
      else lines.push(this.#lines.line(row.kept, answer))
    })
    const draft = this.#draft
    draft.rows += rows.length
    draft.rejected += rejects.length
    draft.lines.push(toBytes(lines))
    draft.rejects.push(toBytes(rejects))
  }

  /** Ends the part under way; waits for the one before it. */
  async finish (): Promise<void> {
    const draft = this.#draft
    if (draft.rows === 0) return
    this.#draft = new Draft(this.#lines.header)
    await this.#writing
    const number = String(this.#next++).padStart(5, '0')
    this.#writing = this.#write(number, draft)
    // Told by whoever waits for it next.
    this.#writing.catch(() => {})
  }

  /** Every part, once all are on the disk. */
  async end (): Promise<readonly Part[]> {
    await this.finish()
    await this.#writing
    return this.#finished
  }

  /** Nothing is being written any more, well or badly. */
  async settled (): Promise<void> {
    await this.#writing.catch(() => {})
  }

  async #write (number: string, { rows, rejected, lines, rejects }: Draft): Promise<void> {
    const { format, gzip: packed } = this.#options
    const text = Buffer.concat(lines)
    const bad = rejected === 0 ? undefined : await writeWhole(this.#folder, `rejected-${number}.ndjson`, Buffer.concat(rejects))
    const good = packed
      ? await writeWhole(this.#folder, `part-${number}.${format}.gz`, await promisify(gzip)(text))
      : await writeWhole(this.#folder, `part-${number}.${format}`, text)
    const part: Part = { ...good, rows, predicted: rows - rejected, ...(bad === undefined ? {} : { rejected: { ...bad, rows: rejected } }) }
    await addPart(this.#folder, part)
    this.#finished.push(part)
    this.#onPart(part)
  }
}

function toBytes (lines: readonly string[]): Buffer {
  return Buffer.from(lines.length === 0 ? '' : `${lines.join('\n')}\n`)
}
