import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Refusal, RepositoryChange } from '../../src/peers.ts'
import { ChangeDesk } from '../../src/processes/change-desk.ts'
import { Changes } from '../../src/processes/changes.ts'
import type { ToPrimary, ToServer } from '../../src/processes/messages.ts'
import { Registry } from '../../src/serving/registry.ts'
import { type FakeHost, type Shelves, fakeHost, fakeStore, noteEvents } from '../serving/fakes.ts'

interface Member { readonly registry: Registry, readonly host: FakeHost, readonly desk: ChangeDesk, silent: boolean }

type Deliver = (message: () => void) => void

/** A primary and its server processes, without processes: messages go through `deliver`, in order between each two. */
class Service {
  readonly members = new Map<number, Member>()
  readonly changes: Changes
  readonly logged: string[] = []
  readonly #shelves: Shelves
  readonly #deliver: Deliver
  #lastId = 0

  constructor (shelves: Shelves, deliver: Deliver = message => { queueMicrotask(message) }) {
    this.#shelves = shelves
    this.#deliver = deliver
    this.changes = new Changes({
      processes: () => [...this.members.keys()],
      send: (id, message) => { this.#deliver(() => { this.#toServer(id, message) }) },
      log: { error: (data, message) => { this.logged.push(`${message}: ${JSON.stringify(data)}`) } },
      prepareWaitMs: 5000,
      commitWaitMs: 1000,
    })
  }

  /** Starts a process, with or without memory for large models, as a replacement if others have started before. */
  async start ({ memory = true } = {}): Promise<number> {
    const id = ++this.#lastId
    const host = fakeHost({ memory })
    const registry = new Registry(fakeStore(this.#shelves), host, noteEvents().events)
    const tell = (message: ToPrimary): void => { this.#deliver(() => { this.#toPrimary(id, message) }) }
    const desk = new ChangeDesk(async (change: RepositoryChange) => {
      const { proposal, commit, abort } = await registry.prepare(change)
      return {
        proposal,
        commit: refused => ({ refusal: commit(refused), state: registry.stateOf(change.model), defaultModel: registry.state().defaultModel }),
        abort,
      }
    }, tell)
    this.members.set(id, { registry, host, desk, silent: false })
    await registry.load('m', { resume: this.changes.state() })
    tell({ kind: 'loaded', state: registry.state() })
    return id
  }

  kill (id: number): void {
    this.members.delete(id)
    this.changes.gone(id)
  }

  /** The different states that the processes are in. */
  states (): string[] {
    const texts = [...this.members.values()].map(({ registry }) => JSON.stringify([...registry.state().models]))
    return [...new Set(texts)]
  }

  opened (): string[][] {
    return [...this.members.values()].map(({ host }) => host.opened().sort())
  }

  #toServer (id: number, message: ToServer): void {
    const member = this.members.get(id)
    if (member === undefined || member.silent) return
    if (message.kind === 'prepare') member.desk.prepare(message.id, message.change)
    else if (message.kind === 'commit') member.desk.commit(message.id, message.refused)
    else if (message.kind === 'abort') member.desk.abort(message.id)
  }

  #toPrimary (id: number, message: ToPrimary): void {
    if (!this.members.has(id)) return
    if (message.kind === 'loaded') this.changes.loaded(message.state)
    else if (message.kind === 'prepared') this.changes.prepared(id, message.id, message.proposal)
    else if (message.kind === 'committed') this.changes.committed(id, message.id, message.committed)
  }
}

async function twoProcesses (shelves: Shelves, memory = true): Promise<Service> {
  const service = new Service(shelves)
  await service.start()
  await service.start({ memory })
  return service
}

const load = { kind: 'load', model: 'm' } as const
const unload = { kind: 'unload', model: 'm' } as const

describe('a change', () => {
  test('happens in every process', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const service = await twoProcesses(shelves)
    shelves['m'] = { versions: { 1: 'one', 2: 'two' } }
    expect(await service.changes.change(load)).toBeUndefined()
    expect(service.opened()).toEqual([['one', 'two'], ['one', 'two']])
    expect(await service.changes.change(unload)).toBeUndefined()
    await expect.poll(() => service.opened()).toEqual([[], []])
    expect(service.states()).toHaveLength(1)
  })

  test('leaves a version as it was in all where one process cannot open the new one, and takes the others', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one', 2: 'two' } } }
    const service = await twoProcesses(shelves, false)
    shelves['m'] = { versions: { 1: 'large', 2: 'changed' } }
    expect(await service.changes.change(load)).toEqual({
      code: 'LOAD_FAILED', headers: {}, message: 'm was not loaded in full: 1: BAD_MODEL: model.onnx: there is no memory left. 2 answers.',
    })
    await expect.poll(() => service.opened()).toEqual([['changed', 'one'], ['changed', 'one']])
    expect(service.states()).toHaveLength(1)
  })

  test('happens in none where the files change while the processes read them', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const service = await twoProcesses(shelves)
    shelves['m'] = { versions: { 1: 'two' } }
    const { registry } = service.members.get(2)!
    const held = await registry.prepare(load)
    const changing = service.changes.change(load)
    await expect.poll(() => service.opened()).toEqual([['one', 'two'], ['one', 'two']])
    shelves['m'] = { versions: { 1: 'three' } }
    held.abort()
    expect(await changing).toEqual({ code: 'LOAD_FAILED', message: 'The files of m changed while they were being read, so that nothing was changed; load it again.' })
    await expect.poll(() => service.opened()).toEqual([['one'], ['one']])
    expect(await service.changes.change(load)).toBeUndefined()
    await expect.poll(() => service.opened()).toEqual([['three'], ['three']])
  })

