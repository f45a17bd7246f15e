import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runForJson } from './processes.ts'
import type { BenchServer } from './server.ts'

/** What one server did under one load. */
export interface Sample {
  readonly requests: number
  readonly perSecond: number
  /** CPU time of the server, all its threads and processes, per request. */
  readonly cpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What wrk sends again and again, in a file. */
export interface Request {
  readonly path: string
  readonly bodyFile: string
  readonly scriptFile: string
}

export interface Load {
  readonly connections: number
  readonly seconds: number
}

interface Report { readonly requests: number, readonly durationUs: number, readonly p50Us: number, readonly p99Us: number, readonly failed: number }

const wrk = 'wrk'

export function hasWrk (): boolean {
  return spawnSync(wrk, ['-v']).error === undefined
}

/** Writes a request and the script that has wrk send it; the body is JSON unless its headers say otherwise. */
export function writeRequest (folder: string, name: string, { path, body, token, headers = {} }: { path: string, body: string | Uint8Array, token: string, headers?: Readonly<Record<string, string>> }): Request {
  const bodyFile = join(folder, `${name}.body`)
  const scriptFile = join(folder, `${name}.lua`)
  writeFileSync(bodyFile, body)
  writeFileSync(scriptFile, `
local file = assert(io.open(${JSON.stringify(bodyFile)}, 'rb'))
wrk.method = 'POST'
wrk.path = ${JSON.stringify(path)}
wrk.body = file:read('*a')
wrk.headers['content-type'] = 'application/json'
wrk.headers['authorization'] = 'Bearer ${token}'
${Object.entries(headers).map(([field, value]) => `wrk.headers['${field}'] = '${value}'\n`).join('')}function done (summary, latency)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\\n{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"failed":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
`)
  return { path, bodyFile, scriptFile }
}

/**
 * Keeps every connection busy with one request at a time.
 *
 * @throws Error when an answer was not a 200, or did not come: the numbers would mean nothing
 */
export async function measure (server: BenchServer, { scriptFile }: Request, { connections, seconds }: Load): Promise<Sample> {
  const cpuBefore = server.cpuSeconds()
  const report = await runForJson<Report>({
    command: wrk,
    args: ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', scriptFile, server.url],
  })
  const cpuSeconds = server.cpuSeconds() - cpuBefore
  server.dropLog()
  if (report.failed > 0 || report.requests === 0) throw new Error(`${report.failed} of ${report.requests} requests failed`)
  return {
    requests: report.requests,
    perSecond: report.requests / report.durationUs * 1e6,
    cpuUs: cpuSeconds / report.requests * 1e6,
    p50Ms: report.p50Us / 1000,
    p99Ms: report.p99Us / 1000,
  }
}
