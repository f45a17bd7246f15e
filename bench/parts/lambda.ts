import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oneRow } from '../bodies.ts'
import { jwtSecret, modelport } from '../contenders.ts'
import { measure, writeRequest } from '../load.ts'
import { type Context, type Goal, type Result, type Table, atMost } from '../part.ts'
import { runForJson } from '../processes.ts'
import { startServer } from '../server.ts'
import { median } from '../statistics.ts'

const coldStarts = 7
const warmEvents = 5000

interface Package { readonly folder: string, readonly zippedBytes: number, readonly unzippedBytes: number }

interface Run {
  /** Loading the module, which loads the models. */
  readonly initMs: number
  /** The same and the first answer. */
  readonly firstMs: number
  readonly coldCpuMs: number
  readonly residentMb: number
  /** CPU time of an event once V8 has optimised what it runs. */
  readonly warmUs: number | null
}

/** The function's package: its size, how long it takes to its first answer with one model, and what an event costs. */
export async function lambda (context: Context): Promise<Result> {
  context.progress('lambda, packages')
  const models = join(context.folder, 'one-model')
  cpSync('models/iris', join(models, 'iris'), { recursive: true })
  const packages = Object.fromEntries(['arm64', 'x64'].map(arch => [arch, makePackage(arch, models, join(context.folder, `lambda-${arch}`))]))
  const own = packages[process.arch]
  if (own === undefined) return { tables: [sizes(packages)] }
  const eventFile = join(context.folder, 'event.json')
  writeFileSync(eventFile, JSON.stringify(eventOf(context.token)))
  const cold: Run[] = []
  for (let i = 1; i <= coldStarts; i++) {
    context.progress(`lambda, cold start ${i} of ${coldStarts}`)
    cold.push(await run(own.folder, eventFile, 0))
  }
  const warm = await warmCosts(context, own.folder, eventFile)
  const of = (pick: (run: Run) => number): number => median(cold.map(pick))
  const figures: Table = {
    title: 'Lambda',
    head: ['', 'measured'],
    rows: [
      ['cold: module load to first answer, one model', `${of(({ firstMs }) => firstMs).toFixed(0)} ms, ${of(({ coldCpuMs }) => coldCpuMs).toFixed(0)} ms of CPU`],
      ['of that the first answer', `${of(({ firstMs, initMs }) => firstMs - initMs).toFixed(1)} ms`],
      ['resident memory after it', `${of(({ residentMb }) => residentMb).toFixed(0)} MB`],
      ...(warm === undefined ? [] : [['warm: CPU of an event, and of the same request over HTTP', `${warm.eventUs.toFixed(0)} µs, ${warm.requestUs.toFixed(0)} µs`]]),
    ],
  }
  return { goals: goals(packages, of(({ coldCpuMs }) => coldCpuMs), warm), tables: [figures, sizes(packages)] }
}

function goals (packages: Readonly<Record<string, Package>>, coldCpuMs: number, warm: { eventUs: number, requestUs: number } | undefined): Goal[] {
  return [
    atMost('Lambda, cold: CPU from module load to first answer, one model', coldCpuMs, 600, ' ms'),
    ...(warm === undefined ? [] : [atMost('Lambda, warm: CPU of an event ÷ of the same request over HTTP', warm.eventUs / warm.requestUs, 3, '', 2)]),
    ...Object.entries(packages).map(([arch, { zippedBytes }]) => atMost(`Lambda, package zipped, ${arch}`, zippedBytes / 2 ** 20, 50, ' MB', 1)),
  ]
}

function sizes (packages: Readonly<Record<string, Package>>): Table {
  return {
    title: 'Package of the function, with one model',
    head: ['', 'zipped', 'unzipped'],
    rows: Object.entries(packages).map(([arch, { zippedBytes, unzippedBytes }]) => [arch, ...[zippedBytes, unzippedBytes].map(bytes => `${(bytes / 2 ** 20).toFixed(1)} MB`)]),
  }
}

/** In the same rounds, one after the other: the ratio says more than either. */
async function warmCosts (context: Context, folder: string, eventFile: string): Promise<{ eventUs: number, requestUs: number } | undefined> {
  if (!context.hasWrk) return undefined
  const server = await startServer(modelport(), context.folder)
  const request = writeRequest(context.folder, 'lambda', { path: '/predict', body: oneRow, token: context.token })
  const load = { connections: 1, seconds: context.seconds }
  const found: { eventUs: number, requestUs: number }[] = []
  await measure(server, request, { ...load, seconds: 3 })
  for (let round = 1; round <= context.rounds; round++) {
    context.progress(`lambda, warm, round ${round} of ${context.rounds}`)
    const { warmUs } = await run(folder, eventFile, warmEvents)
    found.push({ eventUs: warmUs ?? NaN, requestUs: (await measure(server, request, load)).cpuUs })
  }
  await server.stop()
  return { eventUs: median(found.map(({ eventUs }) => eventUs)), requestUs: median(found.map(({ requestUs }) => requestUs)) }
}

function makePackage (arch: string, models: string, out: string): Package {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/package-lambda.js', '--arch', arch, '--models', models, '--out', out, '--json'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Package
}

async function run (folder: string, eventFile: string, events: number): Promise<Run> {
  const file = fileURLToPath(new URL('../peers/lambda-run.js', import.meta.url))
  return await runForJson<Run>({ command: process.execPath, args: [file, folder, eventFile, String(events)], env: { JWT_SECRET: jwtSecret, RATE_LIMIT_MAX: '1000000000' } })
}

/** One prediction as an HTTP API sends it. */
function eventOf (token: string): object {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/predict',
    rawQueryString: '',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', host: 'id.execute-api.eu-central-1.amazonaws.com', 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' },
    requestContext: { stage: '$default', requestId: 'JKJaXmPLvHcESHA=', http: { method: 'POST', path: '/predict', protocol: 'HTTP/1.1', sourceIp: '203.0.113.7' } },
    body: oneRow,
    isBase64Encoded: false,
  }
}
