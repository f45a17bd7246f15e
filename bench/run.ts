import { availableParallelism, cpus } from 'node:os'
import { type BenchServer, cpuSeconds, residentMb, startServer } from './server.ts'

/** The goals that the project sets itself, on a machine with two cores. */
const goals = { readyMs: 800, residentMb: 160 }
const rounds = 7
const firstPort = 18_100

interface Start { readyMs: number, cpuMs: number, residentMb: number }

/** Starts, one after the other: the median of them counts, since a shared machine hiccups. */
async function measureStarts (): Promise<Start> {
  const starts: Start[] = []
  for (let round = 0; round < rounds; round++) {
    const server: BenchServer = await startServer(firstPort + round, { AUTH: 'off' })
    starts.push({ readyMs: server.readyMs, cpuMs: cpuSeconds(server.pid) * 1000, residentMb: residentMb(server.pid) })
    await server.stop()
  }
  return { readyMs: median(starts.map(start => start.readyMs)), cpuMs: median(starts.map(start => start.cpuMs)), residentMb: median(starts.map(start => start.residentMb)) }
}

function median (values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function row (what: string, value: number, unit: string, goal?: number): void {
  const verdict = goal === undefined ? '' : `goal: at most ${goal} ${unit}${value <= goal ? '' : ', missed'}`
  console.log(`${what.padEnd(42)} ${value.toFixed(0).padStart(6)} ${unit.padEnd(3)} ${verdict}`)
}

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} CPUs; the three models of this repository\n`)
const start = await measureStarts()
row(`start to ready, median of ${rounds}`, start.readyMs, 'ms', goals.readyMs)
row('CPU time of a start', start.cpuMs, 'ms')
row('resident memory when ready', start.residentMb, 'MB', goals.residentMb)
