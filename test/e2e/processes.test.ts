import { Agent } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { send } from '../helpers/http.ts'
import { heavyFiles, flowerFiles, regressionFiles, repository, writeFiles } from '../helpers/models.ts'
import { type ServerProcess, startProcess } from '../helpers/process.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Service { server: ServerProcess, port: string, token: string, path: string }

async function startService (env: Record<string, string> = {}, contents: Parameters<typeof repository>[0] = { 'flower/1.0.0': flowerFiles() }): Promise<Service> {
  const { path, remove } = await repository(contents)
  cleanups.push(remove)
  const server = startProcess({ MODELS_DIR: path, HTTP_WORKERS: '2', ...env })
  cleanups.push(server.stop)
  const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
  const token = /^TOKEN=(\S+)$/m.exec(server.stderr())?.[1] ?? ''
  return { server, port, token, path }
}

/** Ids of the server processes that serve now, as the log tells of them. */
async function pidsOf ({ server }: Service): Promise<number[]> {
  const started = [...server.stdout().matchAll(/"pid":(\d+),"msg":"server process started"/g)].map(([, pid]) => Number(pid))
  const gone = new Set([...server.stdout().matchAll(/"pid":(\d+)[^\n]*"msg":"a server process died/g)].map(([, pid]) => Number(pid)))
  return started.filter(pid => !gone.has(pid))
}

/** What each of several connections is answered, the same ones but once: with two processes, both are among them. */
async function everywhere ({ port, token }: Service, method: string, path: string, body?: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: 24 }, async () => {
    const { status, body: text } = await send(undefined, port, method, path, body, token)
    const { model } = JSON.parse(text) as { model?: { version: string } }
    return [status, model?.version ?? ''].join(' ').trim()
  }))
  return [...new Set(answers)]
}

async function control ({ port, token }: Service, verb: 'load' | 'unload', model = 'flower'): Promise<string> {
  const { status, body } = await send(undefined, port, 'POST', `/v2/repository/models/${model}/${verb}`, '{}', token)
  return `${status} ${body}`
}

const row = JSON.stringify({ length: 6, kind: 'red' })

