import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { shopCsv } from '../../demo/shop.ts'
import { type Context, type Result, atMost } from '../part.ts'
import { start } from '../processes.ts'
import { median } from '../statistics.ts'

const transactions = 1_000_000
const goalSeconds = 10
const goalMb = 1000

/** Raw transactions to features per customer, start of the processes and all. */
export async function etl (context: Context): Promise<Result> {
  const at = (name: string): string => join(context.folder, name)
  context.progress(`etl: ${transactions.toLocaleString('en')} transactions are made up`)
  await pipeline(Readable.from(shopCsv({ transactions, seed: 1 })), createWriteStream(at('raw.csv')))
  const clean: Used[] = []
  const rfm: Used[] = []
  for (let round = 1; round <= context.rounds; round++) {
    context.progress(`etl: round ${round} of ${context.rounds}`)
    clean.push(await measure(['etl', 'clean', '--input', at('raw.csv'), '--output', at('clean.parquet')]))
    rfm.push(await measure(['etl', 'rfm', '--input', at('clean.parquet'), '--cutoff', '2011-09-01', '--output', at('customers.csv')]))
  }
  const both = clean.map((used, i) => used.seconds + (rfm[i]?.seconds ?? NaN))
  const highest = Math.max(...[...clean, ...rfm].map(({ peakMb }) => peakMb))
  return {
    goals: [
      atMost(`etl clean and rfm of ${transactions.toLocaleString('en')} transactions, median`, median(both), goalSeconds, ' s', 1),
      atMost('the same: highest resident memory', highest, goalMb, ' MB'),
    ],
    tables: [{
      title: `ETL: ${transactions.toLocaleString('en')} transactions as CSV → clean Parquet → features per customer`,
      head: ['', 'seconds', 'CPU seconds', 'peak MB'],
      rows: [row('modelport etl clean', clean), row('modelport etl rfm', rfm)],
    }],
  }
}

interface Used { readonly seconds: number, readonly cpuSeconds: number, readonly peakMb: number }

/** Has a process tell at its end what the operating system has counted. */
const tells = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs'
process.on('exit', () => { writeSync(3, JSON.stringify(process.resourceUsage())) })`)}`

async function measure (args: readonly string[]): Promise<Used> {
  const startedMs = performance.now()
  const child = start({ command: process.execPath, args: ['--import', tells, 'dist/cli.js', ...args], env: { ORT_DISABLE_TELEMETRY: '1' } }, ['ignore', 'ignore', 'pipe', 'pipe'])
  const [told, complaints, [code]] = await Promise.all([text(child.stdio[3] as Readable), text(child.stderr as Readable), once(child, 'close') as Promise<[number | null]>])
  const seconds = (performance.now() - startedMs) / 1000
  if (code !== 0) throw new Error(`modelport ${args.join(' ')} ended with ${code}: ${complaints}`)
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(told) as NodeJS.ResourceUsage
  return { seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMb: maxRSS * 1024 / 1e6 }
}

function row (title: string, used: readonly Used[]): string[] {
  return [
    title,
    median(used.map(({ seconds }) => seconds)).toFixed(1),
    median(used.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1),
    Math.max(...used.map(({ peakMb }) => peakMb)).toFixed(0),
  ]
}
