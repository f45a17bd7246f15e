import { describe, expect, test } from 'vitest'
import { Registry } from '../../src/serving/registry.ts'
import { type Shelves, fakeHost, fakeStore, noteEvents, textOf } from './fakes.ts'

async function loaded (shelves: Shelves) {
  const host = fakeHost()
  const { events, told } = noteEvents()
  const registry = new Registry(fakeStore(shelves), host, events)
  await registry.load(undefined)
  told.length = 0
  const change = async (kind: 'load' | 'unload', model = 'm'): Promise<string> => await registry.change({ kind, model }).then(() => 'done', (error: Error) => error.message)
  const answer = async (ref: Parameters<Registry['resolve']>[0] = { name: 'm' }): Promise<string> => await textOf(registry.resolve(ref).engine)
  return { registry, host, told, change, answer }
}

describe('a load', () => {
  test('takes new versions, drops those that are gone and leaves the others as they are', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one', 2: 'two' } } }
    const { registry, host, told, change, answer } = await loaded(shelves)
    const kept = registry.resolve({ name: 'm', version: '2' })
    shelves['m'] = { versions: { 2: 'two', 3: 'three' } }
    expect(await change('load')).toBe('done')
    expect(await answer()).toBe('three')
    expect(registry.resolve({ name: 'm', version: '2' })).toBe(kept)
    expect(() => registry.resolve({ name: 'm', version: '1' })).toThrow('has no version "1"; it has 2, 3')
    expect(told).toEqual(['m 2 kept', 'm 3 loaded', 'm 1 unloaded'])
    await registry.close()
    expect(host.opened()).toEqual([])
  })

  test('opens a changed version anew, and frees the old one', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'old' } } }
    const { registry, host, told, change, answer } = await loaded(shelves)
    shelves['m']!.versions['1'] = 'new'
    expect(await change('load')).toBe('done')
    expect(await answer()).toBe('new')
    await expect.poll(() => host.opened()).toEqual(['new'])
    expect(told).toEqual(['m 1 loaded'])
    await registry.close()
  })

  test('reads aliases.json again', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one', 2: 'two' } } }
    const { change, answer } = await loaded(shelves)
    shelves['m']!.aliases = '{"production": "1", "next": {"version": "2"}}'
    expect(await change('load')).toBe('done')
    expect([await answer(), await answer({ name: 'm', alias: 'next' })]).toEqual(['one', 'two'])
  })

  test('brings a model that was not there at the start; the first of all is the default', async () => {
    const shelves: Shelves = {}
    const { registry, change, answer } = await loaded(shelves)
    shelves['m'] = { versions: { 1: 'one' } }
    expect(await change('load')).toBe('done')
    shelves['a'] = { versions: { 1: 'another' } }
    expect(await change('load', 'a')).toBe('done')
    expect(registry.list().map(({ name }) => name)).toEqual(['a', 'm'])
    expect([await answer({}), await answer({ name: 'a' })]).toEqual(['one', 'another'])
  })

  const before: Shelves[string] = { versions: { 1: 'one', 2: 'two' }, aliases: '{"production": "1"}' }
  test.each<[string, Shelves[string], string[]]>([
    ['the version that answers is broken', { ...before, versions: { 1: 'broken', 2: 'two' } }, ['1: BAD_MODEL']],
    ['production leads nowhere', { ...before, aliases: '{"production": "3"}' }, ['BAD_ALIASES: aliases.json: production is "3", and there is no such version']],
    ['production leads to a version that is broken', { versions: { ...before.versions, 3: 'broken' }, aliases: '{"production": "3"}' }, ['BAD_ALIASES: aliases.json: production is "3", which cannot be served', '3: BAD_MODEL']],
    ['aliases.json is not JSON', { ...before, aliases: '{' }, ['BAD_ALIASES: aliases.json: is not JSON']],
    ['there is no version any more', { versions: {} }, ['MISSING_FILE: the model has no version in the repository any more', '1: MISSING_FILE', '2: MISSING_FILE']],
    ['the new one is broken and the old one gone', { versions: { 3: 'broken' } }, ['1: MISSING_FILE: the version is no longer in the repository', '2: MISSING_FILE', '3: BAD_MODEL']],
  ])('leaves the old version answering where %s, and says so', async (_, after, reasons) => {
    const shelves: Shelves = { m: before }
    const { registry, host, change, answer } = await loaded(shelves)
    shelves['m'] = after
    const said = await change('load')
    expect(said).toMatch(/^m was not loaded in full: /)
    for (const reason of reasons) expect(said).toContain(reason)
    expect(said).toMatch(/1 answers\.$/)
    expect(await answer()).toBe('one')
    expect(registry.failures().map(({ version, reason }) => [version, reason].filter(Boolean).join(': '))).toEqual(reasons.map(reason => expect.stringMatching(reason.split(/(?<=[A-Z]): /)[0] ?? '')))
    // Whatever is open answers for some version.
    await expect.poll(() => host.opened().length).toBe(registry.documented().length)

    shelves['m'] = before
    expect(await change('load')).toBe('done')
    expect(registry.failures()).toEqual([])
    await expect.poll(() => host.opened().sort()).toEqual(['one', 'two'])
    await registry.close()
  })

  test('of a model that is not in the repository is refused, and of one that is gone, which goes on answering', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const { change, answer } = await loaded(shelves)
    expect(await change('load', 'x')).toBe('There is no model "x". The models are m.')
    expect(await change('load', '../m')).toBe('There is no model "../m". The models are m.')
    delete shelves['m']
    expect(await change('load')).toBe('m is not in the repository any more. What is loaded stays as it is: unload it if it should not.')
    expect(await answer()).toBe('one')
  })

  test('of a new model that is broken leaves nothing open and its reason in the list', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const { registry, host, told, change } = await loaded(shelves)
    shelves['x'] = { versions: { 1: 'broken' } }
    expect(await change('load', 'x')).toBe('x was not loaded in full: 1: BAD_MODEL: model.onnx: it is broken. No version answers for it.')
    expect(host.opened()).toEqual(['one'])
    expect(told).toEqual(['x 1 failed: model.onnx: it is broken'])
    expect(() => registry.resolve({ name: 'x' })).toThrow('x 1 cannot answer: it did not pass its checks (BAD_MODEL).')
  })

  test('waits for the one before of the same model, not for those of others', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } }, n: { versions: { 1: 'one' } } }
    const { registry, change } = await loaded(shelves)
    const first = await registry.prepare({ kind: 'load', model: 'm' })
    const order: string[] = []
    const second = change('load').then(() => order.push('second'))
    await change('load', 'n').then(() => order.push('other'))
    order.push('first')
    first.abort()
    await second
    expect(order).toEqual(['other', 'first', 'second'])
  })

  test('that is aborted leaves everything as it was', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'old' } } }
    const { registry, host, told, answer } = await loaded(shelves)
    shelves['m']!.versions['1'] = 'new'
    const change = await registry.prepare({ kind: 'load', model: 'm' })
    expect(host.opened()).toEqual(['old', 'new'])
    change.abort()
    expect(await answer()).toBe('old')
    await expect.poll(() => host.opened()).toEqual(['old'])
    expect(told).toEqual([])
  })
})

