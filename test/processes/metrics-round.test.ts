import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Snapshot } from '../../src/monitor/snapshot.ts'
import type { ToServer } from '../../src/processes/messages.ts'
import { MetricsRound } from '../../src/processes/metrics-round.ts'

const waitMs = 1000

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

/** What a process has counted, recognisable by its load time. */
function counted (count: number): Snapshot {
  return { versions: [{ name: 'm', version: '1', ready: true, refused: false, loaded: { loadMs: count, counts: undefined as never } }], queued: [{ name: 'm', version: '1', rows: 1 }], http: new Map(), runtime: [] }
}

function countOf ({ versions }: Snapshot): number {
  return versions[0]?.loaded?.loadMs ?? 0
}

/** A primary and its processes, without processes: each counts, and answers at once, late or never. */
class Service {
  readonly round: MetricsRound
  readonly told: { readonly by: number, readonly taken: readonly Snapshot[] }[] = []
  readonly counts = new Map<number, number>()
  answers: 'at once' | 'late' = 'at once'

  constructor (processes: number) {
    for (let id = 1; id <= processes; id++) this.counts.set(id, 0)
    this.round = new MetricsRound({ processes: () => [...this.counts.keys()], send: (id, message) => { this.#hear(id, message) }, waitMs })
  }

  kill (id: number): void {
    this.counts.delete(id)
    this.round.gone(id)
  }

  total (): number {
    return this.told.flatMap(({ taken }) => taken).reduce((sum, snapshot) => sum + countOf(snapshot), 0)
  }

  #hear (id: number, message: ToServer): void {
    if (message.kind === 'write') this.told.push({ by: id, taken: message.taken })
    if (message.kind !== 'take' || !this.counts.has(id)) return
    const snapshot = counted(this.counts.get(id)!)
    this.counts.set(id, 0)
    setTimeout(() => { this.round.taken(id, message.id, snapshot) }, this.answers === 'late' ? 2 * waitMs : 1)
  }
}

test('one process tells what all have counted, at every interval', async () => {
  const service = new Service(3)
  service.round.start(60_000)
  service.counts.set(2, 5).set(3, 7)
  await vi.advanceTimersByTimeAsync(60_010)
  service.counts.set(1, 1)
  await vi.advanceTimersByTimeAsync(60_000)
  service.round.stop()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(service.told.map(({ by, taken }) => [by, taken.map(countOf)])).toEqual([[1, [0, 5, 7]], [1, [1, 0, 0]]])
})

test('what comes too late is told the next time, without what was true at that moment only', async () => {
  const service = new Service(2)
  service.counts.set(1, 3).set(2, 4)
  service.answers = 'late'
  const first = service.round.tell()
  await vi.advanceTimersByTimeAsync(3 * waitMs)
  await first
  expect(service.told).toEqual([])
  service.answers = 'at once'
  const second = service.round.tell()
  await vi.advanceTimersByTimeAsync(10)
  await second
  expect(service.told.map(({ taken }) => taken.map(snapshot => [countOf(snapshot), snapshot.queued.length]))).toEqual([[[3, 0], [4, 0], [0, 1], [0, 1]]])
})

test('nothing is told twice or forgotten, whoever is slow, but for what a killed process takes along', async () => {
  const step = fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 9 }), by: fc.integer({ min: 1, max: 3 }) }),
    fc.constantFrom('tell' as const, 'late' as const, 'at once' as const))
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
    const service = new Service(3)
    let all = 0
    for (const one of [...steps, 'at once', 'tell', 'tell'] as typeof steps) {
      if (one === 'tell') {
        const told = service.round.tell()
        await vi.advanceTimersByTimeAsync(3 * waitMs)
        await told
      } else if (typeof one === 'string') {
        service.answers = one
      } else {
        all += one.count
        service.counts.set(one.by, (service.counts.get(one.by) ?? 0) + one.count)
      }
    }
    expect(service.total()).toBe(all)
  }), { numRuns: 50 })
})

test('a process that dies is not waited for, and another one tells', async () => {
  const service = new Service(2)
  service.counts.set(2, 4)
  const round = service.round.tell()
  service.kill(1)
  await vi.advanceTimersByTimeAsync(10)
  await round
  expect(service.told.map(({ by, taken }) => [by, taken.map(countOf)])).toEqual([[2, [4]]])
})
