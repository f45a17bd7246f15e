import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Context, type Goal, type Result, atLeast } from '../part.ts'
import { type Program, runForJson, script } from '../processes.ts'
import { median } from '../statistics.ts'

const trainingRows = 20_000
const columns = 10

interface Subject {
  readonly title: string
  readonly models: string
  readonly name: string
  readonly version: string
  readonly rows: number
  /** The same rows in each format. */
  readonly files: Readonly<Partial<Record<'csv' | 'ndjson' | 'parquet', string>>>
}

/** Rows of files to rows of files, beside what the engine does alone, on as many threads, with the same rows encoded beforehand. */
export async function batch (context: Context): Promise<Result> {
  const folder = join(context.folder, 'batch')
  mkdirSync(folder)
  const goals: Goal[] = []
  const table: string[][] = []
  let threads = NaN
  for (const subject of [await irisRows(context, folder), await forestRows(context, folder)]) {
    const found = await measureSubject(context, folder, subject)
    threads = found.threads
    goals.push(atLeast(`batch, ${subject.title}, CSV to CSV: rows/s ÷ those of the engine alone on ${threads} threads, start and all`, found.files['csv']?.ratio ?? NaN, 0.5))
    const { title, rows } = subject
    table.push([`${title}: engine alone, ${threads} threads`, text(found.enginePerSecond), '', ''])
    for (const [format, { perSecond, ratio, cpuRatio }] of Object.entries(found.files)) table.push([`${title}: ${format} to ${format}, ${rows.toLocaleString('en')} rows`, text(perSecond), ratio.toFixed(2), cpuRatio.toFixed(2)])
  }
  return {
    goals,
    tables: [{
      title: `Batch, start and all, beside its engine alone with the same rows encoded beforehand, both on ${threads} threads; others use the machine too, so CPU time says more than time`,
      head: ['', 'rows/s', 'rows/s ÷ the engine\'s', 'the engine\'s CPU time per row ÷ all CPU time per row'],
      rows: table,
    }],
  }
}

interface Engine { readonly threads: number, readonly perSecond: number, readonly cpuUsPerRow: number }

async function measureSubject ({ rounds, seconds, progress }: Context, folder: string, { title, models, name, version, rows, files }: Subject) {
  const engines: Engine[] = []
  const runs = Object.fromEntries(Object.keys(files).map(format => [format, [] as { perSecond: number, ratio: number, cpuRatio: number }[]]))
  const output = join(folder, 'out')
  for (let round = 1; round <= rounds; round++) {
    for (const [format, file] of Object.entries(files)) {
      progress(`batch, ${title}, ${format}: round ${round} of ${rounds}`)
      const engine = await runForJson<Engine>(script(engineFile, [models, name, version, files.csv ?? '', String(seconds)]))
      const [startedMs, startedCpu] = [performance.now(), childrenCpuSeconds()]
      await runForJson(cli(['batch', '--model', name, '--models', models, '--input', file, '--output', output, '--format', format, '--json']))
      const perSecond = 1000 * rows / (performance.now() - startedMs)
      const cpuUsPerRow = 1e6 * (childrenCpuSeconds() - startedCpu) / rows
      rmSync(output, { recursive: true })
      engines.push(engine)
      runs[format]?.push({ perSecond, ratio: perSecond / engine.perSecond, cpuRatio: engine.cpuUsPerRow / cpuUsPerRow })
    }
  }
  return {
    threads: engines[0]?.threads ?? NaN,
    enginePerSecond: median(engines.map(({ perSecond }) => perSecond)),
    files: Object.fromEntries(Object.entries(runs).map(([format, found]) => [format, {
      perSecond: median(found.map(({ perSecond }) => perSecond)),
      ratio: median(found.map(({ ratio }) => ratio)),
      cpuRatio: median(found.map(({ cpuRatio }) => cpuRatio)),
    }])),
  }
}

