import type { Fault } from '../errors.ts'
import type { Filling } from '../preprocess/feed.ts'
import { noFiniteNumber } from '../serving/predictions.ts'
import type { Tabular } from '../serving/tabular.ts'
import type { AnsweredRows } from './answered-rows.ts'
import { ByteWriter } from './byte-writer.ts'
import type { ScoredChunk } from './chunk.ts'
import type { ChunkRows, InputRow } from './input-row.ts'
import { Offsets } from './offsets.ts'
import type { OutputLines } from './output-lines.ts'

/** The way of one chunk's rows: some are read into the model's inputs, run, and written, then the next. */
export class ChunkLines {
  readonly #rows: ChunkRows
  readonly #lines: OutputLines
  readonly #faultsOf: (row: InputRow) => readonly Fault[]
  readonly #file: string
  readonly #rowEnds = new Offsets()
  readonly #answers = new ByteWriter()
  readonly #answerEnds = new Offsets()
  readonly #rejects = new ByteWriter(2 ** 10)
  readonly #rejectEnds = new Offsets()
  /** Of the rows that are about to run: which of the chunk they are, and the beginning of each one's line. */
  #places = new Offsets()
  readonly #kept = new ByteWriter()
  #keptEnds = new Offsets()
  #filling: Filling | undefined

  constructor (rows: ChunkRows, lines: OutputLines, faultsOf: (row: InputRow) => readonly Fault[], file: string) {
    this.#rows = rows
    this.#lines = lines
    this.#faultsOf = faultsOf
    this.#file = file
  }

  /** Reads on until there are `most` good rows. @returns false where there were no rows left */
  fill ({ feed }: Tabular, most: number): boolean {
    const [rows, rowEnds, places] = [this.#rows, this.#rowEnds, this.#places = new Offsets()]
    const filling = this.#filling = feed.begin(most)
    const before = rowEnds.length
    this.#keptEnds = new Offsets()
    let isSound = true
    const onFault = (): void => { isSound = false }
    while (places.length < most && rows.next()) {
      const place = rowEnds.length
      rowEnds.push(rows.end)
      if (rows.values === undefined) continue
      filling.write(rows.values, places.length, onFault)
      if (isSound) {
        places.push(place)
        rows.writeKept(this.#kept)
        this.#keptEnds.push(this.#kept.length)
      }
      isSound = true
    }
    return rowEnds.length > before
  }

  filled () {
    const rows = this.#places.length
    return { inputs: (this.#filling as Filling).tensors(rows), rows }
  }

  /** Writes a line for each row that `fill` has read. */
  write ({ predictions, probabilities, refused }: AnsweredRows): void {
    const kept = this.#kept.take()
    let next = 0
    for (let row = this.#answerEnds.length; row < this.#rowEnds.length; row++) {
      if (next === this.#places.length || this.#places.at(next) !== row) this.#reject(row, undefined)
      else {
        const [prediction, table] = [predictions[next] as number, probabilities?.[next]]
        if (refused?.[next] !== undefined) this.#reject(row, refused[next])
        else if (!Number.isFinite(prediction) || table?.every(Number.isFinite) === false) this.#reject(row, noFiniteNumber)
        else {
          this.#answers.copy(kept, next === 0 ? 0 : this.#keptEnds.at(next - 1), this.#keptEnds.at(next))
          this.#lines.answer(this.#answers, prediction, table)
        }
        next++
      }
      this.#answerEnds.push(this.#answers.length)
      this.#rejectEnds.push(this.#rejects.length)
    }
  }

  result (): Omit<ScoredChunk, 'notices' | 'tookMs'> {
    return {
      rows: this.#rowEnds.length,
      rowEnds: this.#rowEnds.all(),
      answers: this.#answers.take(),
      answerEnds: this.#answerEnds.all(),
      rejects: this.#rejects.take(),
      rejectEnds: this.#rejectEnds.all(),
    }
  }

  /** @param message  of a row that was sound until it ran */
  #reject (place: number, message: string | undefined): void {
    const row = this.#rows.input(place)
    const errors = message === undefined ? this.#faultsOf(row) : [{ path: '', message }]
    this.#rejects.text(`${JSON.stringify({ file: this.#file, line: row.line, row: row.given, errors })}\n`)
  }
}
