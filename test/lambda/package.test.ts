import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LambdaResult } from '../../src/lambda/result.ts'
import { claims, jwt } from '../helpers/keys.ts'
import { flowerFiles, repository } from '../helpers/models.ts'
import { heavyFiles } from '../http/heavy.ts'
import { readEmf } from '../monitor/emf-line.ts'
import { writeRequest } from '../protocols/oip-client.ts'
import { type ClientRequest, type LambdaAnswer, received, senders } from './events.ts'
import { type ZippedFile, unzip } from './unzip.ts'

const root = resolve(import.meta.dirname, '../..')
const secret = 'a secret of the tests, long enough for HS256'
const authorization = `Bearer ${jwt(claims({ scope: 'predict metrics' }), secret)}`

/** A fresh process that knows only the unpacked package: invokes its handler with each event of a file. */
const runner = `
import { readFileSync, writeFileSync } from 'node:fs'
const { handler } = await import('./dist/lambda.js')
const results = []
for (const event of JSON.parse(readFileSync('events.json', 'utf8'))) {
  if (event.pauseMs) await new Promise(resolve => setTimeout(resolve, event.pauseMs))
  else results.push(await handler(event, { awsRequestId: 'invocation', getRemainingTimeInMillis: () => 20_000 }))
}
writeFileSync('results.json', JSON.stringify(results))
process.kill(process.pid, 'SIGTERM')
`

interface Ended { readonly code: number | null, readonly stdout: string, readonly stderr: string }

async function run (args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout, stderr }
}

async function makePackage (...args: string[]): Promise<Ended> {
  return await run([join(root, 'scripts/package-lambda.js'), ...args], tmpdir())
}

let folder: string
let models: Awaited<ReturnType<typeof repository>>
let made: Ended
let files: ZippedFile[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-package-'))
  // A file of nine megabytes is opened in a thread only.
  models = await repository({ 'flower/1.0.0': flowerFiles(), 'heavy/1.0.0': heavyFiles('heavy', { layers: 1, width: 1536 }), 'repository.json': '{"default":"flower"}', '.lock/held': 'x' })
  made = await makePackage('--arch', process.arch, '--models', models.path, '--out', join(folder, 'made'), '--json')
  expect(made).toMatchObject({ code: 0, stderr: '' })
  files = unzip(await readFile(join(folder, 'made.zip')))
})
afterAll(async () => {
  await models.remove()
  await rm(folder, { recursive: true, force: true })
})

describe('the package', () => {
  test('has the handler, the models, one library, and nothing that never runs', () => {
    const names = files.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['package.json', 'dist/lambda.js', 'dist/job.js', 'dist/worker.js', 'dist/batch-worker.js', 'dist/assets/redoc.standalone.js', 'models/flower/1.0.0/model.onnx', 'models/repository.json']))
    const libraries = names.filter(name => /\.(so|node|dylib|dll)(\.|$)/.test(name))
    expect(libraries.map(name => dirname(name))).toEqual(new Array(libraries.length).fill(`node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}`))
    expect(libraries.length).toBeGreaterThanOrEqual(2)
    expect(names.filter(name => /\.(map|ts)$|(^|\/)\./.test(name))).toEqual([])
    expect(names.filter(name => /^dist\/(main|cli|training)/.test(name))).toEqual([])
    // What is bundled leaves its licence.
    expect(names).toEqual(expect.arrayContaining(['node_modules/fastify/package.json', 'node_modules/fastify/LICENSE']))
    expect(names).not.toContain('node_modules/fastify/fastify.js')
  })

  test('says how large it is, below the limits of Lambda', () => {
    const { arch, zippedBytes, unzippedBytes, limits } = JSON.parse(made.stdout) as { arch: string, zippedBytes: number, unzippedBytes: number, limits: { unzipped: number, directUpload: number } }
    expect(arch).toBe(process.arch)
    expect(unzippedBytes).toBe(files.reduce((sum, { data }) => sum + data.length, 0))
    expect(unzippedBytes).toBeLessThan(limits.unzipped)
    expect(zippedBytes).toBeLessThan(limits.directUpload)
  })

  test('has the same bytes on any day: names in order, one time, one mode', () => {
    const names = files.map(({ name }) => name)
    expect(names).toEqual([...names].sort())
    expect(new Set(files.map(({ modified, mode }) => `${modified} ${mode.toString(8)}`))).toEqual(new Set(['1980-1-1 0 100644']))
  })

  test('is the same as a folder, with nothing half-written beside it', async () => {
    const entries = await readdir(join(folder, 'made'), { recursive: true, withFileTypes: true })
    expect(entries.filter(entry => entry.isFile()).length).toBe(files.length)
    for (const name of ['dist/lambda.js', 'models/flower/1.0.0/model.onnx']) {
      expect(await readFile(join(folder, 'made', name))).toEqual(files.find(file => file.name === name)!.data)
    }
    expect((await readdir(folder)).sort()).toEqual(['made', 'made.zip'])
  })
})

