import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpuCount } from '../../src/engine/cpus.ts'
import type { Learner } from '../../src/training/learner.ts'
import { random } from '../../src/training/random.ts'
import { type Context, type Result, atMost } from '../part.ts'
import { type Program, runForJson, script } from '../processes.ts'
import { median } from '../statistics.ts'

const columns = 30
const bytesPerRow = columns * Float32Array.BYTES_PER_ELEMENT
const threads = 2

interface Fitted { readonly seconds: number, readonly cpuSeconds: number, readonly addedMb: number, readonly accuracy: number }

/** How long 100 trees take beside scikit-learn's, and how much memory `train` needs for a file, from its first byte to the version. */
export async function train (context: Context): Promise<Result> {
  const quick = context.rounds < 5
  const [speed, memory] = [await speeds(context, quick), await memories(context, quick)]
  return { goals: [...speed.goals ?? [], ...memory.goals ?? []], tables: [...speed.tables ?? [], ...memory.tables ?? []] }
}

async function speeds (context: Context, quick: boolean): Promise<Result> {
  if (!context.hasPython) {
    context.progress('train: scikit-learn is not installed (Debian: python3-sklearn): speed is left out')
    return {}
  }
  const [rows, trees] = quick ? [20_000, 10] : [100_000, 100]
  const folder = join(context.folder, 'train')
  mkdirSync(folder)
  writeBinary(folder, rows)
  const forest = await rounds(context, folder, 'random-forest', trees)
  const boosting = await rounds(context, folder, 'gradient-boosting', trees)
  return {
    goals: [
      atMost(`random forest, ${trees} trees of depth 16: seconds ÷ scikit-learn's with n_jobs=${threads}`, forest.ratio, 1, '', 2),
      atMost(`gradient boosting, ${trees} rounds: seconds ÷ HistGradientBoostingClassifier's`, boosting.ratio, 2, '', 2),
    ],
    tables: [{
      title: `Training: ${rows.toLocaleString('en')} rows × ${columns} columns, ${trees} trees; medians of the rounds`,
      head: ['', 'seconds', 'CPU seconds', 'memory added, MB', 'accuracy on its own rows'],
      rows: [...forest.rows, ...boosting.rows],
    }],
  }
}

async function rounds (context: Context, folder: string, algorithm: Learner['algorithm'], trees: number): Promise<{ ratio: number, rows: string[][] }> {
  const args = (count: number) => [folder, String(columns), algorithm, String(trees), String(count)]
  const contenders: [string, Program][] = [
    [`modelport, ${threads} threads`, script(peer('fit.ts'), args(threads))],
    ['modelport, one thread', script(peer('fit.ts'), args(1))],
    [`scikit-learn, ${threads} threads`, python(args(threads), threads)],
    ['scikit-learn, one thread', python(args(1), 1)],
  ]
  const found = contenders.map((): Fitted[] => [])
  const wanted = Math.min(3, context.rounds)
  for (let round = 1; round <= wanted; round++) {
    context.progress(`train: ${algorithm}, round ${round} of ${wanted}`)
    for (const [i, [, program]] of contenders.entries()) found[i]!.push(await runForJson<Fitted>(program))
  }
  return {
    ratio: median(found[0]!.map(({ seconds }, i) => seconds / found[2]![i]!.seconds)),
    rows: contenders.map(([name], i) => [`${algorithm}: ${name}`, ...(['seconds', 'cpuSeconds', 'addedMb', 'accuracy'] as const)
      .map(key => median(found[i]!.map(fitted => fitted[key])).toFixed(key === 'addedMb' ? 0 : key === 'accuracy' ? 3 : 2))]),
  }
}

function peer (file: string): string {
  return fileURLToPath(new URL(`../peers/${file}`, import.meta.url))
}

function python (args: readonly string[], count: number): Program {
  // Threads of OpenMP that spin while they wait would keep the CPU from others on a busy machine.
  return { command: '/usr/bin/python3', args: [peer('fit.py'), ...args], env: { OMP_NUM_THREADS: String(count), OMP_WAIT_POLICY: 'passive' } }
}

/** Rows whose class depends on ten of the columns, alone and in pairs; one in twenty is wrong. */
function * makeRows (rows: number): Generator<{ x: Float32Array, y: number }> {
  const source = random(1)
  for (let row = 0; row < rows; row++) {
    const x = Float32Array.from({ length: columns }, () => source.below(100_000) / 100_000 + source.below(1000) / 1000)
    let score = 0
    for (let k = 0; k < 10; k++) score += (k % 2 === 0 ? 1 : -1) * x[k]! + (x[k]! > 1 && x[k + 1]! > 1 ? 0.5 : 0)
    yield { x, y: (score > 1.25) === (source.below(20) > 0) ? 1 : 0 }
  }
}

function writeBinary (folder: string, rows: number): void {
  const data = new Float32Array(rows * columns)
  const classes = new Int32Array(rows)
  let row = 0
  for (const { x, y } of makeRows(rows)) {
    data.set(x, row * columns)
    classes[row++] = y
  }
  writeFileSync(join(folder, 'x.f32'), data)
  writeFileSync(join(folder, 'y.i32'), classes)
}

/** Prints at the end what the process took at most, as the operating system counts it. */
const reportPeak = 'data:text/javascript,process.on("exit",()=>console.log(JSON.stringify({peakMb:process.resourceUsage().maxRSS*1024/1e6})))'

async function memories (context: Context, quick: boolean): Promise<Result> {
  const sizes = quick ? [50_000] : [100_000, 1_000_000]
  const idle = await peakMb(['train', '--help'])
  const goals = []
  const rows = []
  for (const size of sizes) {
    const file = join(context.folder, `train-${size}.csv`)
    context.progress(`train: writing ${size.toLocaleString('en')} rows`)
    await writeCsv(file, size)
    const dataMb = size * bytesPerRow / 1e6
    for (const algorithm of ['random-forest', 'gradient-boosting']) {
      context.progress(`train: memory of ${algorithm}, ${size.toLocaleString('en')} rows`)
      const peak = await peakMb(['train', '--data', file, '--target', 'y', '--name', 'm', '--algorithm', algorithm, '--trees', '20', '--cv', '0', '--force', '--out', join(context.folder, 'train-models'), '--json'])
      goals.push(atMost(`train, ${algorithm}, ${size.toLocaleString('en')} rows: peak memory over an idle process ÷ the data as float32`, (peak - idle) / dataMb, 4, '', 2))
      rows.push([`${algorithm}, ${size.toLocaleString('en')} rows`, dataMb.toFixed(0), idle.toFixed(0), peak.toFixed(0)])
    }
  }
  return { goals, tables: [{ title: `Memory of \`modelport train\` from a CSV file, ${cpuCount()} threads, 20 trees, MB`, head: ['', 'data as float32', 'idle', 'peak'], rows }] }
}

async function peakMb (args: readonly string[]): Promise<number> {
  const { peakMb } = await runForJson<{ peakMb: number }>({ command: process.execPath, args: ['--import', reportPeak, 'dist/cli.js', ...args] })
  return peakMb
}

async function writeCsv (file: string, rows: number): Promise<void> {
  const stream = createWriteStream(file)
  stream.write(`${Array.from({ length: columns }, (_, i) => `x${i}`).join(',')},y\n`)
  for (const { x, y } of makeRows(rows)) {
    if (!stream.write(`${Array.from(x, value => value.toFixed(5)).join(',')},${y === 1 ? 'yes' : 'no'}\n`)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
}
