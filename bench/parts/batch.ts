import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Context, type Result, atLeast } from '../part.ts'
import { type Program, runForJson, script } from '../processes.ts'
import { median } from '../statistics.ts'

const trainingRows = 20_000
const columns = 10

/** Rows of a file to rows of a file, beside what the engine does alone with the same model: 100 trees of depth 16. */
export async function batch (context: Context): Promise<Result> {
  const folder = join(context.folder, 'batch')
  mkdirSync(folder)
  const models = join(folder, 'models')
  writeTable(join(folder, 'training.csv'), trainingRows, true)
  context.progress('batch: training')
  await runForJson(cli(['train', '--data', join(folder, 'training.csv'), '--target', 'y', '--name', 'forest', '--trees', '100', '--max-depth', '16', '--cv', '0', '--out', models, '--json']))
  const rows = context.long ? 2_000_000 : 500_000
  writeTable(join(folder, 'rows.csv'), rows, false)

  const engine: number[] = []
  const files: number[] = []
  for (let round = 1; round <= context.rounds; round++) {
    context.progress(`batch: round ${round} of ${context.rounds}`)
    const alone = await runForJson<{ perSecond: number }>(script(engineFile, [models, 'forest', '1.0.0', join(folder, 'rows.csv'), String(context.seconds)]))
    engine.push(alone.perSecond)
    const output = join(folder, 'out')
    const startedMs = performance.now()
    await runForJson(cli(['batch', '--model', 'forest', '--models', models, '--input', join(folder, 'rows.csv'), '--output', output, '--json']))
    files.push(1000 * rows / (performance.now() - startedMs))
    rmSync(output, { recursive: true })
  }
  const ratio = median(files.map((perSecond, i) => perSecond / (engine[i] ?? NaN)))
  return {
    goals: [atLeast('batch, CSV to CSV: rows per second ÷ the engine\'s own, start and all', ratio, 0.5)],
    tables: [{
      title: `Batch: ${rows.toLocaleString('en')} rows × ${columns} columns, 100 trees of depth 16`,
      head: ['', 'rows/s'],
      rows: [['modelport batch, CSV to CSV', perSecondText(files)], ['its engine alone', perSecondText(engine)]],
    }],
  }
}

const engineFile = fileURLToPath(new URL('../peers/engine-rows.ts', import.meta.url))

function cli (args: readonly string[]): Program {
  return { command: process.execPath, args: ['dist/cli.js', ...args], env: { ORT_DISABLE_TELEMETRY: '1' } }
}

/** A seeded table whose target no tree of depth 16 can learn by heart. */
function writeTable (file: string, rows: number, withTarget: boolean): void {
  let state = 1
  const random = (): number => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  const lines = Array.from({ length: rows }, () => {
    const x = Array.from({ length: columns }, random)
    const y = x.slice(0, 4).reduce((sum, value) => sum + value, 0) + random() > 2.5 ? 'yes' : 'no'
    return [...x.map(value => value.toFixed(4)), ...(withTarget ? [y] : [])].join(',')
  })
  const names = Array.from({ length: columns }, (_, i) => `x${i}`)
  writeFileSync(file, `${[...names, ...(withTarget ? ['y'] : [])].join(',')}\n${lines.join('\n')}\n`)
}

function perSecondText (perSecond: readonly number[]): string {
  return Math.round(median(perSecond)).toLocaleString('en')
}
