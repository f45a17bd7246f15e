import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { registry, scored } from './registry.ts'

/** A number that no process has: above what Linux gives. */
const dead = 2 ** 30
const versions = (...names: string[]) => Object.fromEntries(names.map(version => [`flower/${version}`, scored(version)]))
const nine = versions('1.0.0', '2.0.0', '3.0.0', '4.0.0', '5.0.0', '6.0.0', '7.0.0', '8.0.0', '9.0.0')

const left = async (path: string): Promise<string[]> => (await readdir(join(path, 'flower'))).sort()

describe('gc', () => {
  test('keeps what is newest, what an alias names and where a rollback leads; lists first, and removes with --yes', async () => {
    const { run, path } = await registry({ ...nine, 'flower/aliases.json': '{"shadow": {"version": "1.0.0"}}' })
    for (const version of ['2.0.0', '4.0.0', '5.0.0']) await run('promote', `flower@${version}`)
    const before = await left(path)
    const listed = ['flower 2.0.0', 'flower 3.0.0', 'flower 6.0.0']
    for (const flags of [[], ['--dry-run']]) {
      expect(await run('gc', 'flower', ...flags)).toEqual({ code: 0, err: '', out: [...listed, 'nothing is removed yet: --yes removes what is listed'].join('\n') })
    }
    expect(await left(path)).toEqual(before)
    expect(await run('gc', '--yes')).toEqual({ code: 0, err: '', out: [...listed, 'removed'].join('\n') })
    expect(await left(path)).toEqual(['1.0.0', '4.0.0', '5.0.0', '7.0.0', '8.0.0', '9.0.0', 'aliases.json', 'history.jsonl'])
    expect(await run('gc', '--yes')).toEqual({ code: 0, err: '', out: 'there is nothing to remove' })
    expect(await run('rollback', 'flower')).toMatchObject({ code: 0, out: expect.stringContaining('production is now 4.0.0') })
  })

  test('--keep, for machines', async () => {
    const { run, path } = await registry(versions('1.0.0', '2.0.0', '3.0.0'))
    expect(JSON.parse((await run('gc', '--keep', '1', '--json', '--yes')).out)).toEqual({ removed: true, models: [{ name: 'flower', versions: ['1.0.0', '2.0.0'], leftovers: [], stranded: [] }] })
    expect(await left(path)).toEqual(['3.0.0'])
  })

  test('keeps the version that answers where newer ones are broken', async () => {
    const { run } = await registry({ ...versions('1.0.0', '2.0.0'), 'flower/3.0.0': { 'manifest.json': '{}' } })
    expect((await run('gc', '--keep', '1')).out).toMatch(/^flower 1\.0\.0\nnothing/)
  })

  test('removes what dead writers have left, and nothing of living ones', async () => {
    const { run, path } = await registry({
      ...versions('1.0.0'),
      [`flower/.draft-${dead}-0c2d3be1a45f/model.onnx`]: 'x',
      [`flower/.gone-${dead}-0c2d3be1a45f/model.onnx`]: 'x',
      [`flower/.lock-${dead}-0c2d3be1a45f`]: 'x',
      [`flower/.old-${dead}-0c2d3be1a45f`]: scored('1.0.0'),
      [`flower/.draft-${process.pid}-aaaaaaaaaaaa/model.onnx`]: 'x',
      [`flower/.draft-${process.pid}-bbbbbbbbbbbb/model.onnx`]: 'x',
      'flower/.git/config': 'x',
    })
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000)
    await utimes(join(path, `flower/.draft-${process.pid}-bbbbbbbbbbbb`), hoursAgo, hoursAgo)
    expect((await run('gc', '--yes')).out.split('\n')).toHaveLength(6)
    expect(await left(path)).toEqual([`.draft-${process.pid}-aaaaaaaaaaaa`, '.git', '1.0.0'])
  })

  test('leaves the only copy of a version to a person', async () => {
    const { run, path } = await registry({ ...versions('1.0.0'), [`flower/.old-${dead}-0c2d3be1a45f`]: scored('2.0.0') })
    expect(await run('gc', '--yes')).toEqual({ code: 0, out: 'there is nothing to remove', err: expect.stringMatching(/^warning: .*\.old-\d+-0c2d3be1a45f holds version 2\.0\.0, which is nowhere else/) })
    expect(await left(path)).toHaveLength(2)
  })

  test.each<[what: string, file: string, text: string]>([
    ['aliases', 'aliases.json', '{'],
    ['a history', 'history.jsonl', 'x\n'],
  ])('removes nothing of a model with %s that it cannot read', async (_what, file, text) => {
    const { run, path } = await registry({ ...nine, [`flower/${file}`]: text })
    expect(await run('gc', '--yes')).toMatchObject({ code: 1, out: '', err: expect.stringContaining(file) })
    expect(await left(path)).toHaveLength(10)
  })

  test.each<[args: string[], code: number, message: string]>([
    [['flower@1.0.0'], 2, 'a model, not a version'],
    [['--keep', '0'], 2, '--keep must be a whole number of at least 1'],
    [['--yes', '--dry-run'], 2, 'exclude each other'],
    [['rose'], 1, 'there is no model "rose"'],
  ])('%j exits %d', async (args, code, message) => {
    const { run } = await registry(versions('1.0.0'))
    expect(await run('gc', ...args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})
