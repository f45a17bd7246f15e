import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oneRow } from '../bodies.ts'
import { modelport } from '../contenders.ts'
import { writeHeavyModel } from '../heavy-model.ts'
import { measure, writeRequest } from '../load.ts'
import { type Context, type Result, atMost } from '../part.ts'
import { runForJson, script } from '../processes.ts'
import type { Reloads } from '../reload.ts'
import { type BenchServer, startServer } from '../server.ts'
import { median } from '../statistics.ts'

const reloadFile = fileURLToPath(new URL('../reload.ts', import.meta.url))
const reloads = 200
/** Enough work for one row that it is done in a worker thread. */
const pooledLayers = 100

/** Whether memory grows with use. */
export async function memory (context: Context): Promise<Result> {
  const models = join(context.folder, 'pooled-models')
  writeHeavyModel(models, pooledLayers)
  const reloaded = [await reload(context, 'models', 'iris'), await reload(context, models, 'heavy')]
  const requests = context.hasWrk ? await manyRequests(context) : undefined
  return {
    goals: [
      ...(requests === undefined ? [] : [atMost(`${requests.what}: growth of resident memory`, requests.growth, 5, ' %', 1)]),
      ...reloaded.map(({ what, growth }) => atMost(`${what}: growth of resident memory`, growth, 20, ' %', 1)),
    ],
    tables: [{
      title: 'Resident memory in MB',
      head: ['', 'at first', 'after the first tenth', 'at the end', 'highest'],
      rows: [...(requests === undefined ? [] : [requests.row]), ...reloaded.map(({ row }) => row)],
    }],
  }
}

interface Growth { readonly what: string, readonly growth: number, readonly row: readonly string[] }

/** The first tenth fills what is allocated once; what grows behind it would never stop. */
async function manyRequests ({ folder, token, long, progress }: Context): Promise<Growth> {
  const goal = long ? 1_000_000 : 200_000
  const what = `${goal.toLocaleString('en')} single-row requests, from the first tenth to the end`
  const request = writeRequest(folder, 'memory', { path: '/predict', body: oneRow, token })
  const server = await startServer(modelport(), folder)
  try {
    const readings: number[] = []
    let tenthMb: number | undefined
    for (let done = 0; done < goal;) {
      progress(`${done.toLocaleString('en')} of ${goal.toLocaleString('en')} requests`)
      const [{ requests }, residentMb] = await whileSampling(server, measure(server, request, { connections: 64, seconds: 1 }))
      done += requests
      readings.push(residentMb)
      if (done >= goal / 10) tenthMb ??= residentMb
    }
    const shown = [readings[0], tenthMb, readings.at(-1), Math.max(...readings)].map(inMb)
    return { what, growth: growth(tenthMb, readings.at(-1)), row: [what, ...shown] }
  } finally {
    await server.stop()
  }
}

/** Memory goes up and down with every garbage collection: the median of a second says more than its last moment. */
async function whileSampling<T> (server: BenchServer, work: Promise<T>): Promise<[T, number]> {
  const readings: number[] = []
  const timer = setInterval(() => { readings.push(server.residentMb()) }, 50)
  try {
    return [await work, median(readings)]
  } finally {
    clearInterval(timer)
  }
}

async function reload ({ progress }: Context, modelsFolder: string, name: string): Promise<Growth> {
  progress(`${reloads} loads and releases of ${name}`)
  const { firstMb, tenthMb, lastMb, mode } = await runForJson<Reloads>(script(reloadFile, [modelsFolder, name, '1.0.0', String(reloads)], ['--expose-gc']))
  const what = `${reloads} times load and release of a version (${name}, which runs ${mode === 'inline' ? 'on the main thread' : 'in a worker thread'})`
  return { what, growth: growth(firstMb, lastMb), row: [what, inMb(firstMb), inMb(tenthMb), inMb(lastMb), '–'] }
}

function growth (before = NaN, after = NaN): number {
  return (after / before - 1) * 100
}

function inMb (value = NaN): string {
  return value.toFixed(1)
}
