import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contender, bare, contenders, fastapi, modelport } from './contenders.ts'
import { type Request, type Sample, measure } from './load.ts'
import type { Context, Row } from './part.ts'
import { type BenchServer, startServer } from './server.ts'
import { median } from './statistics.ts'

type Servers = Partial<Record<Contender, BenchServer>>

/** Of every contender one sample a round. */
export type Series = Partial<Record<Contender, readonly Sample[]>>

/**
 * Starts the contenders and keeps them until `use` is done.
 *
 * @param bodies  requests by number of rows; the bare servers answer them with what modelport does
 */
export async function withServers<T> (context: Context, bodies: Readonly<Record<number, string>>, use: (servers: Servers) => Promise<T>): Promise<T> {
  const { folder, token, hasPython } = context
  const servers: Servers = {}
  try {
    servers.modelport = await startServer(modelport(), folder)
    const answersFile = join(folder, 'answers.json')
    writeFileSync(answersFile, JSON.stringify(await answersOf(servers.modelport, token, bodies)))
    servers.http = await startServer(bare('node-http', answersFile), folder)
    servers.fastify = await startServer(bare('fastify', answersFile), folder)
    servers.quiet = await startServer(modelport({ ACCESS_LOG: 'off' }), folder)
    servers.two = await startServer(modelport({ HTTP_WORKERS: '2' }), folder)
    if (hasPython) servers.fastapi = await startServer(fastapi, folder)
    return await use(servers)
  } finally {
    for (const server of Object.values(servers)) await server.stop()
  }
}

async function answersOf (server: BenchServer, token: string, bodies: Readonly<Record<number, string>>): Promise<Record<string, string>> {
  const answers: Record<string, string> = {}
  for (const [rows, body] of Object.entries(bodies)) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const response = await fetch(`${server.url}/predict`, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`modelport answered ${response.status}: ${await response.text()}`)
    answers[rows] = await response.text()
  }
  return answers
}

export type Subjects = Partial<Record<Contender, (seconds: number) => Promise<Sample>>>

/** Each server under the same load. */
export function underLoad (servers: Servers, request: Request, connections: number): Subjects {
  return Object.fromEntries(Object.entries(servers).map(([name, server]) =>
    [name, (seconds: number) => measure(server, request, { connections, seconds })]))
}

/** Every round measures all contenders, one right after the other, and begins with another one. */
export async function measureRounds ({ rounds, seconds, progress }: Context, title: string, subjects: Subjects): Promise<Series> {
  const entries = Object.entries(subjects) as [Contender, (seconds: number) => Promise<Sample>][]
  const series: Partial<Record<Contender, Sample[]>> = {}
  progress(`${title}: warming up`)
  for (const [, sample] of entries) await sample(2)
  for (let round = 0; round < rounds; round++) {
    const shift = round % entries.length
    for (const [name, sample] of [...entries.slice(shift), ...entries.slice(0, shift)]) {
      progress(`${title}: round ${round + 1} of ${rounds}, ${contenders[name]}`)
      ;(series[name] ??= []).push(await sample(seconds))
    }
  }
  return series
}

export function medianOf (series: Series, name: Contender, pick: (sample: Sample) => number): number {
  return median((series[name] ?? []).map(pick))
}

/** The median of the rounds' ratios: what slows a machine for a while slows both. */
export function cpuRatio (series: Series, upper: Contender, lower: Contender): number {
  return median((series[upper] ?? []).map(({ cpuUs }, round) => cpuUs / (series[lower]?.[round]?.cpuUs ?? NaN)))
}

export function rowOf (title: string, series: Series): Row {
  const names = Object.keys(series) as Contender[]
  return { title, cells: Object.fromEntries(names.map(name => [name, cell(series, name)])) }
}

function cell (series: Series, name: Contender): string {
  const value = (pick: (sample: Sample) => number) => medianOf(series, name, pick)
  const ratio = cpuRatio(series, 'http', name)
  const shown = name === 'http' || Number.isNaN(ratio) ? '' : ` (${ratio < 0.1 ? ratio.toPrecision(1) : ratio.toFixed(2)})`
  return [
    `**${inUs(value(sample => sample.cpuUs))}**${shown}`,
    `${Math.round(value(sample => sample.perSecond)).toLocaleString('en')}/s`,
    `${inMs(value(sample => sample.p50Ms))} / ${inMs(value(sample => sample.p99Ms))} ms`,
  ].join('<br>')
}

export function inUs (us: number): string {
  return `${us < 100 ? us.toFixed(1) : Math.round(us).toLocaleString('en')} µs`
}

export function inMs (ms: number): string {
  return ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)
}
