import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { registry, scored } from './registry.ts'

const three = { 'flower/1.0.0': scored('1.0.0'), 'flower/2.0.0': scored('2.0.0'), 'flower/3.0.0': scored('3.0.0') }

describe('rollback', () => {
  test('goes back to what was before the last promote, and again to what was before that', async () => {
    const { run, aliases, history } = await registry({ ...three, 'flower/aliases.json': '{"production": "1.0.0"}' })
    await run('promote', 'flower@2.0.0')
    await run('promote', 'flower@3.0.0')
    const { code, out, err } = await run('rollback', 'flower', '--why', 'drift')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^flower: production is now 2\.0\.0, it was 3\.0\.0\nA server that runs/)
    expect(JSON.parse((await run('rollback', 'flower', '--json')).out)).toEqual({ name: 'flower', alias: 'production', from: '2.0.0', to: '1.0.0' })
    expect(await aliases()).toEqual({ production: '1.0.0' })
    expect((await history()).slice(-2)).toMatchObject([{ action: 'rollback', from: '3.0.0', to: '2.0.0', why: 'drift' }, { action: 'rollback', from: '2.0.0', to: '1.0.0', why: null }])
    expect(await run('rollback', 'flower')).toMatchObject({ code: 1, err: expect.stringContaining('has had no other production than 1.0.0, by its history: say which version with --to; there are 1.0.0, 2.0.0, 3.0.0') })
  })

  test('--to goes anywhere', async () => {
    const { run, aliases } = await registry(three)
    expect(await run('rollback', 'flower', '--to', '2.0.0')).toMatchObject({ code: 0, out: expect.stringContaining('flower: production is now 2.0.0; there was none before') })
    expect(await aliases()).toEqual({ production: '2.0.0' })
  })

  test('is refused where the version is broken', async () => {
    const { run, path, aliases } = await registry(three)
    await run('promote', 'flower@1.0.0')
    await run('promote', 'flower@2.0.0')
    await rm(join(path, 'flower/1.0.0/preprocessor.json'))
    expect(await run('rollback', 'flower')).toMatchObject({ code: 1, err: expect.stringMatching(/MISSING_FILE: preprocessor\.json[^]*nothing is changed/) })
    await rm(join(path, 'flower/1.0.0'), { recursive: true })
    expect(await run('rollback', 'flower')).toMatchObject({ code: 1, err: expect.stringContaining('production was 1.0.0 before, which is no longer there: say which version with --to; there are 2.0.0, 3.0.0') })
    expect(await aliases()).toEqual({ production: '2.0.0' })
  })

  test.each<[args: string[], code: number, message: string]>([
    [[], 2, 'which model is missing'],
    [['flower@1.0.0'], 2, 'a model, not a version: flower --to 1.0.0'],
    [['flower', '--to', '9'], 1, 'flower has no version "9"'],
    [['flower'], 1, 'flower has no production, by its history: say which version with --to'],
    [['rose'], 1, 'there is no model "rose"'],
  ])('%j exits %d', async (args, code, message) => {
    const { run, aliases } = await registry(three)
    expect(await run('rollback', ...args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
    expect(await aliases()).toBeNull()
  })
})