describe('an unload', () => {
  test('frees the model, which answers 503 until it is loaded again', async () => {
    const { registry, host, told, change, answer } = await loaded({ m: { versions: { 1: 'one', 2: 'broken' } }, n: { versions: { 1: 'other' } } })
    expect(await change('unload')).toBe('done')
    expect(() => registry.resolve({ name: 'm' })).toThrow('m 2 cannot answer: it was unloaded.')
    expect(() => registry.resolve({ name: 'm', version: '1' })).toThrow('m 1 cannot answer: it was unloaded.')
    expect(() => registry.resolve({ name: 'm', version: '3' })).toThrow('has no version "3"')
    await expect.poll(() => host.opened()).toEqual(['other'])
    expect(registry.failures()).toEqual([])
    expect(told).toEqual(['m 1 unloaded', 'm 2 unloaded'])
    expect(await change('unload')).toBe('done')
    expect(told).toHaveLength(2)
    expect(await change('load')).toMatch(/^m was not loaded in full: 2: BAD_MODEL/)
    expect(await answer()).toBe('one')
  })

  test('of the default model does not take the others out of service; of the only one it does', async () => {
    const { registry, change } = await loaded({ m: { versions: { 1: 'one' } } })
    expect(registry.ready).toBe(true)
    await change('unload')
    expect(registry.ready).toBe(false)
    expect(() => registry.resolve({})).toThrow('it was unloaded')

    const two: Shelves = { m: { versions: { 1: 'one' } } }
    const other = await loaded(two)
    two['n'] = { versions: { 1: 'two' } }
    await other.change('load', 'n')
    await other.change('unload')
    expect(other.registry.ready).toBe(true)
    expect(() => other.registry.resolve({})).toThrow('m 1 cannot answer: it was unloaded.')
  })

  test('of a model that is gone from the repository takes it from the list', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } }, n: { versions: { 1: 'two' } } }
    const { registry, host, change } = await loaded(shelves)
    delete shelves['n']
    expect(await change('unload', 'n')).toBe('done')
    expect(registry.list().map(({ name }) => name)).toEqual(['m'])
    await expect.poll(() => host.opened()).toEqual(['one'])
    expect(await change('unload', 'n')).toBe('There is no model "n". The models are m.')
  })

  test('waits for the requests under way before it frees anything', async () => {
    let go = (): void => {}
    let paused = false
    const pause = async (): Promise<void> => { if (paused) await new Promise<void>(resolve => { go = resolve }) }
    const host = fakeHost({ pause })
    const registry = new Registry(fakeStore({ m: { versions: { 1: 'one' } } }), host, noteEvents().events)
    await registry.load(undefined)
    const states = async () => (await registry.index()).map(({ state, reason }) => `${state} ${reason}`.trim())
    paused = true
    const answer = textOf(registry.resolve({ name: 'm' }).engine)
    paused = false
    await registry.change({ kind: 'unload', model: 'm' })
    await registry.change({ kind: 'unload', model: 'm' })
    expect([await states(), host.opened()]).toEqual([['UNLOADING'], ['one']])
    go()
    expect(await answer).toBe('one')
    await expect.poll(states).toEqual(['UNAVAILABLE unloaded'])
    expect(host.opened()).toEqual([])
  })
})

