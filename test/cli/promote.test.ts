import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startApp } from '../helpers/app.ts'
import { regressionFiles } from '../helpers/models.ts'
import { registry, scored } from './registry.ts'

describe('promote', () => {
  test('lets production name the version, writes it down, and says what a server needs', async () => {
    const { run, aliases, history } = await registry({ 'flower/1.0.0': scored('1.0.0', { accuracy: 0.9 }), 'flower/1.1.0': scored('1.1.0', { accuracy: 0.95 }), 'flower/aliases.json': '{"production": "1.0.0", "canary": "1.1.0"}' })
    const { code, out, err } = await run('promote', 'flower@1.1.0', 'production', '--why', 'more rows')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')).toEqual([
      'flower: production is now 1.1.0, it was 1.0.0',
      'A server that runs goes on as before until it loads flower again: POST /v2/repository/models/flower/load (scope admin), or a restart.',
    ])
    expect(await aliases()).toEqual({ production: '1.1.0', canary: '1.1.0' })
    expect(await history()).toEqual([{
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), who: `ada@${hostname()}`, action: 'promote', alias: 'production', from: '1.0.0', to: '1.1.0', why: 'more rows', tool: expect.stringMatching(/^\d+\.\d+\.\d+/),
    }])
  })

  test('is seen by the server, which says nothing of the files beside the versions', async () => {
    const { run, path } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/2.0.0': scored('2.0.0') })
    await run('promote', 'flower@1.0.0')
    await writeFile(join(path, 'flower/.lock'), '{}')
    const server = await startApp({}, { MODELS_DIR: path })
    onTestFinished(() => server.close())
    expect((await server.get('/models')).body).toMatchObject({ models: [{ name: 'flower', serving: '1.0.0', versions: [{ version: '1.0.0' }, { version: '2.0.0' }] }] })
    expect(server.logs.filter(line => /ignored|history|lock/.test(JSON.stringify(line)))).toEqual([])
  })

  test('to where it is already changes nothing', async () => {
    const { run, history } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/aliases.json': '{"production": "1.0.0"}' })
    expect(await run('promote', 'flower@1.0.0')).toEqual({ code: 0, out: 'flower: production is 1.0.0 already', err: '' })
    expect(await history()).toEqual([])
  })

  test('--json and --who', async () => {
    const { run, history } = await registry({ 'flower/1.0.0': scored('1.0.0', { accuracy: 0.9 }), 'flower/2.0.0': scored('2.0.0', { accuracy: 0.9 }) })
    const { out } = await run('promote', 'flower@1.0.0', '--json', '--who', 'ci')
    expect(JSON.parse(out)).toEqual({ name: 'flower', alias: 'production', from: null, to: '1.0.0', changed: true, comparison: { metric: 'accuracy', present: 0.9, candidate: 0.9, loss: 0 } })
    expect(await history()).toMatchObject([{ who: 'ci', why: null, from: null }])
  })

  test('of another alias asks for no score', async () => {
    const { run, aliases } = await registry({ 'flower/1.0.0': scored('1.0.0', { accuracy: 0.9 }), 'flower/2.0.0': scored('2.0.0', { accuracy: 0.1 }), 'flower/aliases.json': '{"production": "1.0.0"}' })
    expect(await run('promote', 'flower@2.0.0', 'shadow')).toMatchObject({ code: 0, err: '' })
    expect(await aliases()).toEqual({ production: '1.0.0', shadow: '2.0.0' })
  })
})

test.each<[name: string, present: Record<string, number> | undefined, candidate: Record<string, number> | undefined, flags: string[], code: number, err: RegExp]>([
  ['a worse one is refused', { accuracy: 0.9 }, { accuracy: 0.85 }, [], 1, /scores worse: accuracy 0\.85 against 0\.9 of 1\.0\.0, more than the tolerance of 0\.01/],
  ['one that is just within is not', { accuracy: 0.9 }, { accuracy: 0.89 }, [], 0, /^$/],
  ['the tolerance is the caller\'s', { accuracy: 0.9 }, { accuracy: 0.85 }, ['--tolerance', '0.05'], 0, /^$/],
  ['--force takes it all the same, and says so', { accuracy: 0.9 }, { accuracy: 0.5 }, ['--force'], 0, /^warning: .*scores worse/],
  ['the next metric decides where one is missing', { accuracy: 0.9, f1_macro: 0.9 }, { f1_macro: 0.5 }, [], 1, /f1_macro 0\.5 against 0\.9/],
  ['without a common metric nothing is compared, and it says so', { accuracy: 0.9 }, undefined, [], 0, /no metric in common/],
])('by score: %s', async (_name, present, candidate, flags, code, err) => {
  const { run, aliases, history } = await registry({ 'flower/1.0.0': scored('1.0.0', present), 'flower/2.0.0': scored('2.0.0', candidate), 'flower/aliases.json': '{"production": "1.0.0"}' })
  const ended = await run('promote', 'flower@2.0.0', ...flags)
  expect(ended.code).toBe(code)
  expect(ended.err).toMatch(err)
  expect(await aliases()).toEqual({ production: code === 0 ? '2.0.0' : '1.0.0' })
  expect(await history()).toHaveLength(1 - code)
})

