import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { changeAlias, mendModel, readAliases } from '../../src/artifact/change-alias.ts'
import { type Change, readHistory, trailOf } from '../../src/artifact/history.ts'
import { withModelLock } from '../../src/artifact/repository-lock.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-history-'))
  for (const version of ['1', '2', '3']) await mkdir(join(folder, version))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** A number that no process has: above what Linux gives. */
const deadPid = 2 ** 30

function change (from: string | null, to: string, different: Partial<Change> = {}): Omit<Change, 'at'> {
  return { who: 'ada', action: 'promote', alias: 'production', from, to, why: null, tool: '0', ...different }
}

async function steps (): Promise<string[]> {
  return (await readHistory(folder)).map(({ from, to }) => `${from}→${to}`)
}

const write = async (file: string, content: unknown): Promise<void> => await writeFile(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))

describe('a change', () => {
  test('is in aliases.json and in the history, and nothing else is left', async () => {
    await changeAlias(folder, change(null, '1', { why: 'first' }))
    expect(await readAliases(folder)).toEqual({ production: '1' })
    expect(await readHistory(folder)).toEqual([{ at: expect.any(String), who: 'ada', action: 'promote', alias: 'production', from: null, to: '1', why: 'first', tool: '0' }])
    expect((await readdir(folder)).sort()).toEqual(['1', '2', '3', 'aliases.json', 'history.jsonl'])
  })

  test('leaves the other aliases and the weight alone', async () => {
    await write('aliases.json', { production: '1', canary: { version: '2', weight: 0.1 } })
    await changeAlias(folder, change('2', '3', { alias: 'canary' }))
    expect(await readAliases(folder)).toEqual({ production: '1', canary: { version: '3', weight: 0.1 } })
  })

  test('that was decided on another state is none', async () => {
    await changeAlias(folder, change(null, '1'))
    expect(await changeAlias(folder, change(null, '2'))).toEqual({ overtakenBy: '1' })
    expect(await steps()).toEqual(['null→1'])
  })

  test.each([
    ['to a version that is gone', {}, '9', /version 9 is no longer there/],
    ['of aliases that are no JSON', { 'aliases.json': '{' }, '1', /aliases\.json: is not JSON.*mend/],
    ['after a change that nobody understands', { '.pending-change': '{}' }, '1', /\.pending-change: .*remove the file/],
    ['behind a lock that is none', { '.lock': 'mine' }, '1', /\.lock is not a lock of ours/],
  ])('%s is refused', async (_name, files, to, message) => {
    for (const [file, content] of Object.entries(files)) await write(file, content)
    await expect(changeAlias(folder, change(null, to))).rejects.toThrow(message)
    expect(await steps()).toEqual([])
  })
})

describe('after a crash', () => {
  const pending = { at: '2026-01-01T00:00:00.000Z', ...change('1', '2', { why: 'the one that crashed' }) }

  test('before aliases.json, nothing has happened', async () => {
    await write('aliases.json', { production: '1' })
    await write('.pending-change', pending)
    await mendModel(folder)
    expect(await steps()).toEqual([])
    expect(await readAliases(folder)).toEqual({ production: '1' })
  })

  test('after aliases.json, the line is written as it was meant', async () => {
    await write('aliases.json', { production: '2' })
    await write('.pending-change', pending)
    await changeAlias(folder, change('2', '3'))
    expect(await steps()).toEqual(['1→2', '2→3'])
    expect((await readHistory(folder))[0]).toEqual(pending)
  })

  test('after the line, it is not written twice', async () => {
    await write('aliases.json', { production: '2' })
    await write('.pending-change', pending)
    await write('history.jsonl', `${JSON.stringify(pending)}\n`)
    await mendModel(folder)
    expect(await steps()).toEqual(['1→2'])
    expect(await readdir(folder)).not.toContain('.pending-change')
  })

  test('within the line, it is written anew', async () => {
    const line = JSON.stringify(pending)
    await fc.assert(fc.asyncProperty(fc.nat({ max: line.length }), async length => {
      await write('aliases.json', { production: '2' })
      await write('.pending-change', pending)
      await write('history.jsonl', `${JSON.stringify({ ...pending, from: null, to: '1' })}\n${line.slice(0, length)}`)
      await mendModel(folder)
      await changeAlias(folder, change('2', '3'))
      expect(await steps()).toEqual(['null→1', '1→2', '2→3'])
    }), { numRuns: 25 })
  })
})

describe('the lock', () => {
  const owner = { id: 'abc', pid: deadPid, host: hostname(), at: new Date().toISOString() }

  test.each<[string, Partial<typeof owner>]>([
    ['a dead process', {}],
    ['a dead process with the number of this one', { pid: process.pid }],
    ['a process that has had it for an hour', { pid: 1, at: new Date(Date.now() - 3_600_000).toISOString() }],
    ['another machine an hour ago', { host: 'elsewhere', at: new Date(Date.now() - 3_600_000).toISOString() }],
  ])('of %s is taken over', async (_name, different) => {
    await write('.lock', { ...owner, ...different })
    await changeAlias(folder, change(null, '1'))
    expect((await readdir(folder)).filter(file => file.startsWith('.'))).toEqual([])
  })

  test('is taken over from one that died while it took over', async () => {
    await write('.lock', owner)
    await write('.lock-after-abc', { ...owner, id: 'def' })
    await changeAlias(folder, change(null, '1'))
    expect((await readdir(folder)).filter(file => file.startsWith('.'))).toEqual([])
  })

  test('of a dead process goes to one at a time', async () => {
    let inside = 0
    const most: number[] = []
    for (let round = 0; round < 5; round++) {
      await write('.lock', { ...owner, id: `${round}` })
      await Promise.all(Array.from({ length: 8 }, () => withModelLock(folder, async () => {
        most.push(++inside)
        await readdir(folder)
        inside--
      })))
    }
    expect(most).toEqual(new Array(40).fill(1))
  })
})

describe('the trail of an alias', () => {
  const promote = (from: string | null, to: string): Change => ({ at: '', ...change(from, to) })
  const rollback = (from: string, to: string): Change => ({ at: '', ...change(from, to, { action: 'rollback' }) })

  test.each<[string, Change[], string | undefined, string[]]>([
    ['is empty without changes', [], undefined, []],
    ['knows what was there before the first', [promote('1', '2')], '2', ['1', '2']],
    ['goes back by a rollback, not to and fro', [promote(null, '1'), promote('1', '2'), promote('2', '3'), rollback('3', '2')], '2', ['1', '2']],
    ['goes on after a rollback', [promote(null, '1'), promote('1', '2'), rollback('2', '1'), promote('1', '3')], '3', ['1', '3']],
    ['takes a rollback to something new for a step', [promote('1', '2'), rollback('2', '3')], '3', ['1', '2', '3']],
    ['ends with what somebody wrote by hand', [promote('1', '2')], '9', ['1', '2', '9']],
    ['leaves other aliases out', [promote('1', '2'), { ...promote('2', '3'), alias: 'canary' }], '2', ['1', '2']],
  ])('%s', (_name, changes, current, trail) => {
    expect(trailOf(changes, 'production', current)).toEqual(trail)
  })
})

test('a line that is none is named', async () => {
  await write('history.jsonl', '\n{"at": 5}\n')
  await expect(readHistory(folder)).rejects.toThrow(/history\.jsonl: line 2: .*mend the line/)
  expect(await readFile(join(folder, 'history.jsonl'), 'utf8')).toContain('{"at": 5}')
})