test.each([
  [2, 'another architecture', ['--arch', 'riscv64'], /--arch riscv64: .*arm64 or x64/],
  [2, 'an unknown flag', ['--zip'], /Unknown option '--zip'/],
  [2, 'models and none', ['--models', 'models', '--without-models'], /contradict/],
  [1, 'a repository that is not there', ['--models', '/nowhere/models'], /no folder \/nowhere\/models; .*--without-models/],
  [1, 'a folder without models', ['--models', join(root, 'docs')], /holds no model/],
])('exit %i: %s', async (code, _, args, message) => {
  const ended = await makePackage('--out', join(folder, 'refused'), ...args)
  expect(ended.code).toBe(code)
  expect(ended.stderr).toMatch(message)
  expect(ended.stderr).not.toContain(' at ')
  expect((await readdir(folder)).filter(name => name.includes('refused'))).toEqual([])
})

describe('the unpacked zip, in a process that has nothing else', () => {
  let place: string
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'modelport-function-'))
    for (const { name, data } of files) {
      await mkdir(join(place, dirname(name)), { recursive: true })
      await writeFile(join(place, name), data)
    }
    await writeFile(join(place, 'run.mjs'), runner)
  })
  afterAll(async () => { await rm(place, { recursive: true, force: true }) })

  /** Events one after the other; a number is a pause in milliseconds, in which a function would stand still. */
  async function invoke (requests: readonly (ClientRequest | number)[], env: Record<string, string>): Promise<Ended & { answers: LambdaAnswer[] }> {
    const events = requests.map(request => typeof request === 'number' ? { pauseMs: request } : senders['an HTTP API (payload 2.0)'](request))
    await writeFile(join(place, 'events.json'), JSON.stringify(events))
    const ended = await run(['run.mjs'], place, env)
    const results = ended.code === 0 ? JSON.parse(await readFile(join(place, 'results.json'), 'utf8')) as LambdaResult[] : []
    return { ...ended, answers: results.map(received) }
  }

  test('answers from its own models, library, threads and pages, and tells CloudWatch', async () => {
    const binary = writeRequest({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], bytes: Buffer.from(Float32Array.of(1, 1, 0, 1).buffer) }], parameters: { binary_data_output: true } })
    const json = { authorization, 'content-type': 'application/json' }
    const row = JSON.stringify({ length: 6, kind: 'red', age: 2 })
    const predict: ClientRequest = { method: 'POST', url: '/predict', headers: json, body: row }
    const { answers, stdout, code } = await invoke([
      predict,
      { method: 'POST', url: '/models/heavy/predict', headers: json, body: '{"x":7}' },
      { method: 'POST', url: '/v2/models/flower/infer', headers: { authorization, 'inference-header-content-length': `${binary.json.length}` }, body: binary.body },
      { method: 'GET', url: '/docs/static/swagger-ui.css' },
      { method: 'GET', url: '/redoc/redoc.standalone.js' },
      { method: 'GET', url: '/metrics' },
      { ...predict, headers: { 'content-type': 'application/json' } },
      1100,
      predict,
      predict,
    ], { JWT_SECRET: secret, METRICS_EMF: 'modelport', METRICS_EMF_SECONDS: '1' })
    expect(code).toBe(0)
    expect(answers.map(({ status }) => status), answers[1]?.bytes.toString()).toEqual([200, 200, 200, 200, 200, 401, 401, 200, 200])
    const [flower, heavy] = answers.map(({ headers, bytes }) => (headers.get('content-type') ?? '').includes('json') ? bytes.toString() : '')
    expect(JSON.parse(flower!)).toMatchObject({ class_name: 'rose', model: { name: 'flower', version: '1.0.0' } })
    expect((JSON.parse(heavy!) as { prediction: number }).prediction).toBeCloseTo(7)
    expect(/"model":"heavy".*"placement":"(\w+)"/.exec(stdout)?.[1]).toBe('pool')
    const lines = stdout.trim().split('\n')
    expect(lines.filter(line => line.includes('"msg":"request"')).map(line => (JSON.parse(line) as { request_id: string, remote_address: string }))).toEqual(
      new Array(9).fill(expect.objectContaining({ request_id: 'invocation', remote_address: '203.0.113.7' })))
    // At the first request after the interval, and at the end.
    const told = lines.filter(line => line.startsWith('{"_aws"')).map(line => readEmf(`${line}\n`, 'modelport').values)
    expect(told.filter(values => 'ServiceReady' in values).length).toBeGreaterThanOrEqual(1)
    expect(told.reduce((sum, values) => sum + Number(values['Requests'] ?? 0), 0)).toBe(5)
  })

  test.each([
    ['no key', {}, /JWT_SECRET \(or AUTH=off\)/],
    ['NODE_ENV=development and no key', { NODE_ENV: 'development' }, /JWT_SECRET \(or AUTH=off\)/],
    ['a wrong setting', { AUTH: 'off', MAX_ROWS: 'many' }, /MAX_ROWS: .*allowed: a whole number/],
  ])('does not start with %s', async (_, env, message) => {
    const { code, stderr } = await invoke([], env)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
  })

  test('AUTH=off starts, and says so', async () => {
    const { stdout, answers } = await invoke([{ method: 'GET', url: '/models' }, { method: 'GET', url: '/metrics' }], { AUTH: 'off' })
    expect(stdout).toContain('AUTH=off: anybody who reaches this function may predict')
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })
})
