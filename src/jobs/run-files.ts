import Type, { type Static, type TSchema } from 'typebox'
import { parseJson } from '../artifact/json.ts'
import { FatalError } from '../errors.ts'
import { type Place, addressOf } from './place.ts'

const FileSchema = Type.Object({ key: Type.String(), bytes: Type.Integer(), etag: Type.String() })

const PlannedPartSchema = Type.Object({
  /** Five digits or more, from 00000. */
  part: Type.String(),
  /** Below `input`. */
  files: Type.Array(FileSchema),
})

/** plan.json: all that the output of a run follows from. */
const PlanSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  /** Found out once, so that every part is scored by the same version whatever is promoted meanwhile. */
  model: Type.Object({ name: Type.String(), version: Type.String(), digest: Type.String() }),
  input: Type.String(),
  options: Type.Object({
    format: Type.Union([Type.Literal('csv'), Type.Literal('ndjson'), Type.Literal('parquet')]),
    gzip: Type.Boolean(),
    keep: Type.Array(Type.String()),
    partRows: Type.Integer(),
  }),
  parts: Type.Array(PlannedPartSchema),
  /** Files whose names do not say that there are rows in them. */
  ignored: Type.Array(Type.String()),
})

const OutputSchema = Type.Object({ key: Type.String(), bytes: Type.Integer(), sha256: Type.String(), rows: Type.Integer() })

/** status/<part>.json: what became of a part. */
const StatusSchema = Type.Union([
  Type.Object({
    part: Type.String(),
    inputs: Type.Array(Type.Object({ key: Type.String(), bytes: Type.Integer(), sha256: Type.String() })),
    rows: Type.Integer(),
    predicted: Type.Integer(),
    rejected: Type.Integer(),
    outputs: Type.Array(OutputSchema),
    rejects: Type.Array(OutputSchema),
  }),
  Type.Object({ part: Type.String(), error: Type.String() }),
])

export type Plan = Static<typeof PlanSchema>
export type PlannedPart = Static<typeof PlannedPartSchema>
export type PartStatus = Static<typeof StatusSchema>
export type ScoredPart = Exclude<PartStatus, { error: string }>
export type Output = Static<typeof OutputSchema>

export const planKey = 'plan.json'
/** A list with one member per part, for whoever hands them out. */
export const itemsKey = 'items.json'
export const manifestKey = 'manifest.json'

export function statusKey (part: string): string {
  return `status/${part}.json`
}

/** @throws FatalError where there is none, or it is damaged */
export async function readPlan (run: Place): Promise<Plan> {
  const plan = await findPlan(run)
  if (plan === undefined) throw new FatalError(`${addressOf(run, planKey)} is not there: modelport job batch-plan writes it`)
  return plan
}

export async function findPlan (run: Place): Promise<Plan | undefined> {
  return await readJson(run, planKey, PlanSchema)
}

/** Undefined: nobody has ended it, well or badly. */
export async function readStatus (run: Place, part: string): Promise<PartStatus | undefined> {
  return await readJson(run, statusKey(part), StatusSchema)
}

export async function writeJson (place: Place, key: string, value: unknown): Promise<void> {
  await place.write(key, `${JSON.stringify(value, undefined, 2)}\n`)
}

async function readJson<T extends TSchema> (place: Place, key: string, schema: T): Promise<Static<T> | undefined> {
  const bytes = await place.read(key)
  if (bytes === undefined) return undefined
  try {
    return parseJson(schema, bytes)
  } catch (error) {
    throw new FatalError(`${addressOf(place, key)}: ${(error as Error).message}`, { cause: error })
  }
}
