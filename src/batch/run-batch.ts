import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { FatalError } from '../errors.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import type { Inference } from '../serving/inference.ts'
import type { Model } from '../serving/model.ts'
import { type InputFile, stateOf } from './input-files.ts'
import type { InputRow, Wanted } from './input-row.ts'
import { inputRows } from './input-rows.ts'
import { type JobManifest, type JobOptions, type Part, describeJob } from './job.ts'
import { lockFolder } from './lock.ts'
import { checkFolder, openFolder, writeManifest } from './output-folder.ts'
import { answerColumns, compileLines } from './output-lines.ts'
import { Parts } from './parts.ts'
import { Scorer } from './scorer.ts'

export interface BatchRequest {
  readonly inputs: readonly InputFile[]
  readonly model: Model
  readonly inference: Inference
  /** Runs of the model that can be under way at once. */
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

/**
 * Scores every row of the inputs into parts in a folder. Ended at any moment and called again for the same
 * job, it goes on after the last finished part, and leaves the same bytes.
 *
 * @throws FatalError; finished parts stay then
 */
export async function runBatch (request: BatchRequest, events: BatchEvents): Promise<JobManifest> {
  const { inputs, model, output, options, restart } = request
  const wanted = wantedOf(request, events)
  await checkFolder(output)
  for (const input of inputs) await checkInput(input, wanted)
  const job = describeJob(model, inputs, options)
  await makeFolder(output)
  const unlock = await lockFolder(output)
  try {
    const { parts, manifest } = await openFolder(output, job, restart)
    if (parts.length > 0) events.resumed(parts)
    if (manifest !== undefined) return manifest
    const lines = compileLines(options.format, model.manifest, options.keep)
    const run = new Run(request, wanted, new Parts(output, options, lines, parts, events.part), events)
    const written = await run.all(sum(parts, part => part.rows))
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
function wantedOf ({ model: { manifest, tabular }, options: { format, keep } }: BatchRequest, { notice }: BatchEvents): Wanted {
  const { name, version } = manifest
  if (tabular === undefined) throw new FatalError(`${name} ${version} takes raw tensors: it has no features to fill from rows. Give it a manifest.json that names them`)
  const taken = answerColumns(format, manifest)
  const clash = keep.find(column => taken.includes(column))
  if (clash !== undefined) throw new FatalError(`--keep: the output has a column ${JSON.stringify(clash)} of its own; rename the one of the input`)
  const told = new Set<string>()
  return {
    features: tabular.reader.features,
    keep,
    typed: format === 'ndjson',
    notice: text => {
      if (told.has(text) || told.size === maxNotices) return
      told.add(text)
      notice(text)
    },
  }
}

const maxNotices = 20

/** Reads the beginning of each file before anything is written. */
async function checkInput (input: InputFile, wanted: Wanted): Promise<void> {
  const rows = inputRows(input, wanted)
  try {
    await rows.next()
  } finally {
    await rows.return(undefined)
  }
}

/** Rows whose answers are under way. */
interface Chunk { readonly file: string, readonly rows: readonly InputRow[], readonly answers: Promise<readonly Prediction[]> }

/** The way of all rows through the model: as many chunks at once as are of use, and none read beyond that. */
class Run {
  readonly #inputs: readonly InputFile[]
  readonly #wanted: Wanted
  readonly #scorer: Scorer
  readonly #parts: Parts
  readonly #events: BatchEvents
  readonly #chunks: Chunk[] = []
  /** Rows of the part that are not in it yet. */
  #pending = 0
  /** Rows to go before the first that is not finished. */
  #skip = 0

  constructor ({ inputs, model, inference, threads }: BatchRequest, wanted: Wanted, parts: Parts, events: BatchEvents) {
    this.#inputs = inputs
    this.#wanted = wanted
    this.#scorer = new Scorer(model, inference, threads)
    this.#parts = parts
    this.#events = events
  }

  async all (finishedRows: number): Promise<{ parts: readonly Part[], hashes: readonly string[] }> {
    this.#skip = finishedRows
    const hashes: string[] = []
    try {
      for (const input of this.#inputs) hashes.push(await this.#file(input))
      await this.#drain(0)
      return { parts: await this.#parts.end(), hashes }
    } finally {
      await this.#parts.settled()
    }
  }

  /** @returns the file's SHA-256 */
  async #file (input: InputFile): Promise<string> {
    const hash = createHash('sha256')
    let waiting: InputRow[] = []
    for await (const rows of inputRows(input, this.#wanted, bytes => { hash.update(bytes); this.#events.read(bytes.byteLength) })) {
      const skipped = Math.min(this.#skip, rows.length)
      this.#skip -= skipped
      for (let at = skipped; at < rows.length;) {
        const most = Math.min(this.#scorer.chunkRows, this.#parts.room - this.#pending)
        const taken = rows.slice(at, at + most - waiting.length)
        waiting = [...waiting, ...taken]
        at += taken.length
        if (waiting.length < most) continue
        await this.#ask(input.path, waiting)
        waiting = []
      }
    }
    if (waiting.length > 0) await this.#ask(input.path, waiting)
    const { bytes, modifiedMs } = await stateOf(input.path)
    if (bytes !== input.bytes || modifiedMs !== input.modifiedMs) throw new FatalError(`${input.path} has changed while it was read; begin again with --restart`)
    return hash.digest('hex')
  }

  async #ask (file: string, rows: readonly InputRow[]): Promise<void> {
    const answers = this.#scorer.score(rows)
    // Told when its turn comes.
    answers.catch(() => {})
    this.#chunks.push({ file, rows, answers })
    this.#pending += rows.length
    const isFull = this.#pending === this.#parts.room
    await this.#drain(isFull ? 0 : this.#scorer.inFlight - 1)
    if (isFull) await this.#parts.finish()
  }

  /** Takes the answers of the chunks that came first until no more than `left` are under way. */
  async #drain (left: number): Promise<void> {
    while (this.#chunks.length > left) {
      const { file, rows, answers } = this.#chunks.shift() as Chunk
      const given = await answers
      this.#parts.add(file, rows, given)
      this.#pending -= rows.length
      this.#events.scored(rows.length, given.reduce((bad, answer) => bad + ('errors' in answer ? 1 : 0), 0))
    }
  }
}

async function makeFolder (folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new FatalError(`--output: ${folder} cannot be made (${error.code})`)
  })
}

function sum<T> (items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
