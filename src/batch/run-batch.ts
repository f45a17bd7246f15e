import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip as packGzip } from 'node:zlib'
import { FatalError } from '../errors.ts'
import { type Database, openDatabase } from '../etl/database.ts'
import type { Model } from '../serving/model.ts'
import { maxNotices, runRowsOf } from './chunk-scorer.ts'
import type { InputFile } from './input-files.ts'
import type { Wanted } from './input-row.ts'
import { type JobManifest, type JobOptions, type Part, describeJob } from './job.ts'
import { lockFolder } from './lock.ts'
import { type OpenedInput, openInput } from './open-input.ts'
import { checkFolder, openFolder, writeManifest } from './output-folder.ts'
import { answerColumns, compileLines, isTyped } from './output-lines.ts'
import { parquetColumns, writeParquet } from './parquet-part.ts'
import { Parts, type WriteLines } from './parts.ts'
import { InputScoring, type ScoringEvents } from './score-inputs.ts'
import { openScorers } from './scorers.ts'
import { writeWhole } from './write-file.ts'

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
export interface BatchEvents extends ScoringEvents {
  /** What an earlier process has finished of the same job; told once, where there is something. */
  readonly resumed: (parts: readonly Part[]) => void
  readonly part: (part: Part) => void
}

/**
 * Scores every row of the inputs into parts in a folder. Ended at any moment and called again for the same
 * job, it goes on after the last finished part, and leaves the same bytes.
 *
 * @throws FatalError; finished parts stay then
 */
export async function runBatch (request: BatchRequest, events: BatchEvents): Promise<JobManifest> {
  const { inputs, options: { format } } = request
  const needsDatabase = format === 'parquet' || inputs.some(({ kind }) => kind === 'parquet')
  const database = needsDatabase ? await openDatabase({ memory: databaseMemory, threads: 1 }) : undefined
  try {
    // Moments as texts: the same wherever it runs.
    await database?.run({ name: 'time zone', sql: "SET TimeZone = 'UTC'" })
    return await runJob(request, database, { ...events, notice: upToSome(events.notice) })
  } finally {
    await database?.close()
  }
}

const databaseMemory = '1GB'

async function runJob (request: BatchRequest, database: Database | undefined, events: BatchEvents): Promise<JobManifest> {
  const { inputs, model, output, options, restart } = request
  const wanted = wantedOf(request)
  await checkFolder(output)
  const opened: OpenedInput[] = []
  for (const input of inputs) opened.push(await openInput(input, wanted, database, events.notice))
  const write = writerOf(request, opened, database)
  const job = describeJob(model, inputs, options)
  await makeFolder(output)
  const unlock = await lockFolder(output)
  try {
    const { parts, manifest } = await openFolder(output, job, restart)
    if (parts.length > 0) events.resumed(parts)
    if (manifest !== undefined) return manifest
    const written = await score(request, opened, write, parts, events)
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
  return { features, keep, typed: isTyped(format) }
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

/** @throws FatalError when the columns cannot stand beside each other */
function writerOf ({ output, options: { format, keep, gzip }, model: { manifest } }: BatchRequest, inputs: readonly OpenedInput[], database: Database | undefined): WriteLines {
  if (format === 'parquet') {
    const columns = parquetColumns(manifest, keep.map((name, i) => ({ name, type: commonType(inputs.map(({ keptTypes }) => keptTypes[i] as string)) })))
    return (file, lines) => writeParquet(database as Database, output, file, lines, columns)
  }
  return async (file, lines) => writeWhole(output, file, gzip ? await promisify(packGzip)(lines) : lines)
}

/** Where files do not agree, each value's text is what they have in common. */
function commonType (types: readonly string[]): string {
  return new Set(types).size === 1 ? types[0] as string : 'VARCHAR'
}

async function score ({ model: { artifact, manifest, engine }, threads, output, options }: BatchRequest, inputs: readonly OpenedInput[], write: WriteLines, finished: readonly Part[], events: BatchEvents) {
  const { format, keep } = options
  const { golden: _golden, baseline: _baseline, notes: _notes, ...needed } = artifact
  const setup = { artifact: needed, runRows: runRowsOf(engine.placement), format, keep, inputs: inputs.map(({ known }) => known) }
  const scorers = await openScorers(setup, threads)
  try {
    const parts = new Parts({ folder: output, options, header: compileLines(format, manifest, keep).header, write }, finished, events.part)
    return await new InputScoring(inputs, scorers, parts, events).all(finished.at(-1)?.upTo)
  } finally {
    await scorers.close()
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
