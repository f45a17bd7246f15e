import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ApiError } from '../../src/errors.ts'
import { Registry } from '../../src/serving/registry.ts'
import { type Shelves, fakeHost, fakeStore, noteEvents, textOf } from './fakes.ts'

type Kind = 'load' | 'unload' | 'predict' | 'write'

/** One operation, from its start to its end by a clock that counts every start and end. */
interface Done { readonly kind: Kind, readonly from: number, readonly to: number, readonly answer: string }

/** A change that no other, wholly between it and the moment, has undone, was current at that moment or about to be. */
function couldStand (change: Done, moment: number, all: readonly Done[]): boolean {
  if (change.from > moment) return false
  return !all.some(({ kind, from, to }) => (kind === 'load' || kind === 'unload') && from > change.to && to < moment)
}

/** The texts that stood on disk at some time while a load ran. */
function readBy (load: Done, all: readonly Done[]): string[] {
  const writes = all.filter(({ kind }) => kind === 'write')
  const before = writes.filter(({ from }) => from < load.from).at(-1)
  return [before, ...writes.filter(({ from }) => from > load.from && from < load.to)].flatMap(write => write === undefined ? [] : [write.answer])
}

test('every prediction is answered by a version that was current between its start and its end, and nothing stays open', async () => {
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(fc.constantFrom<Kind>('load', 'unload', 'predict', 'write', 'predict'), { minLength: 3, maxLength: 14 }), async (scheduler, kinds) => {
    const pause = async (): Promise<void> => { await scheduler.schedule(Promise.resolve()) }
    const shelves: Shelves = { m: { versions: { 1: 'text 0' } } }
    const host = fakeHost({ pause })
    const registry = new Registry(fakeStore(shelves, pause), host, noteEvents().events)
    await scheduler.waitFor(registry.load(undefined))

    let clock = 0
    let written = 0
    const all: Done[] = [{ kind: 'write', from: clock++, to: clock++, answer: 'text 0' }, { kind: 'load', from: clock++, to: clock++, answer: '' }]
    const operate = async (kind: Kind): Promise<string> => {
      if (kind === 'predict') return await textOf(registry.resolve({ name: 'm' }).engine)
      if (kind === 'write') return (shelves['m'] = { versions: { 1: `text ${++written}` } }).versions[1]
      await registry.change({ kind, model: 'm' })
      return ''
    }
    const run = async (kind: Kind): Promise<void> => {
      await pause()
      const from = clock++
      const answer = await operate(kind).catch((error: unknown) => (error as ApiError).code)
      all.push({ kind, from, to: clock++, answer })
    }
    await scheduler.waitFor(Promise.all(kinds.map(run)))
    all.sort((a, b) => a.from - b.from)

    for (const { kind, from, answer } of all) {
      if (kind !== 'predict') continue
      const current = all.filter(change => couldStand(change, from, all))
      const allowed = current.flatMap(change => change.kind === 'load' ? readBy(change, all) : change.kind === 'unload' ? ['MODEL_NOT_READY'] : [])
      expect(allowed).toContain(answer)
    }
    await scheduler.waitFor(registry.change({ kind: 'load', model: 'm' }))
    await scheduler.waitIdle()
    expect(host.opened()).toEqual([`text ${written}`])
    await registry.close()
    expect(host.opened()).toEqual([])
  }), { numRuns: 150 })
})
