import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import aslValidator from 'asl-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flowerFiles, repository } from '../../test/helpers/models.ts'
import { modelport } from '../../test/cli/modelport.ts'
import { deployed } from './definitions.ts'
import { type Execution, type Json, TaskError, execute } from './states.ts'
import { resourcesOf, stacksOf, templateOf } from './synth.ts'

const environments = ['dev', 'production'] as const

function definitionOf (environment: string) {
  const [[, { Definition }] = ['', {}]] = resourcesOf({ Batch: stacksOf(environment)['Batch']! }, 'AWS::StepFunctions::StateMachine')
  return deployed(Definition)
}

describe('state machines', () => {
  const machines = environments.flatMap(environment => resourcesOf(stacksOf(environment), 'AWS::StepFunctions::StateMachine').map(([id, { Definition }]) => [`${environment}/${id}`, deployed(Definition)] as const))

  test.each(machines)('%s is valid', (_name, definition) => {
    const { isValid, errorsText } = aslValidator(definition)
    expect(isValid ? '' : errorsText()).toBe('')
  })

  test('all log every execution and are traced', () => {
    for (const environment of environments) {
      for (const [, properties] of resourcesOf(stacksOf(environment), 'AWS::StepFunctions::StateMachine')) {
        expect(properties).toMatchObject({ StateMachineType: 'STANDARD', LoggingConfiguration: { Level: 'ALL' }, TracingConfiguration: { Enabled: true } })
      }
    }
  })
})

describe('the batch', () => {
  test.each(environments)('%s says how parts run, and how many may fail', environment => {
    const { Parts } = definitionOf(environment).States as Record<string, Record<string, Json>>
    expect(Parts).toMatchObject({
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
      MaxConcurrency: { dev: 10, production: 100 }[environment],
      ToleratedFailurePercentage: { dev: 0, production: 1 }[environment],
    })
  })

  test.each(environments)('%s tries every step again, with pauses of random length', environment => {
    const { Plan, Parts, Merge, MergeWhatThereIs } = definitionOf(environment).States as Record<string, Record<string, Json>>
    const { Part } = (Parts!['ItemProcessor'] as { States: Record<string, Record<string, Json>> }).States
    for (const step of [Plan, Part, Merge, MergeWhatThereIs]) {
      expect(step).toMatchObject({ TimeoutSeconds: expect.any(Number), Retry: expect.any(Array) })
      for (const retry of step!['Retry'] as Json[]) expect(retry).toMatchObject({ BackoffRate: 2, JitterStrategy: 'FULL', MaxAttempts: expect.any(Number) })
    }
  })

  test('a marker in a folder and a schedule start it; what could not start waits', () => {
    const template = templateOf('production', 'Batch')
    template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['aws.s3'], detail: { object: { key: [{ wildcard: 'batch/*/_SUCCESS' }] } } } })
    template.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'cron(0 3 * * ? *)', ScheduleExpressionTimezone: 'UTC' })
    for (const type of ['AWS::Events::Rule', 'AWS::Scheduler::Schedule']) expect(JSON.stringify(template.findResources(type))).toContain('DeadLetterConfig')
  })
})

let root: string
let models: Awaited<ReturnType<typeof repository>>

// Each as long as a part may be.
const long = 'x'.repeat(1024)
const files = {
  'a.csv': `note,length,kind,age\nfirst ${long},6,red,1\nbad,99,red,1\n`,
  'b.csv': `note,length,kind,age\nsecond ${long},2.5,blue,\n`,
  'c.csv': `note,colour\nno such columns ${long},red\n`,
  'd.ndjson': `{"note":"third ${long}","length":3,"kind":"red"}\n`,
}

beforeAll(async () => {
  models = await repository({ 'flower/1.0.0': flowerFiles(), 'flower/1.1.0': flowerFiles('flower', '1.1.0') })
  root = await mkdtemp(join(tmpdir(), 'modelport-batch-run-'))
  for (const [folder, names] of [['flower@1.0.0/monday', Object.keys(files)], ['flower/monday', Object.keys(files)], ['flower/sound', ['a.csv', 'b.csv']]] as const) {
    const path = join(root, 'raw/batch', folder)
    await mkdir(path, { recursive: true })
    for (const name of [...names, '_SUCCESS']) await writeFile(join(path, name), (files as Record<string, string>)[name] ?? '')
  }
})

afterAll(async () => {
  await models.remove()
  await rm(root, { recursive: true })
})

interface Run { readonly execution: Execution, readonly attempts: Record<string, number> }

