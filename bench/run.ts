import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { signWithConfiguredKey } from '../src/auth/sign.ts'
import { loadConfig } from '../src/config.ts'
import { chart } from './chart.ts'
import { jwtSecret, pythonVersions } from './contenders.ts'
import { hasWrk } from './load.ts'
import type { Context, Result } from './part.ts'
import { batch } from './parts/batch.ts'
import { binary } from './parts/binary.ts'
import { etl } from './parts/etl.ts'
import { heavy } from './parts/heavy.ts'
import { lambda } from './parts/lambda.ts'
import { memory } from './parts/memory.ts'
import { rows } from './parts/rows.ts'
import { single } from './parts/single.ts'
import { start } from './parts/start.ts'
import { train } from './parts/train.ts'
import { killAll, othersCpuSeconds } from './processes.ts'
import { report } from './report.ts'

const parts = { single, rows, binary, heavy, start, lambda, memory, etl, train, batch }
type PartName = keyof typeof parts

const usage = `npm run bench -- [--only ${Object.keys(parts).join(',')}] [--quick] [--long] [--out FOLDER]

  --only   some parts; the others are left out
  --quick  short rounds, to see that everything works
  --long   the million requests in full, instead of 200,000
  --out    where RESULTS.md and the chart go: bench/ after a run of all parts, else nowhere
`

const { values: flags } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean' }, long: { type: 'boolean' }, out: { type: 'string' }, help: { type: 'boolean' } },
})
const chosen = (flags.only?.split(',') ?? Object.keys(parts)) as PartName[]
if (flags.help === true || chosen.some(name => !(name in parts))) {
  process.stderr.write(usage)
  process.exit(flags.help === true ? 0 : 2)
}

const folder = mkdtempSync(join(tmpdir(), 'modelport-bench-'))
process.on('exit', () => {
  killAll()
  rmSync(folder, { recursive: true, force: true })
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const { token } = await signWithConfiguredKey(loadConfig({ JWT_SECRET: jwtSecret }), 'bench', ['predict'], 6 * 3600_000)
const context: Context = {
  folder,
  token,
  hasWrk: hasWrk(),
  hasPython: pythonVersions() !== undefined,
  rounds: flags.quick === true ? 3 : 5,
  seconds: flags.quick === true ? 1 : 2,
  long: flags.long === true,
  progress,
}
if (!context.hasWrk) process.stderr.write('wrk is not installed (Debian: apt install wrk): without load only the floor, starts and reloads are measured\n')
if (!context.hasPython) process.stderr.write('FastAPI is left out (Debian: apt install python3-fastapi python3-uvicorn python3-sklearn)\n')

const before = { ms: performance.now(), othersCpuSeconds: othersCpuSeconds() }
const results: Result[] = []
for (const name of chosen) results.push(await parts[name](context))

const othersCpus = Math.max(0, othersCpuSeconds() - before.othersCpuSeconds) / ((performance.now() - before.ms) / 1000)
const text = report(results, context, othersCpus)
process.stdout.write(text)
const isWhole = flags.only === undefined && flags.quick !== true && context.hasWrk
const out = flags.out ?? (isWhole ? 'bench' : undefined)
if (out !== undefined) {
  writeFileSync(join(out, 'RESULTS.md'), text)
  const figures = results.find(result => result.figures !== undefined)?.figures
  if (figures !== undefined) writeFileSync(join(out, 'speed.svg'), chart(figures))
}

/** On a terminal one line that changes. */
function progress (line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1B[K${line}` : `${line}\n`)
}