  test('of a model that there is not is refused, and leaves nothing that would hold up others', async () => {
    const service = await twoProcesses({ m: { versions: { 1: 'one' } } })
    expect(await service.changes.change({ kind: 'load', model: 'x' })).toMatchObject({ code: 'MODEL_NOT_FOUND' })
    expect(await service.changes.change({ kind: 'unload', model: 'x' })).toMatchObject({ code: 'MODEL_NOT_FOUND' })
    expect(await service.changes.change(load)).toBeUndefined()
  })

  test('goes on without a process that dies meanwhile', async () => {
    const service = await twoProcesses({ m: { versions: { 1: 'one' } } })
    const changing = service.changes.change(unload)
    service.kill(2)
    expect(await changing).toBeUndefined()
    expect(service.members.get(1)?.registry.stateOf('m')).toBe('unloaded')
  })

  test('that no process is left for says so', async () => {
    const service = await twoProcesses({ m: { versions: { 1: 'one' } } })
    const changing = service.changes.change(unload)
    service.kill(1)
    service.kill(2)
    expect(await changing).toMatchObject({ code: 'MODEL_NOT_READY', message: 'No server process is left that could do it; try again.' })
  })
})

describe('a process that does not answer', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  test('is waited for so long only, and then nothing has changed', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const service = await twoProcesses(shelves)
    service.members.get(2)!.silent = true
    shelves['m'] = { versions: { 1: 'two' } }
    const changing = service.changes.change(load)
    await vi.advanceTimersByTimeAsync(5000)
    expect(await changing).toMatchObject({ code: 'MODEL_NOT_READY', message: 'A server process has not answered within 5 s, so that nothing was changed; try again.' })
    await vi.advanceTimersByTimeAsync(0)
    expect(service.opened()).toEqual([['one'], ['one']])
    service.members.get(2)!.silent = false
    expect(await service.changes.change(load)).toBeUndefined()
    expect(service.states()).toHaveLength(1)
  })
})

describe('a process that comes later', () => {
  test('serves what the others do: unloaded models stay unloaded, new versions are not taken', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } }, n: { versions: { 1: 'other' } } }
    const service = await twoProcesses(shelves)
    await service.changes.change({ kind: 'unload', model: 'n' })
    shelves['m'] = { versions: { 1: 'one', 2: 'two' } }
    service.kill(1)
    await service.start()
    await expect.poll(() => service.opened()).toEqual([['one'], ['one']])
    expect(service.states()).toHaveLength(1)
  })

  test('brings the others to what it found where the files have changed', async () => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } } }
    const service = await twoProcesses(shelves)
    shelves['m'] = { versions: { 1: 'changed' } }
    service.kill(1)
    await service.start()
    await expect.poll(() => service.opened()).toEqual([['changed'], ['changed']])
    expect(service.states()).toHaveLength(1)
  })
})

test('whatever comes together, all processes serve the same in the end, and nothing else is open', async () => {
  const operations = fc.array(fc.oneof(
    fc.constantFrom<RepositoryChange>(load, unload, { kind: 'load', model: 'n' }, { kind: 'unload', model: 'n' }),
    fc.constantFrom('write', 'write large', 'kill', 'start')), { maxLength: 12 })
  await fc.assert(fc.asyncProperty(fc.scheduler(), operations, async (scheduler, list) => {
    const shelves: Shelves = { m: { versions: { 1: 'one' } }, n: { versions: { 1: 'other' } } }
    // One after another for all: order between two processes is kept, the moment is anybody's.
    let last: Promise<unknown> = Promise.resolve()
    const service = new Service(shelves, message => {
      last = last.then(() => scheduler.schedule(Promise.resolve())).then(message)
    })
    // A process that comes later has no old version to keep where another cannot open the new one: then they differ, and the log says so.
    await scheduler.waitFor(Promise.all([service.start(), service.start({ memory: list.includes('start') })]))
    let written = 0
    const refusals: (Refusal | undefined)[] = []
    const operate = async (operation: typeof list[number]): Promise<void> => {
      await scheduler.schedule(Promise.resolve())
      if (typeof operation === 'object') refusals.push(await service.changes.change(operation))
      else if (operation.startsWith('write')) shelves['m'] = { versions: { 1: `${operation.slice(6) || 'text'} ${++written}` } }
      else if (operation === 'start') await service.start()
      else if (service.members.size > 1) service.kill([...service.members.keys()].at(-1)!)
    }
    await scheduler.waitFor(Promise.all(list.map(operate)))
    await scheduler.waitIdle()
    for (const model of ['m', 'n']) await scheduler.waitFor(service.changes.change({ kind: 'load', model }))
    await scheduler.waitIdle()
    expect(service.states()).toHaveLength(1)
    for (const { registry, host } of service.members.values()) expect(host.opened()).toHaveLength(registry.documented().length)
  }), { numRuns: 100 })
})
