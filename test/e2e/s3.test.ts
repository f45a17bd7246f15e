import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { modelport } from '../cli/modelport.ts'
import { registry, scored } from '../cli/registry.ts'
import { send } from '../helpers/http.ts'
import { type ServerProcess, startProcess } from '../helpers/process.ts'
import { awsEnv, fakeS3 } from '../helpers/s3.ts'

const to = 's3://shop/models'
const row = JSON.stringify({ length: 6, kind: 'red' })

interface Started { readonly server: ServerProcess, readonly port: string }

async function start (env: Record<string, string>): Promise<Started> {
  const server = startProcess({ MODELS_DIR: to, AUTH: 'off', ACCESS_LOG: 'off', RATE_LIMIT_MAX: '1000000', ...env })
  onTestFinished(server.stop)
  const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
  return { server, port }
}

/** Asks over several connections until it is told to stop; what versions answered, in the order in which each was first seen. */
function keepAsking (port: string): { seen: Set<string>, failures: string[], until: (version: string) => Promise<void>, stop: () => Promise<number> } {
  const seen = new Set<string>()
  const failures: string[] = []
  const listeners = new Set<() => void>()
  const load = { stopped: false, answers: 0 }
  const clients = Array.from({ length: 6 }, async () => {
    const agent = new Agent({ keepAlive: true })
    while (!load.stopped) {
      const { status, body } = await send(agent, port, 'POST', '/predict', row).catch((error: unknown) => ({ status: 0, body: String(error) }))
      if (status === 200) seen.add((JSON.parse(body) as { model: { version: string } }).model.version)
      else failures.push(`${status} ${body}`)
      load.answers++
      listeners.forEach(listener => { listener() })
    }
    agent.destroy()
  })
  return {
    seen,
    failures,
    until: async version => {
      await new Promise<void>(resolve => { listeners.add(() => { if (seen.has(version) || failures.length > 0) resolve() }) })
    },
    stop: async () => {
      load.stopped = true
      await Promise.all(clients)
      return load.answers
    },
  }
}

test('a version that is published and promoted answers in every process without a restart, and no request under load fails', async () => {
  const fake = await fakeS3()
  const cache = await mkdtemp(join(tmpdir(), 'modelport-cache-'))
  onTestFinished(() => rm(cache, { recursive: true, force: true }))
  const { run } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/1.1.0': scored('1.1.0') })
  await run('publish', 'flower@1.0.0', '--to', to, '--alias', 'production')
  const env = { ...awsEnv(fake.url), MODELS_CACHE_DIR: cache, MODELS_POLL_SECONDS: '1' }
  const { server, port } = await start({ ...env, HTTP_WORKERS: '2' })
  const load = keepAsking(port)
  await load.until('1.0.0')
  await run('publish', 'flower@1.1.0', '--to', to)
  expect(await modelport(['promote', 'flower@1.1.0', '--models', to])).toMatchObject({ code: 0 })
  await load.until('1.1.0')
  await server.until(/"model":"flower","msg":"the model has changed in the repository, and was loaded again"/)

  // From here on S3 is down: what is loaded goes on, a new start serves the copies, and both say so.
  fake.plan(() => true, { kind: 'answer', status: 500, code: 'InternalError' })
  await server.until(/"msg":"S3 cannot be read; what is loaded goes on answering/)
  const answers = await load.stop()
  expect(load.failures).toEqual([])
  expect(answers).toBeGreaterThan(20)
  expect([...load.seen]).toEqual(['1.0.0', '1.1.0'])
  const versions = await Promise.all(Array.from({ length: 16 }, async () => (await send(undefined, port, 'POST', '/predict', row)).body))
  expect(new Set(versions.map(body => (JSON.parse(body) as { model: { version: string } }).model.version))).toEqual(new Set(['1.1.0']))
  await server.stop()

  const again = await start(env)
  expect(JSON.parse((await send(undefined, again.port, 'GET', '/health')).body)).toMatchObject({ ready: true, models: { flower: '1.1.0' }, store: { status: 'stale', reason: 'FAILED' } })
  fake.heal()
  await again.server.until(/"msg":"S3 can be read again"[^]*"msg":"the model has changed in the repository, and was loaded again"/)
  expect(JSON.parse((await send(undefined, again.port, 'GET', '/health')).body)).toMatchObject({ store: { status: 'ok' } })
  expect(server.stdout() + server.stderr() + again.server.stdout() + again.server.stderr()).not.toMatch(/AKIDEXAMPLE|not-a-secret|NodeVersionSupportWarning/)
}, 90_000)
