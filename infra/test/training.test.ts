import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import jsonata from 'jsonata'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelport } from '../../test/cli/modelport.ts'
import { hasDuckdb } from '../../test/etl/duckdb.ts'
import { deployed } from './definitions.ts'
import { type Json, execute } from './states.ts'
import { resourcesOf, stacksOf, templateOf } from './synth.ts'

function definitionOf (name: 'Training' | 'Intake' | 'Approval') {
  const found = resourcesOf({ Training: stacksOf('production')['Training']! }, 'AWS::StepFunctions::StateMachine').find(([id]) => id.includes(`/${name}Workflow`))
  return deployed(found![1]['Definition'])
}

describe('what starts a training', () => {
  /** What the intake asks for when an upload is told at a time. */
  async function asked (time: string): Promise<unknown> {
    const { Start } = definitionOf('Intake').States as Record<string, { Arguments: { Name: string, Input: { notBefore: string } } }>
    const evaluate = async (text: string): Promise<unknown> => await jsonata(text.replace(/^\{%|%\}$/g, '')).evaluate({}, { states: { context: { Execution: { StartTime: time } } } })
    return { name: await evaluate(Start!.Arguments.Name), notBefore: await evaluate(Start!.Arguments.Input.notBefore) }
  }

  test('uploads of one window ask for the same training, which begins after the window', async () => {
    const first = await asked('2026-11-21T12:00:00.000Z')
    expect(first).toEqual({ name: expect.stringMatching(/^[\w-]{1,80}$/), notBefore: '2026-11-21T12:17:00.000Z' })
    expect(await asked('2026-11-21T12:14:59.999Z')).toEqual(first)
  })

  test('an upload of the next window asks for another one', async () => {
    const [first, second] = [await asked('2026-11-21T12:14:59.999Z'), await asked('2026-11-21T12:15:00.000Z')]
    expect(second).toMatchObject({ notBefore: '2026-11-21T12:32:00.000Z' })
    expect((second as { name: string }).name).not.toBe((first as { name: string }).name)
  })

  test('only files of transactions are uploads; only approvals of our group promote', () => {
    const template = templateOf('production', 'Training')
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['aws.s3'], detail: { object: { key: [{ wildcard: 'transactions/*.csv' }, { wildcard: 'transactions/*.csv.gz' }, { wildcard: 'transactions/*.parquet' }] } } } })
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['aws.sagemaker'], detail: { ModelPackageGroupName: ['modelport-production'], ModelApprovalStatus: ['Approved'] } } })
  })
})

let root: string
const registered: Record<string, Json>[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'modelport-training-run-'))
  await mkdir(join(root, 'raw/transactions'), { recursive: true })
  await writeFile(join(root, 'raw/transactions/books.csv'), books())
  await writeFile(join(root, 'raw/transactions/broken.csv'), 'neither,here\n1,2\n')
})

afterAll(() => rm(root, { recursive: true }))

