import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../artifact/json.ts'
import { type Manifest, ManifestSchema } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { clean } from '../etl/clean.ts'
import { purchaseDays } from '../etl/purchase-days.ts'
import { rfm } from '../etl/rfm.ts'
import type { TrainingPlan } from '../training/training-file.ts'
import { type CleanRawRequest, cleanRaw, fetchClean } from './clean-raw.ts'
import { type TrainingRecord, metricsKey, recordKey, recordOf, sagemakerMetrics } from './model-record.ts'
import { type Place, addressOf } from './place.ts'
import { writeJson } from './run-files.ts'

export interface TrainRunRequest extends CleanRawRequest {
  readonly run: Place
  readonly name: string
  /** When the run began: names the version, so that the same run again makes the same one. */
  readonly at: Date
  readonly horizonDays: number
  readonly algorithm: NonNullable<TrainingPlan['algorithm']>
  /** What the record calls the program that ran. */
  readonly image: string | undefined
  readonly verbs: TrainVerbs
}

/** The commands of the same names, on local files. */
export interface TrainVerbs {
  /** @param trainingFile what to learn from what */
  readonly train: (trainingFile: string, createdAt: Date, models: string) => Promise<void>
  readonly verify: (models: string, name: string, version: string) => Promise<void>
  /** Puts the version where servers look; once more changes nothing. */
  readonly publish: (models: string, name: string, version: string) => Promise<void>
}

const customersFile = 'customers.csv'

/** Of the columns that rfm writes, those that are no features; the last three are constant with one cut-off date. */
const noFeatures = ['customer', 'cutoff', 'cutoff_month', 'cutoff_weekday', 'cutoff_day_of_year']

/**
 * From raw files to a version that is published and proven, in one process: what is between the steps never leaves the
 * work folder, so that no later step can meet half of it, and a run that dies has changed nothing but what was cleaned.
 *
 * @throws FatalError that tells the step's own reason
 */
export async function trainRun (request: TrainRunRequest): Promise<TrainingRecord> {
  const { name, at: createdAt, horizonDays, image, work, run, verbs } = request
  const raw = await cleanRaw(request)
  const table = await makeCustomers(request)
  const version = versionAt(createdAt)
  const [models, trainingFile] = [join(work, 'models'), join(work, 'training.json')]
  await writeFile(trainingFile, JSON.stringify({
    name,
    version,
    description: `Whether a customer buys again within ${horizonDays} days`,
    // Beside it, so that the version does not tell of this machine's folders.
    data: { file: customersFile },
    target: { column: 'buys_again' },
    drop: noFeatures,
    algorithm: request.algorithm,
  } satisfies TrainingPlan))
  await verbs.train(trainingFile, createdAt, models)
  await verbs.verify(models, name, version)
  await verbs.publish(models, name, version)
  const bytes = await readFile(join(models, name, version, 'manifest.json'))
  const manifest: Manifest = parseJson(ManifestSchema, bytes)
  await writeJson(run, metricsKey, sagemakerMetrics(manifest))
  const manifestSha256 = createHash('sha256').update(bytes).digest('hex')
  const record = recordOf({ manifest, manifestSha256, metricsAddress: addressOf(run, metricsKey), image, horizonDays, raw, ...table })
  await writeJson(run, recordKey, record)
  return record
}

interface Customers { readonly cutoff: string, readonly customers: number, readonly purchases: number }

/** One row per customer on the last day of which the horizon is over. */
async function makeCustomers (request: TrainRunRequest): Promise<Customers> {
  const { work, pipeline, database, horizonDays, raw, notice } = request
  const inputs = await fetchClean(request)
  if (inputs.length === 0) throw new FatalError(`${raw.address}: there is no file of transactions that can be read`)
  const all = join(work, 'all.parquet')
  // Once more over all, for rows that two files have: the same delivery may come twice.
  const { output } = await clean({ inputs, output: all, pipeline, database })
  const { first, last } = await purchaseDays({ inputs: [all], pipeline, database })
  const cutoff = new Date(Date.parse(last) - (horizonDays - 1) * 86_400_000).toISOString().slice(0, 10)
  if (cutoff <= first) throw new FatalError(`the purchases are from ${first} to ${last}: with ${horizonDays} days to look ahead, nothing is left to learn from. Choose fewer --horizon-days, or wait for more`)
  const report = await rfm({ inputs: [all], output: join(work, customersFile), pipeline, database, cutoffs: [cutoff], horizonDays })
  report.notices.forEach(notice)
  return { cutoff, customers: report.output.rows, purchases: output.rows }
}

/** 20261121_030000, in UTC: versions of this form sort by time. */
function versionAt (at: Date): string {
  return at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_')
}
