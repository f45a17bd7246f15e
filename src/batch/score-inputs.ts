import { createHash } from 'node:crypto'
import { FatalError } from '../errors.ts'
import type { Chunk, ScoredChunk } from './chunk.ts'
import { ChunkSize } from './chunk-size.ts'
import { stateOf } from './input-files.ts'
import type { Part, Place } from './job.ts'
import { type OpenedInput, readThrough } from './open-input.ts'
import type { Parts } from './parts.ts'
import { countLines } from './record-ends.ts'
import type { Scorers } from './scorers.ts'

export interface ScoringEvents {
  readonly notice: (text: string) => void
  /** Bytes of the input, as they are read. */
  readonly read: (bytes: number) => void
  readonly scored: (rows: number, rejected: number) => void
}

interface UnderWay { readonly chunk: Chunk, readonly scored: Promise<ScoredChunk> }

/** The way of all rows: as many chunks under way as are of use, and none read beyond that. */
export class InputScoring {
  readonly #inputs: readonly OpenedInput[]
  readonly #scorers: Scorers
  readonly #parts: Parts
  readonly #events: ScoringEvents
  readonly #size = new ChunkSize()
  readonly #underWay: UnderWay[] = []

  constructor (inputs: readonly OpenedInput[], scorers: Scorers, parts: Parts, events: ScoringEvents) {
    this.#inputs = inputs
    this.#scorers = scorers
    this.#parts = parts
    this.#events = events
  }

  /** @param from  where finished parts end */
  async all (from: Place | undefined): Promise<{ parts: readonly Part[], hashes: readonly string[] }> {
    const hashes: string[] = []
    try {
      for (const [i, input] of this.#inputs.entries()) hashes.push(await this.#one(input, i, from))
      await this.#drain(0)
      return { parts: await this.#parts.end(), hashes }
    } catch (error) {
      // What came before is finished all the same.
      await this.#drain(0).catch(() => {})
      throw error
    } finally {
      await this.#parts.settled()
    }
  }

  /** @returns the file's SHA-256 */
  async #one ({ file, chunks }: OpenedInput, input: number, from: Place | undefined): Promise<string> {
    const hash = createHash('sha256')
    const onBytes = (bytes: Uint8Array): void => { hash.update(bytes) }
    const onRead = this.#events.read
    if (from !== undefined && input < from.input) {
      await readThrough(file.path, onBytes)
      onRead(file.bytes)
    } else {
      for await (const chunk of chunks({ input, from: input === from?.input ? from : undefined, size: this.#size, onBytes, onRead })) await this.#ask(chunk)
    }
    const { bytes, modifiedMs } = await stateOf(file.path)
    if (bytes !== file.bytes || modifiedMs !== file.modifiedMs) throw new FatalError(`${file.path} has changed while it was read; begin again with --restart`)
    return hash.digest('hex')
  }

  async #ask (chunk: Chunk): Promise<void> {
    const scored = this.#scorers.score(chunk)
    // Told when its turn comes.
    scored.catch(() => {})
    this.#underWay.push({ chunk, scored })
    await this.#drain(this.#scorers.inFlight - 1)
  }

  /** Takes the chunks that came first until no more than `left` are under way. */
  async #drain (left: number): Promise<void> {
    while (this.#underWay.length > left) {
      const { chunk, scored } = this.#underWay.shift() as UnderWay
      const answered = await scored
      for (const notice of answered.notices) this.#events.notice(notice)
      this.#size.took(chunk, answered.tookMs)
      await this.#parts.add(chunk, answered)
      this.#events.scored(answered.rows, countLines(answered.rejects))
    }
  }
}
