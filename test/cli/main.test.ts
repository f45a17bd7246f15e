import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Verbs, run } from '../../src/cli/run.ts'
import { UsageError, type Verb } from '../../src/cli/verb.ts'
import { FatalError } from '../../src/errors.ts'

interface Ended { code: number, out: string, err: string }

async function modelport (args: string[], verbs?: Verbs): Promise<Ended> {
  const out: string[] = []
  const err: string[] = []
  const code = await run(args, { env: {}, out: line => out.push(line), err: line => err.push(line) }, verbs)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Two verbs of which the second does what a test says. */
function verbs (act: Verb['run']): Verbs {
  const verb = (name: string, run: Verb['run']): Verb => ({ name, summary: `does ${name}`, help: `Usage: modelport ${name}`, run })
  return { idle: async () => verb('idle', async () => {}), act: async () => verb('act', act) }
}

async function failure (error: unknown): Promise<Ended> {
  return await modelport(['act'], verbs(async () => { throw error }))
}

const names = ['serve', 'import', 'inspect', 'verify', 'predict', 'batch', 'train', 'report', 'drift', 'etl', 'job', 'models', 'promote', 'rollback', 'diff', 'gc', 'publish', 'token']

describe('without a verb', () => {
  test.each(['--help', '-h', 'help'])('%s lists all of them', async flag => {
    const { code, out, err } = await modelport([flag])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(Array.from(out.matchAll(/^ {2}(\w+) +[A-Z].+$/gm), ([, name]) => name)).toEqual(names)
  })

  test('it is misuse, and the list stands where complaints do', async () => {
    const { code, out, err } = await modelport([])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toBe((await modelport(['--help'])).out)
  })
})

test.each(['nonsense', '', 'toString', '__proto__', '--json'])('%j is no verb, and the message names those there are', async name => {
  expect(await modelport([name])).toEqual({ code: 2, out: '', err: `modelport: there is no verb "${name}"; there are ${names.join(', ')}` })
})

describe.each(names)('%s', name => {
  test.each([['--help'], ['-h'], ['--unheard-of', '--help']])('explains itself with an example: %s', async (...flags) => {
    const { code, out, err } = await modelport([name, ...flags])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`^Usage: modelport ${name} `))
    expect(out).toMatch(new RegExp(`^Example:\n {2}.*modelport ${name} `, 'm'))
  })

  test('refuses a flag that it does not know, and says where help is', async () => {
    const { code, out, err } = await modelport([name, '--unheard-of'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('--unheard-of')
    expect(err).toContain(`modelport ${name} --help explains it`)
  })
})

describe('a verb', () => {
  test('is given what follows it, and has done its work when it returns', async () => {
    const seen: string[][] = []
    expect(await modelport(['act', '--flag', 'idle'], verbs(async args => { seen.push([...args]) }))).toEqual({ code: 0, out: '', err: '' })
    expect(seen).toEqual([['--flag', 'idle']])
  })

  test('is only loaded when it is called for', async () => {
    const { idle } = verbs(async () => {})
    expect(await modelport(['idle'], { idle: idle!, act: () => { throw new Error('was loaded') } })).toMatchObject({ code: 0 })
  })

  test('that was misused exits 2 with how', async () => {
    expect(await failure(new UsageError('--sub is missing'))).toEqual({ code: 2, out: '', err: 'modelport act: --sub is missing\nmodelport act --help explains it' })
  })

  test('whose flags cannot be parsed was misused', async () => {
    const { code, err } = await modelport(['act', '--port'], verbs(async args => { parseArgs({ args: [...args], options: { port: { type: 'string' } } }) }))
    expect(code).toBe(2)
    expect(err).toMatch(/^modelport act: .*--port.*\nmodelport act --help explains it$/)
  })

  test('that cannot do it exits 1 with one line', async () => {
    expect(await failure(new FatalError('there is no model "iris"'))).toEqual({ code: 1, out: '', err: 'modelport act: there is no model "iris"' })
  })

  test('that breaks exits 1 with the stack', async () => {
    const { code, err } = await failure(new TypeError('x is undefined'))
    expect(code).toBe(1)
    expect(err).toMatch(/^modelport act: TypeError: x is undefined\n +at .*main\.test\.ts/)
  })

  test.each([['a text'], [undefined], [null]])('that throws %j exits 1', async thrown => {
    expect(await failure(thrown)).toEqual({ code: 1, out: '', err: `modelport act: ${String(thrown)}` })
  })
})

describe('the process', () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

  function spawned (args: string[], env: Record<string, string> = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' })
    return { status, stdout, stderr }
  }

  test('exits with the code, and complains on stderr alone', () => {
    expect(spawned(['token', '--sub', 'alice'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'modelport token: No key to sign with: set JWT_PRIVATE_KEY or JWT_SECRET, the same as for the server\n',
    })
  })

  test('prints the answer on stdout', () => {
    const { status, stdout, stderr } = spawned(['token', '--sub', 'alice'], { JWT_SECRET: 'a secret of at least thirty-two bytes' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  })
})

test('package.json installs the command', () => {
  const { bin } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { bin: Record<string, string> }
  expect(Object.keys(bin)).toEqual(['modelport'])
  expect(readFileSync(new URL(`../../${bin['modelport']}`, import.meta.url), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
})