const handle = async (resource: string, parameters: Record<string, Json>): Promise<Json> => {
  if (resource.endsWith(':s3:getObject')) return { Body: await readFile(join(root, parameters['Bucket'] as string, parameters['Key'] as string), 'utf8') }
  if (resource.endsWith(':createModelPackage')) {
    registered.push(parameters)
    return { ModelPackageArn: 'package/1' }
  }
  if (resource.endsWith(':describeModelPackage')) return { CustomerMetadataProperties: registered[0]!['CustomerMetadataProperties']!, ModelApprovalStatus: 'Approved', ModelPackageArn: parameters['ModelPackageName']! }
  expect(resource).toMatch(/:ecs:runTask\.sync$/)
  const [{ Command: [, , ...words] }] = (parameters['Overrides'] as { ContainerOverrides: [{ Command: string[] }] }).ContainerOverrides
  const { code, err } = await modelport(words.map(word => word.replace(/^s3:\//, root)), { env: { MODELS_DIR: join(root, 'models/models') } })
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return {}
}

describe.skipIf(!hasDuckdb)('a training, by its definition', () => {
  test('makes a version of what can be read, and registers it with what it was made of', async () => {
    expect(await execute(definitionOf('Training'), {}, handle, { name: 'first' })).toMatchObject({ status: 'SUCCEEDED', visited: ['When', 'Begin', 'Train', 'ReadRecord', 'Register'] })
    expect(registered).toHaveLength(1)
    expect(registered[0]).toMatchObject({
      ModelPackageGroupName: 'modelport-production',
      ModelApprovalStatus: 'PendingManualApproval',
      ClientToken: expect.stringMatching(/^[0-9a-f]{32}$/),
      InferenceSpecification: { Containers: [{ ModelDataSource: { S3DataSource: { S3Uri: 's3://models/models/repeat-purchase/20261121_030000/' } } }] },
      CustomerMetadataProperties: { model: 'repeat-purchase', version: '20261121_030000', cutoff: '2026-03-05', horizon_days: '90', raw_files: '1', raw_files_unreadable: '1', seed: '42', dataset_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    for (const value of Object.values(registered[0]!['CustomerMetadataProperties'] as Record<string, Json>)) expect(String(value).length).toBeLessThanOrEqual(256)
  })

  test('the same execution once more makes the same version, and reads no raw file twice', async () => {
    const model = join(root, 'models/models/repeat-purchase/20261121_030000')
    const before = await readFile(join(model, 'manifest.json'), 'utf8')
    await execute(definitionOf('Training'), {}, handle, { name: 'first' })
    expect(await readFile(join(model, 'manifest.json'), 'utf8')).toBe(before)
    expect(JSON.parse(await readFile(join(root, 'models/training/first/training.json'), 'utf8'))).toMatchObject({ raw: { known: 1, cleaned: [], unreadable: [{ key: 'broken.csv' }] } })
    expect(await readdir(join(root, 'clean/transactions/rows'))).toHaveLength(1)
  })

  test('the same rows in another file change nothing that is learned', async () => {
    await cp(join(root, 'raw/transactions/books.csv'), join(root, 'raw/transactions/again.csv'))
    await execute(definitionOf('Training'), {}, handle, { name: 'second' })
    const facts = registered.map(({ CustomerMetadataProperties }) => CustomerMetadataProperties as Record<string, Json>)
    expect(facts.at(-1)).toMatchObject({ raw_files: '2', purchases: facts[0]!['purchases'], dataset_sha256: facts[0]!['dataset_sha256'] })
  })

  test('an approved version answers, and the history says who let it', async () => {
    expect(await execute(definitionOf('Approval'), { package: 'arn:package/1' }, handle)).toMatchObject({ status: 'SUCCEEDED', visited: ['Describe', 'IsStillApproved', 'Promote'] })
    const folder = join(root, 'models/models/repeat-purchase')
    expect(JSON.parse(await readFile(join(folder, 'aliases.json'), 'utf8'))).toEqual({ production: '20261121_030000' })
    expect(JSON.parse(await readFile(join(folder, 'history.jsonl'), 'utf8'))).toMatchObject({ who: 'model-registry', why: 'approved: arn:package/1' })
  })
})

/** Half a year of purchases of 120 customers, every second of whom comes back every other week. */
function books (): string {
  const lines = ['InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country']
  for (let day = 0; day < 182; day++) {
    const date = new Date(Date.UTC(2025, 11, 3 + day)).toISOString().slice(0, 10)
    for (let customer = 0; customer < 120; customer++) {
      const comes = customer % 2 === 0 ? (day + customer) % 14 === 0 : day === customer % 60
      if (comes || (day === 181 && customer === 0)) lines.push(`${100_000 + day * 1000 + customer},P${1000 + (day + customer) % 7},THING,${1 + customer % 5},${date} 10:00:00,${1 + day % 9}.5,${10_000 + customer},France`)
    }
  }
  return `${lines.join('\n')}\n`
}