test('200 loads and unloads leave nothing behind', async () => {
  const shelves: Shelves = { m: { versions: { 1: 'one' } } }
  const { registry, host, change } = await loaded(shelves)
  for (let i = 0; i < 200; i++) {
    shelves['m'] = { versions: { [i]: `text ${i}`, [i + 1]: `text ${i + 1}` } }
    expect(await change(i % 3 === 0 ? 'unload' : 'load')).toBe('done')
  }
  expect(await change('load')).toBe('done')
  await expect.poll(() => host.opened().sort()).toEqual(['text 199', 'text 200'])
  expect(registry.list()).toHaveLength(1)
  expect([...registry.list()[0]!.versions.keys()]).toEqual(['199', '200'])
  await registry.close()
  expect(host.opened()).toEqual([])
})

describe('a process that comes later', () => {
  test('serves what the others serve, whatever else is in the repository by now', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' }, aliases: '{"a": "1"}' }, n: { versions: { 1: 'two' } } }
    const { registry, change } = await loaded(shelves)
    await change('unload', 'n')
    shelves['m'] = { versions: { 1: 'one', 2: 'new' }, aliases: '{"a": "2"}' }
    shelves['o'] = { versions: { 1: 'new' } }
    const later = new Registry(fakeStore(shelves), fakeHost(), noteEvents().events)
    await later.load(undefined, { resume: registry.state() })
    expect(later.state()).toEqual(registry.state())
    expect(later.ready).toBe(true)
    expect(() => later.resolve({ name: 'n' })).toThrow('it was unloaded')
  })

  test('takes the model for the default that the others do', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const { registry, change } = await loaded(shelves)
    shelves['a'] = { versions: { 1: 'two' } }
    await change('load', 'a')
    const later = new Registry(fakeStore(shelves), fakeHost(), noteEvents().events)
    await later.load(undefined, { resume: registry.state() })
    expect(later.list().map(({ name, isDefault }) => [name, isDefault])).toEqual([['a', false], ['m', true]])
  })

  test('starts even where the repository has lost what the others serve', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } }, n: { versions: { 1: 'two' } } }
    const { registry } = await loaded(shelves)
    const later = new Registry(fakeStore({ n: { versions: { 1: 'two' } } }), fakeHost(), noteEvents().events)
    await later.load('m', { resume: registry.state() })
    expect([await textOf(later.resolve({ name: 'n' }).engine), later.ready]).toEqual(['two', false])
  })
})

test('an alias that there is not is refused with those that there are', async () => {
  const { registry } = await loaded({ m: { versions: { 1: 'one' }, aliases: '{"production": "1", "canary": "2"}' } })
  expect(() => registry.resolve({ name: 'm', alias: 'x' })).toThrow('The model m has no alias "x"; it has production, canary.')
  expect(() => registry.resolve({ name: 'm', alias: 'toString' })).toThrow('has no alias "toString"')
  expect(() => registry.resolve({ name: 'm', alias: 'canary' })).toThrow('The model m has no version "2"; it has 1.')
})