test('errors are compared as shares', async () => {
  const line = (version: string, rmse: number) => {
    const files = regressionFiles('line', version)
    return { ...files, 'manifest.json': { ...files['manifest.json'] as object, metrics: { rmse } } }
  }
  const { run } = await registry({ 'line/1': line('1', 1000), 'line/2': line('2', 1009), 'line/3': line('3', 1050), 'line/aliases.json': '{"production": "1"}' })
  expect(await run('promote', 'line@3')).toMatchObject({ code: 1, err: expect.stringContaining('rmse 1050 against 1000') })
  expect(await run('promote', 'line@2')).toMatchObject({ code: 0 })
})

test('a version that verify refuses is refused with all its faults, by force too', async () => {
  const broken = { ...scored('2.0.0'), 'golden.json': '{}', 'baseline.json': '{}' }
  const { run, aliases, history } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/2.0.0': broken })
  const { code, err } = await run('promote', 'flower@2.0.0', '--force')
  expect(code).toBe(1)
  expect(err).toMatch(/HASH_MISMATCH: golden\.json[^]*UNLISTED_FILE: baseline\.json[^]*cannot be served: nothing is changed/)
  expect([await aliases(), await history()]).toEqual([null, []])
})

test.each<[args: string[], code: number, message: string]>([
  [[], 2, 'NAME@VERSION'],
  [['flower'], 2, 'say which version'],
  [['flower@1.0.0', 'production', 'now'], 2, 'an argument too many'],
  [['flower@1.0.0', '../up'], 2, 'cannot be an alias'],
  [['flower@1.0.0', 'latest'], 2, 'latest is the highest'],
  [['flower@1.0.0', '--tolerance', 'much'], 2, '--tolerance must be a number'],
  [['flower@1.0.0', '--who', ''], 2, '--who is empty'],
  [['flower@9'], 1, 'flower has no version "9"; it has 1.0.0'],
  [['rose@1'], 1, 'there is no model "rose"'],
])('promote %j exits %d', async (args, code, message) => {
  const { run, aliases } = await registry({ 'flower/1.0.0': scored('1.0.0') })
  expect(await run('promote', ...args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  expect(await aliases()).toBeNull()
})

/** Changes as fast as it can, for ever or `count` times; one file, so that a child starts quickly. */
const worker = `
import { changeAlias, mendModel, readAliases } from './src/artifact/change-alias.ts'
const [folder, who, count] = process.argv.slice(2)
process.stdout.write('.')
for (let i = 0; i < Number(count);) {
  await mendModel(folder)
  const from = (await readAliases(folder)).production ?? null
  const done = await changeAlias(folder, { who, action: 'promote', alias: 'production', from, to: from === '1' ? '2' : '1', why: String(i), tool: '0' })
  if (!('overtakenBy' in done)) i++
}`

describe('real processes', { timeout: 60_000 }, () => {
  async function race () {
    const { path, ...rest } = await registry({ 'flower/1/model.onnx': '', 'flower/2/model.onnx': '' })
    const script = join(path, 'worker.mjs')
    await build({ stdin: { contents: worker, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' }, outfile: script, bundle: true, format: 'esm', platform: 'node', logLevel: 'error' })
    return { ...rest, folder: join(path, 'flower'), start: (who: string, count: number) => spawn(process.execPath, [script, join(path, 'flower'), who, `${count}`], { stdio: ['ignore', 'pipe', 'inherit'] }) }
  }

  /** Each line begins where the one before it ended, and the last is what holds. */
  function expectChain (lines: Record<string, unknown>[], aliases: unknown): void {
    lines.forEach(({ from }, i) => { expect(from).toBe(i === 0 ? null : lines[i - 1]!['to']) })
    expect(aliases).toEqual({ production: lines.at(-1)?.['to'] })
  }

  test('at once: all end, and the history has every line in the order in which they took effect', async () => {
    const { start, history, aliases, folder } = await race()
    const ends = await Promise.all(['a', 'b', 'c'].map(async who => await once(start(who, 20), 'exit')))
    expect(ends).toEqual([[0, null], [0, null], [0, null]])
    const lines = await history()
    expect(lines.map(({ who, why }) => `${String(who)}${String(why)}`).sort()).toEqual(['a', 'b', 'c'].flatMap(who => Array.from({ length: 20 }, (_, i) => `${who}${i}`)).sort())
    expectChain(lines, await aliases())
    expect((await readdir(folder)).filter(file => file.startsWith('.'))).toEqual([])
  })

  test('killed at any moment: the repository stays whole, and others go on', async () => {
    const { start, history, aliases } = await race()
    const count = async (): Promise<number> => (await history().catch(() => [])).length
    for (let round = 0; round < 6; round++) {
      const before = await count()
      const [child, other] = [start('victim', 1_000_000), start('other', 5)]
      const otherEnd = once(other, 'exit')
      // No clock: after so many changes, wherever in the next one that is.
      while (await count() < before + 1 + round) await new Promise(resolve => { setImmediate(resolve) })
      child.kill('SIGKILL')
      await once(child, 'exit')
      expect(await otherEnd).toEqual([0, null])
    }
    await once(start('last', 1), 'exit')
    const lines = await history()
    expect(lines.filter(({ who }) => who === 'other')).toHaveLength(30)
    expect(lines.at(-1)).toMatchObject({ who: 'last' })
    expectChain(lines, await aliases())
  })
})
