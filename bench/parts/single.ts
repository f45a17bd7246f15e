import { oneRow } from '../bodies.ts'
import { type Contender, contenders } from '../contenders.ts'
import { measure, writeRequest } from '../load.ts'
import { type Context, type Figures, type Goal, type Result, atLeast, atMost } from '../part.ts'
import { type Series, cpuRatio, inMs, measureRounds, medianOf, rowOf, underLoad, withServers } from '../rounds.ts'
import { median } from '../statistics.ts'

const connections = [1, 16, 64, 256]
const busy = 64
/** So long it takes until each of two processes runs code that V8 has optimised. */
const warmUpSeconds = 5

/** One row a request, at several numbers of connections. */
export async function single (context: Context): Promise<Result> {
  if (!context.hasWrk) return {}
  const request = writeRequest(context.folder, 'single', { path: '/predict', body: oneRow, token: context.token })
  const byConnections = await withServers(context, { 1: oneRow }, async servers => {
    context.progress('warming up')
    for (const server of Object.values(servers)) await measure(server, request, { connections: busy, seconds: warmUpSeconds })
    const found = new Map<number, Series>()
    for (const count of connections) {
      found.set(count, await measureRounds(context, titleOf(count), underLoad(servers, request, count)))
    }
    return found
  })
  return {
    goals: goals(byConnections.get(busy) ?? {}),
    rows: [...byConnections].map(([count, series]) => rowOf(titleOf(count), series)),
    figures: figures(byConnections),
  }
}

function titleOf (count: number): string {
  return `1 row, ${count} connection${count === 1 ? '' : 's'}`
}

function goals (series: Series): Goal[] {
  return [
    atLeast('single row, 64 connections: CPU per request, node:http ÷ modelport', cpuRatio(series, 'http', 'modelport'), 0.75),
    atLeast('the same with ACCESS_LOG=off', cpuRatio(series, 'http', 'quiet'), 0.85),
    tail(series),
    atMost('two processes: CPU per request ÷ that of one process', cpuRatio(series, 'two', 'modelport'), 1.1, '', 2),
  ]
}

/** Compared within each round, as the ratios are. */
function tail (series: Series): Goal {
  const limits = (series.http ?? []).map(({ p99Ms }) => 1.5 * p99Ms + 1)
  const excess = median((series.modelport ?? []).map(({ p99Ms }, round) => p99Ms / (limits[round] ?? NaN)))
  return {
    what: 'single row, 64 connections: p99',
    goal: `at most 1.5 × node:http's + 1 ms (${inMs(median(limits))} ms)`,
    measured: `${inMs(medianOf(series, 'modelport', sample => sample.p99Ms))} ms, ${excess.toFixed(2)} of that`,
    met: excess <= 1,
  }
}

function figures (byConnections: ReadonlyMap<number, Series>): Figures {
  const all = byConnections.get(busy) ?? {}
  const names = (Object.keys(contenders) as Contender[]).filter(name => name in all)
  return {
    cpuUs: Object.fromEntries(names.map(name => [name, medianOf(all, name, sample => sample.cpuUs)])),
    connections,
    perSecond: Object.fromEntries(names.map(name => [name, [...byConnections.values()].map(series => medianOf(series, name, sample => sample.perSecond))])),
  }
}
