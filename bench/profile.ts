// `tsx bench/profile.ts [CONNECTIONS [ROWS]]`: where the server's main thread spends its time under load, own time by function.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signWithConfiguredKey } from '../src/auth/sign.ts'
import { loadConfig } from '../src/config.ts'
import { namedRows, oneRow } from './bodies.ts'
import { jwtSecret, modelport } from './contenders.ts'
import { measure, writeRequest } from './load.ts'
import { killAll } from './processes.ts'
import { startServer } from './server.ts'

interface Profile {
  readonly nodes: readonly { readonly id: number, readonly callFrame: { readonly functionName: string, readonly url: string, readonly lineNumber: number } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const folder = mkdtempSync(join(tmpdir(), 'modelport-profile-'))
process.on('exit', () => {
  killAll()
  rmSync(folder, { recursive: true, force: true })
})
process.on('SIGINT', () => process.exit(130))

const { token } = await signWithConfiguredKey(loadConfig({ JWT_SECRET: jwtSecret }), 'bench', ['predict'], 3600_000)
const [connections = 64, rows = 1] = process.argv.slice(2).map(Number)
const request = writeRequest(folder, 'profile', { path: '/predict', body: rows === 1 ? oneRow : namedRows(rows), token })
const load = { connections, seconds: 5 }
const server = await startServer(modelport({}, ['--cpu-prof', '--cpu-prof-dir', folder]), folder)
const { cpuUs, perSecond, requests } = await measure(server, request, load)
await server.stop()
console.log(`${rows} rows a request, ${connections} connections: ${perSecond.toFixed(0)}/s, ${cpuUs.toFixed(1)} µs CPU per request; own time per request, with the profiler on:`)
for (const file of readdirSync(folder).filter(name => name.endsWith('.cpuprofile'))) {
  print(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile)
}

function print ({ nodes, samples, timeDeltas }: Profile): void {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) =>
    [id, `${functionName || '(anonymous)'} ${url.split('/').slice(-1)[0]}:${lineNumber + 1}`]))
  const ownUs = new Map<string, number>()
  samples.forEach((id, i) => {
    const name = names.get(id) ?? ''
    ownUs.set(name, (ownUs.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  })
  const largest = [...ownUs].filter(([name]) => !name.startsWith('(idle)')).sort(([, a], [, b]) => b - a).slice(0, 40)
  for (const [name, us] of largest) console.log(`${(us / requests).toFixed(2).padStart(7)} µs  ${name}`)
}
