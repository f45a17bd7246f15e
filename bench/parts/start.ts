import { type Contender, fastapi, modelport } from '../contenders.ts'
import { type Context, type Result, atMost } from '../part.ts'
import { type Launch, startServer } from '../server.ts'
import { median } from '../statistics.ts'

const starts = 7

interface Start { readonly readyMs: number, readonly cpuMs: number, readonly residentMb: number }

/** From nothing to ready, with the three models of this repository. */
export async function start (context: Context): Promise<Result> {
  const launches: Partial<Record<Contender, Launch>> = { modelport: modelport(), two: modelport({ HTTP_WORKERS: '2' }), ...(context.hasPython ? { fastapi } : {}) }
  const found = new Map<Contender, Start[]>()
  for (let round = 1; round <= starts; round++) {
    for (const [name, launch] of Object.entries(launches) as [Contender, Launch][]) {
      context.progress(`start ${round} of ${starts}, ${launch.name}`)
      found.set(name, [...found.get(name) ?? [], await startOnce(launch, context.folder)])
    }
  }
  const medians = (pick: (start: Start) => number) => new Map([...found].map(([name, starts]) => [name, median(starts.map(pick))]))
  const readyMs = medians(({ readyMs }) => readyMs)
  const residentMb = medians(({ residentMb }) => residentMb)
  return {
    goals: [
      atMost(`start to ready, three models, median of ${starts}`, readyMs.get('modelport') ?? NaN, 800, ' ms'),
      atMost('resident memory when ready, one process', residentMb.get('modelport') ?? NaN, 160, ' MB'),
    ],
    rows: [
      { title: 'start to ready', cells: cells(readyMs, 'ms') },
      { title: 'CPU time of a start', cells: cells(medians(({ cpuMs }) => cpuMs), 'ms') },
      { title: 'resident memory when ready', cells: cells(residentMb, 'MB') },
    ],
  }
}

async function startOnce (launch: Launch, folder: string): Promise<Start> {
  const server = await startServer(launch, folder)
  const { readyMs } = server
  const found = { readyMs, cpuMs: server.cpuSeconds() * 1000, residentMb: server.residentMb() }
  await server.stop()
  return found
}

function cells (values: ReadonlyMap<Contender, number>, unit: string): Record<string, string> {
  return Object.fromEntries([...values].map(([name, value]) => [name, `${value.toFixed(0)} ${unit}`]))
}
