import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../cli/program.ts'
import { signToken } from '../cli/token.ts'
import { verb } from '../scripts/smoke.ts'
import { checks } from '../smoke/checks.ts'

const secret = '0123456789abcdef0123456789abcdef'
const stubs = mkdtempSync(join(tmpdir(), 'modelport-smoke-'))
const tsx = import.meta.resolve('tsx')
const repository = new URL('../../', import.meta.url)

const tokenFor = (scope: string) => signToken(secret, scope, 'test')

async function smoke (...args: string[]): Promise<{ code: number, lines: string[], err: string }> {
  const lines: string[] = []
  const err: string[] = []
  const code = await run(verb, args, { out: line => { lines.push(line) }, err: line => { err.push(line) }, env: { TOKEN: tokenFor('predict'), PATH: `${stubs}:/usr/bin:/bin` }, input: Readable.from([]) })
  return { code, lines, err: err.join('\n') }
}

afterAll(() => { rmSync(stubs, { recursive: true }) })

describe('against the server itself', () => {
  let server: ChildProcess
  let url: string

  beforeAll(async () => {
    server = spawn(process.execPath, ['--import', tsx, 'src/main.ts'], {
      cwd: fileURLToPath(repository),
      env: { PATH: process.env.PATH, PORT: '0', HTTP_WORKERS: '1', JWT_SECRET: secret, METRICS_AUTH: 'on' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    for await (const line of createInterface({ input: server.stdout! })) {
      const address = line.match(/http:\/\/[\w.]+:\d+/)?.[0]
      if (address === undefined) continue
      url = address
      break
    }
    server.stdout!.resume()
  })

  afterAll(async () => {
    if (server.exitCode !== null) return
    server.kill()
    await once(server, 'exit')
  })

  test('every check passes, a line each, once it is ready', async () => {
    const { code, lines, err } = await smoke(url, '--wait', '30')
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(lines).toHaveLength(checks.length + 1)
    expect(lines.slice(0, -1).every(line => /^ok +\d+ ms {2}/.test(line))).toBe(true)
    expect(lines).toContainEqual(expect.stringMatching(/the example of the manifest is predicted: iris: setosa$/))
    expect(lines.at(-1)).toBe(`${url} works.`)
  })

  test('the address and the secret of an environment come from AWS', async () => {
    writeFileSync(join(stubs, 'aws'), `#!/bin/sh\ncase "$*" in *get-secret-value*the-arn*) echo ${secret} ;; *JwtSecretArn*) echo the-arn ;; *modelport-dev-gateway*Url*) echo ${url} ;; esac\n`)
    chmodSync(join(stubs, 'aws'), 0o755)
    expect(await smoke('--environment', 'dev')).toMatchObject({ code: 0, err: '' })
  })

  test('another model than the default can be asked for', async () => {
    const { lines } = await smoke(`${url}/`, '--model', 'mpg')
    expect(lines).toContainEqual(expect.stringMatching(/^ok .*is predicted: mpg: [\d.]+$/))
  })

  test.each([
    ['a token without the scope', ['--token', tokenFor('metrics')], /expected status 200, got 403/],
    ['a token of somebody else', ['--token', tokenFor('predict').slice(0, -2)], /expected status 200, got 401/],
    ['no token at all', ['--no-token'], /expected status 200, got 401/],
    ['a model that is not there', ['--model', 'nobody'], /expected status 200, got 404/],
  ])('%s fails what needs it, and only that', async (_, args, message) => {
    const { code, lines, err } = await smoke(url, ...args)
    expect(code).toBe(1)
    const failed = lines.filter(line => line.startsWith('FAIL'))
    expect(failed).toHaveLength(3)
    for (const line of failed) expect(line).toMatch(message)
    expect(err).toMatch(/: 3 of \d+ checks failed\.$/)
  })
})

describe('against what is no modelport', () => {
  const liar = createServer((_, response) => { response.end('{}') })
  let url: string

  beforeAll(async () => {
    liar.listen(0, '127.0.0.1')
    await once(liar, 'listening')
    url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`
  })

  afterAll(() => { liar.close() })

  test('a server that says yes to everything fails all that it should have refused or known', async () => {
    const { code, lines } = await smoke(url)
    expect(code).toBe(1)
    expect(lines.filter(line => line.startsWith('ok')).map(line => line.split('  ').at(-1))).toEqual([
      'it lives: GET /health/live is 200', 'it is ready: GET /health/ready is 200',
    ])
    expect(lines).toContainEqual(expect.stringMatching(/^FAIL .* a prediction without a token is refused: expected status 401, got 200/))
    expect(lines).toContainEqual(expect.stringMatching(/names no model that serves: upload one with `npm run upload-model`/))
  })

  test('an address where nobody listens is named, with the reason', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await once(gone, 'close')
    const { code, lines } = await smoke(`http://127.0.0.1:${port}`)
    expect(code).toBe(1)
    expect(lines.every(line => line.includes(`no answer from http://127.0.0.1:${port}/`) && line.includes('ECONNREFUSED'))).toBe(true)
  })
})