describe('a service of two processes', () => {
  test('is ready when both are, takes its first-run token in both, and counts for both in /metrics', async () => {
    const service = await startService()
    const { port, token } = service
    expect((await send(undefined, port, 'GET', '/health/ready')).status).toBe(200)
    const statuses = await Promise.all(Array.from({ length: 40 }, async () => (await send(undefined, port, 'POST', '/predict', row, token)).status))
    expect(statuses).toEqual(new Array<number>(40).fill(200))

    // Whichever process is asked: each scrape comes over a connection of its own.
    for (let scrape = 0; scrape < 4; scrape++) {
      const { body } = await send(undefined, port, 'GET', '/metrics')
      expect(body).toContain('modelport_requests_total{model="flower",version="1.0.0",protocol="predict",outcome="ok"} 40')
      expect(body).toContain('modelport_predictions_total{model="flower",version="1.0.0",class="rose"} 40')
    }
    const pids = await pidsOf(service)
    expect(new Set(pids).size).toBe(2)
  })

  test('answers exactly as many requests of one caller as the limit allows, over many connections', async () => {
    const { port, token } = await startService({ RATE_LIMIT_MAX: '60' })
    const statuses = await Promise.all(Array.from({ length: 90 }, async () => (await send(undefined, port, 'GET', '/models', undefined, token)).status))
    expect(statuses.filter(status => status === 200)).toHaveLength(60)
    expect(statuses.filter(status => status === 429)).toHaveLength(30)
  })

  test('goes on when one of them is killed: the other answers, another takes its place, and the log says so', async () => {
    const service = await startService({ AUTH: 'off', RATE_LIMIT_MAX: '1000000', ACCESS_LOG: 'off' })
    const { server, port } = service
    const [victim = 0] = await pidsOf(service)
    // Connections of their own: only the one that the victim was being handed can break.
    let answered = 0
    let broken = 0
    const load = { stopped: false }
    const clients = (async () => {
      while (!load.stopped) {
        await send(undefined, port, 'POST', '/predict', row, undefined, 500).then(({ status }) => { if (status === 200) answered++ }, () => { broken++ })
      }
    })()
    process.kill(victim, 'SIGKILL')
    await server.until(/"msg":"a server process died; another one takes its place"[^]*"msg":"models loaded"/)
    load.stopped = true
    await clients
    expect(answered).toBeGreaterThan(0)
    expect(broken).toBeLessThanOrEqual(1)
    expect((await send(undefined, port, 'GET', '/health/ready')).status).toBe(200)
  })

  test('ends with a line, not in a spin, when its processes die again and again', async () => {
    const service = await startService({ AUTH: 'off' })
    const killed = new Set<number>()
    const reaper = setInterval(() => {
      pidsOf(service).then(pids => {
        for (const pid of pids) {
          if (!killed.has(pid)) process.kill(pid, 'SIGKILL')
          killed.add(pid)
        }
      }, () => {})
    }, 10)
    cleanups.push(async () => { clearInterval(reaper) })
    expect(await service.server.exit()).toBe(1)
    expect(service.server.stderr()).toMatch(/modelport: \d server processes died within 60 seconds; the log says how each did\n$/)
  })

  test('that cannot start says why once, and exits 1', async () => {
    const server = startProcess({ HTTP_WORKERS: '2', DEFAULT_MODEL: 'roses' })
    cleanups.push(server.stop)
    expect(await server.exit()).toBe(1)
    expect(server.stderr()).toBe('modelport: DEFAULT_MODEL names the model "roses", and there is none; the models are iris, mpg, penguins\n')
  })

  test('answers on SIGTERM what is under way in both, and exits 0', async () => {
    const { server, port } = await startService({ AUTH: 'off', RATE_LIMIT_MAX: '100000' }, { 'heavy/1.0.0': heavyFiles() })
    const agent = new Agent({ keepAlive: true, maxSockets: 40 })
    cleanups.push(async () => { agent.destroy() })
    await Promise.all(Array.from({ length: 40 }, () => send(agent, port, 'GET', '/health/live')))
    const answers = Array.from({ length: 40 }, (_, i) => send(agent, port, 'POST', '/predict', JSON.stringify({ x: i })))
    for (let rows = 0; rows < 20;) {
      const { body } = await send(undefined, port, 'GET', '/metrics')
      rows = Number(/^modelport_queue_rows\{[^}]*\} (\d+)/m.exec(body)?.[1] ?? 0)
    }
    server.child.kill('SIGTERM')
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(new Array<number>(40).fill(200))
    expect(await server.exit()).toBe(0)
  })

  test('loads and unloads a model in both, and a process that comes later serves the same', async () => {
    const service = await startService({ DEFAULT_MODEL: 'flower' }, { 'flower/1.0.0': flowerFiles(), 'line/1.0.0': regressionFiles() })
    const predict = () => everywhere(service, 'POST', '/predict', row)
    expect(await predict()).toEqual(['200 1.0.0'])
    await writeFiles(join(service.path, 'flower/1.1.0'), flowerFiles('flower', '1.1.0'))
    expect(await control(service, 'load')).toBe('200 {}')
    expect(await predict()).toEqual(['200 1.1.0'])

    const broken = { ...flowerFiles('flower', '1.2.0'), 'model.onnx': 'cut off' }
    await writeFiles(join(service.path, 'flower/1.2.0'), broken)
    expect(await control(service, 'load')).toMatch(/^400 \{"error":"flower was not loaded in full: 1\.2\.0: HASH_MISMATCH: .*1\.1\.0 answers\."\}$/)
    expect(await predict()).toEqual(['200 1.1.0'])

    expect(await control(service, 'unload', 'line')).toBe('200 {}')
    const line = () => everywhere(service, 'POST', '/models/line/predict', '{"x": 1}')
    expect(await line()).toEqual(['503'])
    await writeFiles(join(service.path, 'flower/1.3.0'), flowerFiles('flower', '1.3.0'))
    const [victim = 0] = await pidsOf(service)
    process.kill(victim, 'SIGKILL')
    await service.server.until(/"msg":"a server process died; another one takes its place"[^]*"msg":"models loaded"/)
    expect([await predict(), await line()]).toEqual([['200 1.1.0'], ['503']])
    expect([await control(service, 'load', 'line'), await line()]).toEqual(['200 {}', ['200 1.0.0']])
  })

  test('answers a load although one of them dies meanwhile', async () => {
    const service = await startService({ DEFAULT_MODEL: 'flower' }, { 'flower/1.0.0': flowerFiles(), 'heavy/1.0.0': heavyFiles() })
    await writeFiles(join(service.path, 'heavy/2.0.0'), heavyFiles('heavy', '2.0.0'))
    const pids = await pidsOf(service)
    const loads = Array.from({ length: 4 }, () => control(service, 'load', 'heavy').catch(() => 'broken'))
    process.kill(pids[1] ?? 0, 'SIGKILL')
    const answers = await Promise.all(loads)
    expect(answers.filter(answer => answer !== '200 {}' && answer !== 'broken')).toEqual([])
    await service.server.until(/"msg":"a server process died; another one takes its place"[^]*"msg":"models loaded"/)
    expect(await control(service, 'load', 'heavy')).toBe('200 {}')
    expect(await everywhere(service, 'POST', '/models/heavy/predict', '{"x": 1}')).toEqual(['200 2.0.0'])
  })

  test('adds up what both have done in the statistics', async () => {
    const service = await startService()
    await everywhere(service, 'POST', '/predict', row)
    for (let i = 0; i < 4; i++) {
      const { body } = await send(undefined, service.port, 'GET', '/v2/models/flower/stats', undefined, service.token)
      expect(JSON.parse(body)).toMatchObject({ model_stats: [{ name: 'flower', version: '1.0.0', inference_count: 24, inference_stats: { success: { count: 24 } } }] })
    }
  })
})
