import { FatalError } from '../errors.ts'
import { digestOf } from '../serving/load-version.ts'
import type { Model } from '../serving/model.ts'
import type { Place, PlacedFile } from './place.ts'
import { type Plan, type PlannedPart, findPlan, itemsKey, planKey, writeJson } from './run-files.ts'

export interface PlanRequest {
  /** Where the files with the rows are. */
  readonly input: Place
  readonly run: Place
  readonly model: Model
  readonly options: Plan['options']
  /** Small files go together into one part up to this size. */
  readonly partBytes: number
}

/** What a whole part may have in files, so that nobody has to fetch a long list for it. */
const maxPartFiles = 1000

/**
 * Lists the files, cuts them into parts and writes that down. A run has one plan: where it stands already it is kept,
 * for parts of it may be under way.
 *
 * No file is cut: where a record of CSV begins cannot be told from the middle of a file, since quotes may hold line ends.
 *
 * @throws FatalError where there is no file with rows, or the run is for something else
 */
export async function planBatch ({ input, run, model, options, partBytes }: PlanRequest): Promise<Plan> {
  const { name, version } = model.manifest
  const before = await findPlan(run)
  if (before !== undefined) {
    if (before.input !== input.address || before.model.name !== name) throw new FatalError(`${run.address} is another run: ${before.model.name} over ${before.input}. Choose another --run`)
    await writeItems(run, before)
    return before
  }
  const files = (await input.list()).filter(({ key }) => !isHidden(key))
  const readable = files.filter(({ key }) => /\.((csv|ndjson|jsonl)(\.gz)?|parquet)$/i.test(key))
  if (readable.length === 0) throw new FatalError(`${input.address}: there is no file with rows; their names end in .csv, .ndjson or .jsonl (and .gz), or .parquet`)
  const plan: Plan = {
    schemaVersion: 1,
    model: { name, version, digest: digestOf(model.artifact) },
    input: input.address,
    options,
    parts: partsOf(readable, partBytes).map((files, i) => ({ part: String(i).padStart(5, '0'), files: [...files] })),
    ignored: files.filter(file => !readable.includes(file)).map(({ key }) => key),
  }
  await writeJson(run, planKey, plan)
  await writeItems(run, plan)
  return plan
}

async function writeItems (run: Place, { parts }: Plan): Promise<void> {
  await run.write(itemsKey, `${JSON.stringify(parts.map(({ part }: PlannedPart) => ({ part })))}\n`)
}

/** Markers such as _SUCCESS, and what programs keep for themselves. */
function isHidden (key: string): boolean {
  return key.split('/').some(segment => segment === '' || segment.startsWith('_') || segment.startsWith('.'))
}

/** Neighbours together, in order, up to the size; a larger file has a part of its own. */
function partsOf (files: readonly PlacedFile[], partBytes: number): PlacedFile[][] {
  const parts: PlacedFile[][] = []
  let room = 0
  for (const file of files) {
    const last = parts.at(-1)
    if (last === undefined || file.bytes > room || last.length === maxPartFiles) {
      parts.push([file])
      room = partBytes - file.bytes
    } else {
      last.push(file)
      room -= file.bytes
    }
  }
  return parts
}