/** The commands of the definition, on folders in place of buckets. The task of part 00001 is lost once. */
async function started (environment: typeof environments[number], input: Json, { tolerated, name }: { tolerated: number, name: string }): Promise<Run> {
  const definition = structuredClone(definitionOf(environment))
  ;(definition.States as Record<string, Record<string, Json>>)['Parts']!['ToleratedFailurePercentage'] = tolerated
  const attempts: Record<string, number> = {}
  const handle = async (resource: string, parameters: Record<string, Json>): Promise<Json> => {
    const command = commandOf(resource, parameters).map(word => word.replace(/^s3:\//, root))
    const part = command[command.indexOf('--part') + 1]!
    const step = command[1] === 'batch-part' ? part : command[1]!
    attempts[step] = (attempts[step] ?? 0) + 1
    if (command[1] === 'batch-part' && part === '00001' && attempts[step] === 1) throw new TaskError('States.TaskFailed', 'the task was lost')
    // Small, so that there are several parts.
    const { code, err } = await modelport([...command, ...command[1] === 'batch-plan' ? ['--part-size', '1KB', '--keep', 'note'] : []], { env: { MODELS_DIR: models.path } })
    if (code !== 0) throw new TaskError('States.TaskFailed', err)
    return {}
  }
  const readItems = async (bucket: string, key: string): Promise<Json[]> => JSON.parse(await readFile(join(root, bucket, key), 'utf8')) as Json[]
  return { execution: await execute(definition, input, handle, { name, readItems }), attempts }
}

const json = async (path: string): Promise<Record<string, never>> => JSON.parse(await readFile(join(root, 'predictions/runs', path), 'utf8')) as Record<string, never>

describe('a run of the batch, by its definition', () => {
  test.each(environments)('in %s a poisoned part is tried again, tolerated, counted and named, and a lost one is made up for', async environment => {
    const name = `tolerated-${environment}`
    const { execution, attempts } = await started(environment, { bucket: 'raw', key: 'batch/flower@1.0.0/monday/_SUCCESS' }, { tolerated: 25, name })
    expect(execution).toMatchObject({ status: 'SUCCEEDED', visited: ['How', 'Segments', 'IsOurs', 'FromUpload', 'Begin', 'Plan', 'Parts', 'Merge'], delays: [10, 10, 20] })
    expect(attempts).toEqual({ 'batch-plan': 1, '00000': 1, '00001': 2, '00002': 3, '00003': 1, 'batch-merge': 1 })
    const { parts, failed, ...manifest } = await json(`${name}/manifest.json`)
    expect(manifest).toMatchObject({ complete: false, rows: 4, predicted: 3, rejected: 1, model: { name: 'flower', version: '1.0.0' } })
    expect(failed).toEqual([{ part: '00002', inputs: ['c.csv'], error: expect.stringContaining('raw/batch/flower@1.0.0/monday/c.csv: the header has no column "length", "kind"') }])
    for (const { key, sha256 } of (parts as unknown as { outputs: { key: string, sha256: string }[] }[]).flatMap(({ outputs }) => outputs)) {
      expect(createHash('sha256').update(await readFile(join(root, 'predictions/runs', name, key))).digest('hex')).toBe(sha256)
    }
  })

  test('every part is scored by the version that was found out first, and gives what modelport batch gives', async () => {
    const { execution } = await started('production', { model: 'flower', input: 's3://raw/batch/flower/sound' }, { tolerated: 0, name: 'sound' })
    expect(execution.status).toBe('SUCCEEDED')
    const folder = join(root, 'raw/batch/flower/sound')
    await modelport(['batch', '--model', 'flower', '--input', join(folder, 'a.csv'), join(folder, 'b.csv'), '--output', join(root, 'alone'), '--keep', 'note', '--models', models.path])
    const rows = async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1)
    const parts = await readdir(join(root, 'predictions/runs/sound/predictions'))
    expect((await Promise.all(parts.sort().map(part => rows(join(root, 'predictions/runs/sound/predictions', part, 'part-00000.csv'))))).flat()).toEqual(await rows(join(root, 'alone/part-00000.csv')))
    expect(await json('sound/manifest.json')).toMatchObject({ complete: true, model: { version: '1.1.0' } })
  })

  test('more failures than are tolerated fail the run, which has its manifest all the same', async () => {
    const { execution } = await started('production', { bucket: 'raw', key: 'batch/flower/monday/_SUCCESS' }, { tolerated: 24, name: 'too-many' })
    expect(execution).toMatchObject({ status: 'FAILED', error: 'TooManyPartsFailed' })
    expect(execution.visited.slice(-3)).toEqual(['Parts', 'MergeWhatThereIs', 'TooManyFailed'])
    expect(await json('too-many/manifest.json')).toMatchObject({ complete: false, predicted: 3 })
  })

  test('a marker elsewhere starts nothing', async () => {
    const { execution, attempts } = await started('production', { bucket: 'raw', key: 'batch/flower/2026/monday/_SUCCESS' }, { tolerated: 0, name: 'elsewhere' })
    expect(execution).toMatchObject({ status: 'FAILED', error: 'WrongFolder' })
    expect(attempts).toEqual({})
  })
})

function commandOf (resource: string, parameters: Record<string, Json>): string[] {
  const { Overrides, Payload } = parameters as { Overrides?: { ContainerOverrides: [{ Name: string, Command: string[] }] }, Payload?: { command: string[] } }
  if (resource.endsWith(':lambda:invoke')) return Payload!.command
  expect(resource).toMatch(/:ecs:runTask\.sync$/)
  const [{ Command: [program, script, ...words] }] = Overrides!.ContainerOverrides
  expect([program, script]).toEqual(['node', 'bin/modelport.js'])
  return words
}
