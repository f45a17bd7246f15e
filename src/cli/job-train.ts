import { isS3Uri } from '../artifact/s3-uri.ts'
import { makePipeline } from '../etl/pipeline.ts'
import { recordKey } from '../jobs/model-record.ts'
import { addressOf } from '../jobs/place.ts'
import { type TrainVerbs, trainRun } from '../jobs/train-run.ts'
import { needed, parseJob, placeOf, readWhole, withWorkFolder } from './job-flags.ts'
import { copyVersion } from './job-publish.ts'
import { modelsFolder } from './model-argument.ts'
import { publish } from './publish.ts'
import { train } from './train.ts'
import { type Terminal, UsageError } from './verb.ts'
import { verify } from './verify.ts'

export async function runTrain (args: readonly string[], terminal: Terminal): Promise<void> {
  const flags = parseJob(args, ['name', 'raw', 'clean', 'run', 'at', 'horizon-days', 'algorithm', 'image', 'memory', 'models'])
  const name = needed(flags, 'name', 'what the model is called')
  const { memory = '600MB', algorithm = 'random-forest', image } = flags
  if (!/^\d+(\.\d+)?\s*[KMGT]i?B$/i.test(memory)) throw new UsageError(`--memory must be a size such as 600MB or 2GB, not ${JSON.stringify(memory)}`)
  if (algorithm !== 'random-forest' && algorithm !== 'gradient-boosting') throw new UsageError(`--algorithm must be random-forest or gradient-boosting, not ${JSON.stringify(algorithm)}`)
  const horizonDays = readWhole('horizon-days', flags['horizon-days'] ?? '90', 1, 36_500)
  const at = readTime(flags.at)
  const [raw, clean, run] = [await placeOf(flags, 'raw', 'the transactions'), await placeOf(flags, 'clean', 'where they are kept clean'), await placeOf(flags, 'run', 'where this run writes')]
  const verbs = verbsOf(modelsFolder(flags.models, terminal), terminal)
  const record = await withWorkFolder(async work => await trainRun({
    raw, clean, run, name, at, horizonDays, algorithm, image, work, verbs, pipeline: makePipeline({}, 'built in'), database: { memory }, notice: terminal.err,
  }))
  const { model: { version }, metadata } = record
  terminal.out(flags.json ? JSON.stringify(record) : `${name} ${version}: ${metadata['dataset_rows']} customers on ${metadata['cutoff']}; ${addressOf(run, recordKey)}`)
}

/** The commands as a person would type them: what runs in the cloud is what can be tried at home. */
function verbsOf (target: string, terminal: Terminal): TrainVerbs {
  const told = { ...terminal, out: terminal.err }
  return {
    train: async (trainingFile, createdAt, models) => {
      const env = { ...terminal.env, SOURCE_DATE_EPOCH: String(Math.floor(createdAt.getTime() / 1000)) }
      await train.run(['--config', trainingFile, '--out', models], { ...told, env })
    },
    verify: async (models, name, version) => { await verify.run([`${name}@${version}`, '--models', models], told) },
    publish: async (models, name, version) => {
      if (isS3Uri(target)) await publish.run([`${name}@${version}`, '--to', target, '--models', models], told)
      else await copyVersion(models, target, name, version)
    },
  }
}

/** @throws UsageError */
function readTime (text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text)
  if (text !== undefined && (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) || Number.isNaN(time.getTime()))) throw new UsageError(`--at must be a time such as 2026-11-21T03:00:00Z, not ${JSON.stringify(text)}`)
  return time
}
