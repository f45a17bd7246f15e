import { execFileSync, spawnSync } from 'node:child_process'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { send } from '../helpers/http.ts'
import { type Files, flowerFiles, heavyFiles, repository } from '../helpers/models.ts'
import { type ServerProcess, startProcess } from '../helpers/process.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0
if (!hasCurl) process.stderr.write('Skipped: curl is not installed, so the printed command is not run\n')

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function start (env: Record<string, string>): ServerProcess {
  const server = startProcess(env)
  cleanups.push(server.stop)
  return server
}

async function models (contents: Record<string, Files | string>): Promise<string> {
  const { path, remove } = await repository(contents)
  cleanups.push(remove)
  return path
}

describe('a start', () => {
  test.runIf(hasCurl)('prints a curl that answers setosa when it is pasted', async () => {
    const server = start({})
    const [, command = ''] = await server.until(/(curl -s[^]*?)\n\n/)
    const answer = JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' })) as { class_name: string }
    expect(answer.class_name).toBe('setosa')
  })

  test('writes one JSON object a line on stdout, and never the token', async () => {
    const server = start({})
    const [, token = ''] = await server.until(/TOKEN=(\S+)/)
    const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
    const response = await fetch(`http://127.0.0.1:${port}/models`, { headers: { authorization: `Bearer ${token}`, 'x-request-id': 'mine-1' } })
    expect(response.status).toBe(200)
    await server.until(/"request_id":"mine-1"/)
    const lines = server.stdout().trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines.find(line => line['request_id'] === 'mine-1')).toMatchObject({ msg: 'request', method: 'GET', path: '/models', status: 200, subject: 'first-run' })
    expect(server.stdout()).not.toContain(token)
  })

  test('with AUTH=off says so, and its curl needs no token', async () => {
    const server = start({ AUTH: 'off' })
    await server.until(/AUTH=off: anybody/)
    const [, command] = await server.until(/(curl -s[^]*?)\n\n/)
    expect(command).not.toContain('authorization')
  })
})

describe('a start that cannot serve ends with 1 and says why in a line', () => {
  let occupied = 0
  beforeAll(async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => blocker.once('listening', resolve))
    occupied = (blocker.address() as { port: number }).port
    return () => { blocker.close() }
  })

  test.each<[string, () => Record<string, string> | Promise<Record<string, string>>, RegExp]>([
    ['a folder that is not there', () => ({ MODELS_DIR: '/nowhere/models' }), /^modelport: MODELS_DIR: the folder \/nowhere\/models cannot be read \(ENOENT\); .*\n$/],
    ['a default model that is not there', () => ({ DEFAULT_MODEL: 'roses' }), /^modelport: DEFAULT_MODEL names the model "roses", and there is none; the models are iris, mpg, penguins\n$/],
    ['a default model of which no version can be served', async () => ({ MODELS_DIR: await models({ 'flower/1.0.0': { ...flowerFiles(), 'model.onnx': 'cut off' } }) }), /^modelport: The default model flower cannot be served: 1\.0\.0: HASH_MISMATCH: .*\n$/],
    ['a port that is taken', () => ({ PORT: String(occupied) }), /^modelport: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\); set PORT or HOST\n$/],
    ['no key in production', () => ({ NODE_ENV: 'production' }), /^modelport: .*JWT_SECRET.*\n$/],
    ['wrong settings, all of them', () => ({ PORT: 'x', MAX_ROWS: '0' }), /^modelport: Wrong settings:\n {2}PORT: .*\n {2}MAX_ROWS: .*\n$/],
  ])('%s', async (_name, env, message) => {
    const server = start(await env())
    expect(await server.exit()).toBe(1)
    expect(server.stderr()).toMatch(message)
  })
})

describe('SIGTERM', () => {
  test('while 200 requests are under way on keep-alive connections answers every one, takes no new one and exits 0', async () => {
    const server = start({ MODELS_DIR: await models({ 'heavy/1.0.0': heavyFiles() }), AUTH: 'off', RATE_LIMIT_MAX: '100000' })
    const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
    const agent = new Agent({ keepAlive: true, maxSockets: 200 })
    cleanups.push(async () => { agent.destroy() })
    // Every connection is there, idle and alive, before it carries the request that counts.
    await Promise.all(Array.from({ length: 200 }, () => send(agent, port, 'GET', '/health/live')))

    const answers = Array.from({ length: 200 }, (_, i) => send(agent, port, 'POST', '/predict', JSON.stringify({ x: i })))
    await queued(port)
    server.child.kill('SIGTERM')
    await server.until(/"draining"/)
    const late = await send(undefined, port, 'GET', '/models').then(({ status }) => status, (error: NodeJS.ErrnoException) => error.code)

    expect([503, 'ECONNREFUSED', 'ECONNRESET']).toContain(late)
    const statuses = await Promise.all(answers)
    expect(statuses.filter(({ status }) => status === 200)).toHaveLength(200)
    expect(statuses.some(({ connection }) => connection === 'close')).toBe(true)
    expect(await server.exit()).toBe(0)
  })

  test('of an idle server with open keep-alive connections exits 0 without waiting for them', async () => {
    const server = start({ MODELS_DIR: await models({ 'flower/1.0.0': flowerFiles() }), AUTH: 'off' })
    const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
    const agent = new Agent({ keepAlive: true })
    cleanups.push(async () => { agent.destroy() })
    await send(agent, port, 'GET', '/health/live')
    server.child.kill('SIGTERM')
    expect(await server.exit()).toBe(0)
    expect(server.stdout()).toContain('"stopped"')
  })
})

/** Waits until the server itself says that most of the rows wait for a run. */
async function queued (port: string): Promise<void> {
  for (;;) {
    const { body } = await send(undefined, port, 'GET', '/metrics')
    const rows = Number(/^modelport_queue_rows\{[^}]*\} (\d+)/m.exec(body)?.[1] ?? 0)
    if (rows >= 150) return
  }
}
