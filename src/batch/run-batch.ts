import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { FatalError } from '../errors.ts'
import type { Model } from '../serving/model.ts'
import type { Chunk, ScoredChunk } from './chunk.ts'
import { ChunkSize } from './chunk-size.ts'
import { type KnownInput, maxNotices, runRowsOf } from './chunk-scorer.ts'
import { checkHeader } from './csv-columns.ts'
import { type InputFile, stateOf } from './input-files.ts'
import type { Wanted } from './input-row.ts'
import { type JobManifest, type JobOptions, type Part, type Place, describeJob } from './job.ts'
import { lockFolder } from './lock.ts'
import { checkFolder, openFolder, writeManifest } from './output-folder.ts'
import { answerColumns, compileLines } from './output-lines.ts'
import { Parts } from './parts.ts'
import { countLines } from './record-ends.ts'
import { type Scorers, openScorers } from './scorers.ts'
import { type TextPlace, readHead, textChunks } from './text-chunks.ts'
import { unpackedBlocks } from './unpacked-blocks.ts'

export interface BatchRequest {
  readonly inputs: readonly InputFile[]
  /** It was opened and proven; here it is opened once more on each thread, and may be closed. */
  readonly model: Pick<Model, 'artifact' | 'manifest' | 'engine'>
  /** Threads beside this one that score rows; 0: this one does. The bytes do not depend on it. */
  readonly threads: number
  /** The folder to write into. */
  readonly output: string
  readonly options: JobOptions
  /** Throws away what another job has left there. */
  readonly restart: boolean
}

/** What a person hears while it goes on. */
export interface BatchEvents {
  readonly notice: (text: string) => void
  /** What an earlier process has finished of the same job; told once, where there is something. */
  readonly resumed: (parts: readonly Part[]) => void
  /** Bytes of the input, as they are read. */
  readonly read: (bytes: number) => void
  readonly scored: (rows: number, rejected: number) => void
  readonly part: (part: Part) => void
}

/** An input and where its rows begin. */
interface OpenedInput { readonly file: InputFile, readonly known: KnownInput, readonly start: TextPlace }

/**
 * Scores every row of the inputs into parts in a folder. Ended at any moment and called again for the same
 * job, it goes on after the last finished part, and leaves the same bytes.
 *
 * @throws FatalError; finished parts stay then
 */
export async function runBatch (request: BatchRequest, events: BatchEvents): Promise<JobManifest> {
  const { inputs, model, output, options, restart } = request
  const wanted = wantedOf(request)
  const notice = upToSome(events.notice)
  await checkFolder(output)
  const opened: OpenedInput[] = []
  for (const input of inputs) opened.push(await openInput(input, wanted, notice))
  const job = describeJob(model, inputs, options)
  await makeFolder(output)
  const unlock = await lockFolder(output)
  try {
    const { parts, manifest } = await openFolder(output, job, restart)
    if (parts.length > 0) events.resumed(parts)
    if (manifest !== undefined) return manifest
    const written = await score(request, opened, parts, { ...events, notice })
    const done: JobManifest = {
      ...job,
      complete: true,
      inputs: job.inputs.map((input, i) => ({ ...input, sha256: written.hashes[i] as string })),
      rows: sum(written.parts, part => part.rows),
      predicted: sum(written.parts, part => part.predicted),
      rejected: sum(written.parts, part => part.rejected?.rows ?? 0),
      parts: written.parts,
    }
    await writeManifest(output, done)
    return done
  } finally {
    await unlock()
  }
}

/** @throws FatalError when the model has no features, or a kept column's name is taken */
function wantedOf ({ model: { manifest }, options: { format, keep } }: BatchRequest): Wanted {
  const { name, version, features } = manifest
  if (features === undefined) throw new FatalError(`${name} ${version} takes raw tensors: it has no features to fill from rows. Give it a manifest.json that names them`)
  const taken = answerColumns(format, manifest)
  const clash = keep.find(column => taken.includes(column))
  if (clash !== undefined) throw new FatalError(`--keep: the output has a column ${JSON.stringify(clash)} of its own; rename the one of the input`)
  return { features, keep, typed: format === 'ndjson' }
}

/** Each notice once, and no more than a person reads. */
function upToSome (notice: (text: string) => void): (text: string) => void {
  const told = new Set<string>()
  return text => {
    if (told.has(text) || told.size === maxNotices) return
    told.add(text)
    notice(text)
  }
}

/** Reads the beginning of a file, before anything is written. */
async function openInput (file: InputFile, wanted: Wanted, notice: (text: string) => void): Promise<OpenedInput> {
  const { path, kind } = file
  const { header, at, line } = await readHead(file)
  if (kind === 'csv') checkHeader(header, path, wanted, notice)
  return { file, known: kind === 'csv' ? { path, kind, header } : { path, kind }, start: { at, line } }
}

async function score ({ model: { artifact, manifest, engine }, threads, output, options }: BatchRequest, inputs: readonly OpenedInput[], finished: readonly Part[], events: BatchEvents) {
  const { format, keep } = options
  const { golden: _golden, baseline: _baseline, notes: _notes, ...needed } = artifact
  const setup = { artifact: needed, runRows: runRowsOf(engine.placement), format, keep, inputs: inputs.map(({ known }) => known) }
  const scorers = await openScorers(setup, threads)
  try {
    const parts = new Parts(output, options, compileLines(format, manifest, keep).header, finished, events.part)
    return await new Run(inputs, scorers, parts, events).all(finished.at(-1)?.upTo)
  } finally {
    await scorers.close()
  }
}

interface UnderWay { readonly chunk: Chunk, readonly scored: Promise<ScoredChunk> }

/** The way of all rows: as many chunks under way as are of use, and none read beyond that. */
class Run {
  readonly #inputs: readonly OpenedInput[]
  readonly #scorers: Scorers
  readonly #parts: Parts
  readonly #events: BatchEvents
  readonly #size = new ChunkSize()
  readonly #underWay: UnderWay[] = []

  constructor (inputs: readonly OpenedInput[], scorers: Scorers, parts: Parts, events: BatchEvents) {
    this.#inputs = inputs
    this.#scorers = scorers
    this.#parts = parts
    this.#events = events
  }

  /** @param from  where finished parts end */
  async all (from: Place | undefined): Promise<{ parts: readonly Part[], hashes: readonly string[] }> {
    const hashes: string[] = []
    try {
      for (const [i, input] of this.#inputs.entries()) hashes.push(await this.#file(input, i, from))
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
  async #file ({ file, start }: OpenedInput, input: number, from: Place | undefined): Promise<string> {
    const hash = createHash('sha256')
    const onBytes = (bytes: Uint8Array): void => {
      hash.update(bytes)
      this.#events.read(bytes.byteLength)
    }
    if (from !== undefined && input < from.input) await readThrough(file, onBytes)
    else {
      const place = input === from?.input ? from : start
      for await (const chunk of textChunks(file, input, place, () => this.#size.bytes, onBytes)) await this.#ask(chunk)
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
      this.#size.took(chunk.bytes.length, answered.tookMs)
      await this.#parts.add(chunk, answered)
      this.#events.scored(answered.rows, countLines(answered.rejects))
    }
  }
}

/** For its bytes alone. */
async function readThrough ({ path }: InputFile, onBytes: (bytes: Uint8Array) => void): Promise<void> {
  const blocks = unpackedBlocks({ path, gzip: false }, onBytes)
  while ((await blocks.next()).done !== true);
}

async function makeFolder (folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new FatalError(`--output: ${folder} cannot be made (${error.code})`)
  })
}

function sum<T> (items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