const engineFile = fileURLToPath(new URL('../peers/engine-rows.ts', import.meta.url))

function cli (args: readonly string[]): Program {
  return { command: process.execPath, args: ['dist/cli.js', ...args], env: { ORT_DISABLE_TELEMETRY: '1' } }
}

/** User and system time of all processes that this one has started and that have ended. */
function childrenCpuSeconds (): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ').map(Number)
  return ((fields[13] ?? NaN) + (fields[14] ?? NaN)) / 100
}

async function irisRows (context: Context, folder: string): Promise<Subject> {
  const rows = context.long ? 8_000_000 : 2_000_000
  const names = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width']
  const [least, most] = [[4, 2, 1, 0.1], [8, 4.4, 6.9, 2.5]]
  const files = await writeFiles(context, join(folder, 'iris'), names, rows, random => names.map((_, i) => ((least[i] ?? 0) + random() * ((most[i] ?? 0) - (least[i] ?? 0))).toFixed(1)))
  return { title: 'iris', models: resolve('models'), name: 'iris', version: '1.0.0', rows, files }
}

async function forestRows (context: Context, folder: string): Promise<Subject> {
  const [models, training] = [join(folder, 'models'), join(folder, 'training.csv')]
  const names = Array.from({ length: columns }, (_, i) => `x${i}`)
  const row = (random: () => number): string[] => names.map(() => random().toFixed(4))
  // What no tree of depth 16 can learn by heart.
  const labelled = (random: () => number): string[] => {
    const x = row(random)
    return [...x, x.slice(0, 4).reduce((sum, value) => sum + Number(value), 0) + random() > 2.5 ? 'yes' : 'no']
  }
  writeCsv(training, [...names, 'y'], trainingRows, labelled)
  context.progress('batch: training')
  await runForJson(cli(['train', '--data', training, '--target', 'y', '--name', 'forest', '--trees', '100', '--max-depth', '16', '--cv', '0', '--out', models, '--json']))
  const rows = context.long ? 1_000_000 : 250_000
  return { title: '100 trees of depth 16', models, name: 'forest', version: '1.0.0', rows, files: { csv: (await writeFiles(context, join(folder, 'rows'), names, rows, row)).csv } }
}

async function writeFiles ({ progress }: Context, path: string, names: readonly string[], rows: number, row: (random: () => number) => string[]) {
  progress(`batch: writing ${rows.toLocaleString('en')} rows`)
  const files = { csv: `${path}.csv`, ndjson: `${path}.ndjson`, parquet: `${path}.parquet` }
  writeCsv(files.csv, names, rows, row)
  writeLines(files.ndjson, rows, row, cells => `{${cells.map((cell, i) => `"${names[i]}":${Number(cell)}`).join(',')}}`)
  const duckdb = await import('@duckdb/node-api').catch(() => undefined)
  if (duckdb === undefined) return { csv: files.csv, ndjson: files.ndjson }
  const connection = await duckdb.DuckDBConnection.create()
  await connection.run(`COPY (SELECT * FROM read_csv('${files.csv}')) TO '${files.parquet}' (FORMAT parquet)`)
  connection.closeSync()
  return files
}

function writeCsv (file: string, names: readonly string[], rows: number, row: (random: () => number) => string[]): void {
  writeLines(file, rows, row, cells => cells.join(','), names.join(','))
}

/** Seeded: the same rows each time. */
function writeLines (file: string, rows: number, row: (random: () => number) => string[], line: (cells: string[]) => string, header?: string): void {
  let state = 1
  const random = (): number => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  const descriptor = openSync(file, 'w')
  if (header !== undefined) writeSync(descriptor, `${header}\n`)
  for (let written = 0; written < rows;) {
    const count = Math.min(10_000, rows - written)
    writeFileSync(descriptor, Array.from({ length: count }, () => `${line(row(random))}\n`).join(''))
    written += count
  }
  closeSync(descriptor)
}

function text (perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en')
}
