import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// What a synth costs, in a process of its own as `cdk synth` starts one: `npm run synth:measure -- staging`.
const environment = process.argv[2] ?? 'dev'
const { context } = JSON.parse(readFileSync(new URL('cdk.json', import.meta.url), 'utf8')) as { context: object }
const outdir = mkdtempSync(join(tmpdir(), 'modelport-synth-'))
process.env['CDK_CONTEXT_JSON'] = JSON.stringify({ ...context, environment })
process.env['CDK_OUTDIR'] = outdir
try {
  await import('./app.ts')
} finally {
  rmSync(outdir, { recursive: true, force: true })
}
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
console.log(`${environment}: ${(performance.now() / 1000).toFixed(1)} s, ${((userCPUTime + systemCPUTime) / 1e6).toFixed(1)} s of CPU, at most ${Math.round(maxRSS / 1024)} MB`)
