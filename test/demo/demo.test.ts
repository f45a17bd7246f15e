import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CommandError, Commands } from '../../demo/commands.ts'
import { hasDuckdb } from '../etl/duckdb.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0
if (!hasCurl) process.stderr.write('Skipped: curl is not installed, so the demo is not run\n')

let folder: string

beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'modelport-demo-test-')) })
afterAll(() => rm(folder, { recursive: true }))

interface Demo { readonly out: () => string, readonly err: () => string, readonly end: Promise<number | null>, readonly kill: (signal: NodeJS.Signals) => void, readonly until: (pattern: RegExp) => Promise<void> }

function demo (output: string, ...args: readonly string[]): Demo {
  const child = spawn(process.execPath, ['--import', 'tsx', 'demo/run.ts', '--transactions', '4000', '--modelport', `"${process.execPath}" bin/modelport.js`, '--output', output, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
  const end = once(child, 'close').then(([code]) => code as number | null)
  return {
    out: () => out,
    err: () => err,
    end,
    kill: signal => { child.kill(signal) },
    until: pattern => new Promise((resolve, reject) => {
      const look = (): void => { if (pattern.test(out)) resolve() }
      child.stdout.on('data', look)
      end.then(code => { reject(new Error(`the demo ended with ${code}:\n${out}${err}`)) }, reject)
      look()
    }),
  }
}

describe.skipIf(!hasDuckdb || !hasCurl)('npm run demo', () => {
  test('walks from raw data to answers by commands that it prints, and stops its server', async () => {
    const output = join(folder, 'whole')
    const run = demo(output)
    const code = await run.end
    const out = run.out()
    expect({ code, err: run.err(), out }).toMatchObject({ code: 0, err: '' })
    const commands = Array.from(out.matchAll(/^ {3}\$ (.+)$/gm), ([, command = '']) => command.replace(/^.*bin\/modelport\.js/, 'modelport').split(' ').slice(0, 2).join(' '))
    expect(commands).toEqual(['npx tsx', 'modelport etl', 'modelport etl', 'modelport etl', 'modelport train', 'modelport report', 'modelport drift', 'modelport promote', 'modelport serve', 'curl -s', 'modelport batch'])
    expect(out).toMatch(/"class_name":"(true|false)","probabilities":\[/)
    expect(JSON.parse(await readFile(join(output, 'models/repurchase/aliases.json'), 'utf8'))).toMatchObject({ production: '1.0.0' })
    const customers = (await readFile(join(output, 'later.csv'), 'utf8')).trimEnd().split('\n').length - 1
    expect((await readFile(join(output, 'scored/part-00000.csv'), 'utf8')).trimEnd().split('\n')).toHaveLength(1 + customers)
    const [address = ''] = /http:\/\/localhost:\d+/.exec(out) ?? []
    await expect(fetch(`${address}/health`)).rejects.toThrow('fetch failed')
  })

  test('ends on a signal, leaves the folder free and takes it again', async () => {
    const output = join(folder, 'stopped')
    const stopped = demo(output)
    await stopped.until(/^ {3}\$ /m)
    const second = demo(output)
    expect({ code: await second.end, err: second.err() }).toEqual({ code: 1, err: expect.stringMatching(/^demo: process \d+ is writing into .*stopped: wait for it/) })
    stopped.kill('SIGINT')
    expect({ code: await stopped.end, err: stopped.err() }).toEqual({ code: 130, err: '\nThe demo was stopped, and its server with it.\n' })
    const third = demo(output)
    await third.until(/^ {3}\$ /m)
    third.kill('SIGTERM')
    expect(await third.end).toBe(143)
    expect(await readdir(output)).toEqual(['.modelport-demo'])
  })

  test('empties no folder that is somebody else\'s', async () => {
    const output = join(folder, 'letters')
    await mkdir(output)
    await writeFile(join(output, 'letter.txt'), 'Dear')
    const run = demo(output)
    expect({ code: await run.end, err: run.err() }).toEqual({ code: 1, err: expect.stringContaining('has files that are not the demo\'s') })
    expect(await readdir(output)).toEqual(['letter.txt'])
  })

  test.each([['--transactions', 'many'], ['--output', 'a b'], ['--seed', '-1'], ['--speed', '9']])('misuse: %s %s', async (...args) => {
    const run = demo(join(folder, 'never'), ...args)
    expect({ code: await run.end, out: run.out(), err: run.err() }).toEqual({ code: 2, out: '', err: expect.stringContaining('npm run demo [-- --transactions N]') })
  })
})

describe('commands of the demo', () => {
  /** Listens in a process of its own below the shell's. */
  const goesOn = `"${process.execPath}" -e "const server = require('http').createServer(); server.listen(0, () => process.stderr.write('port ' + server.address().port + '\\n'))" && echo never`

  test('a service that runs is ended with all that it has started', async () => {
    const commands = new Commands('.')
    const [, port = ''] = await commands.service(goesOn).until(/port (\d+)\n/)
    await commands.end()
    await expect(fetch(`http://localhost:${port}/`)).rejects.toThrow('fetch failed')
    await expect(commands.run('echo late')).rejects.toThrow('not started any more')
  })

  test('one that fails tells what it has said', async () => {
    const commands = new Commands('.')
    const failing = commands.run(`"${process.execPath}" -e "process.stderr.write('no such file'); process.exitCode = 3"`)
    await expect(failing).rejects.toThrow(CommandError)
    await expect(failing).rejects.toThrow(/^it ended with 3: [^]*no such file$/)
  })
})
