import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { model, node } from '../../src/onnx/build.ts'
import { modelport } from '../contenders.ts'
import { type Sample, measure, writeRequest } from '../load.ts'
import { type Context, type Goal, type Result, atMost } from '../part.ts'
import { runForJson, script } from '../processes.ts'
import { inMs, inUs } from '../rounds.ts'
import { type BenchServer, type Launch, startServer } from '../server.ts'
import { median } from '../statistics.ts'

/** A million values each: rows, which run on the main thread, and one row, which goes to a worker thread. */
const shapes = { matrix: [1000, 1000], vector: [1_000_000] } as const
type ModelName = keyof typeof shapes

const copyFile = fileURLToPath(new URL('../peers/copy.ts', import.meta.url))
const runFile = fileURLToPath(new URL('../peers/echo-run.ts', import.meta.url))

const copy: Launch = { name: 'copy', program: port => script(copyFile, [String(port)]), readyPath: '/' }

interface Round { readonly copy: Sample, readonly ours: Sample, readonly runMs: number }

/** A float32 tensor in and out as bytes, through a graph that does nothing. */
export async function binary (context: Context): Promise<Result> {
  if (!context.hasWrk) return {}
  const models = join(context.folder, 'echo-models')
  for (const name of Object.keys(shapes) as ModelName[]) writeEcho(models, name)
  const servers = [await startServer(copy, context.folder), await startServer(modelport({ MODELS_DIR: models, DEFAULT_MODEL: 'matrix' }), context.folder)] as const
  try {
    const found = new Map<ModelName, readonly Round[]>()
    for (const name of Object.keys(shapes) as ModelName[]) found.set(name, await measureModel(context, servers, models, name))
    return { goals: [...found].map(goal), tables: [table(found)] }
  } finally {
    for (const server of servers) await server.stop()
  }
}

function writeEcho (models: string, name: ModelName): void {
  const shape = ['n', ...shapes[name].slice(1)]
  const folder = join(models, name, '1')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.onnx'), model({
    graph: { inputs: [{ name: 'x', type: 'float32', shape }], outputs: [{ name: 'y', type: 'float32', shape }], nodes: [node('Identity', ['x'], ['y'])] },
  }))
}

async function measureModel ({ folder, token, rounds, seconds, progress }: Context, [copier, ours]: readonly [BenchServer, BenchServer], models: string, name: ModelName): Promise<Round[]> {
  const shape = shapes[name]
  const bytes = 4 * shape.reduce((count, size) => count * size, 1)
  const json = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: bytes } }], parameters: { binary_data_output: true } })
  const request = writeRequest(folder, name, {
    path: `/v2/models/${name}/infer`,
    body: Buffer.concat([Buffer.from(json), new Uint8Array(bytes)]),
    token,
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(json.length) },
  })
  const load = { connections: 1, seconds }
  const found: Round[] = []
  for (let round = 0; round <= rounds; round++) {
    progress(`a million float32, ${name}: round ${round} of ${rounds}`)
    const { p50Ms } = await runForJson<{ p50Ms: number }>(script(runFile, [join(models, name, '1', 'model.onnx'), JSON.stringify(shape), String(seconds)]))
    const samples = { copy: await measure(copier, request, load), ours: await measure(ours, request, load), runMs: p50Ms }
    // The first warms up.
    if (round > 0) found.push(samples)
  }
  return found
}

/** Within each round: what slows a machine for a while slows all. */
function ratioOf (rounds: readonly Round[]): number {
  return median(rounds.map(({ copy, ours, runMs }) => ours.p50Ms / (copy.p50Ms + runMs)))
}

function goal ([name, rounds]: [ModelName, readonly Round[]]): Goal {
  return atMost(`a million float32 in and out, [${shapes[name].join(', ')}]: p50 ÷ (copied by node:http + the run alone)`, ratioOf(rounds), 1.5, '', 2)
}

function table (found: ReadonlyMap<ModelName, readonly Round[]>): NonNullable<Result['tables']>[number] {
  const rows = [...found].map(([name, rounds]) => {
    const of = (pick: (round: Round) => number): number => median(rounds.map(pick))
    return [
      `[${shapes[name].join(', ')}]`,
      ...[of(({ copy }) => copy.p50Ms), of(({ runMs }) => runMs), of(({ ours }) => ours.p50Ms)].map(inMs),
      ratioOf(rounds).toFixed(2),
      inUs(of(({ copy }) => copy.cpuUs)),
      inUs(of(({ ours }) => ours.cpuUs)),
    ]
  })
  return {
    title: 'A float32 tensor of 1,000,000 values in and out as bytes, one connection',
    head: ['shape', 'node:http, copied: p50 ms', 'the run alone: p50 ms', 'modelport: p50 ms', 'ratio', 'node:http: CPU', 'modelport: CPU'],
    rows,
  }
}
