import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaseBank } from '../../src/processes/lease-bank.ts'

const windowMs = 1000

test('all processes together are never given more than the limit in a window, and all of it when they ask for it', () => {
  const asks = fc.array(fc.record({ wanted: fc.integer({ min: 1, max: 200 }), unused: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 60 })
  fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 16 }), asks, (max, processes, all) => {
    const bank = new LeaseBank({ max, processes })
    let used = 0
    for (const { wanted, unused } of all) {
      const { granted, current, ttlMs } = bank.lease('anna', windowMs, wanted, 0)
      expect(ttlMs).toBe(windowMs)
      expect(current).toBe(used + granted)
      const back = Math.floor(granted * unused)
      bank.giveBack('anna', back, 0)
      used += granted - back
      expect(used).toBeLessThanOrEqual(max)
    }
    let granted: number
    do {
      ({ granted } = bank.lease('anna', windowMs, 1, 0))
      used += granted
    } while (granted > 0)
    expect(used).toBe(max)
  }))
})

test('a lease is for several requests while there is room, and for one near the limit', () => {
  const bank = new LeaseBank({ max: 1000, processes: 2 })
  expect(bank.lease('anna', windowMs, 1, 0).granted).toBe(62)
  const small = new LeaseBank({ max: 10, processes: 2 })
  expect(small.lease('anna', windowMs, 1, 0).granted).toBe(1)
})

test('callers do not share a limit, and a new window begins when the old one has ended', () => {
  const bank = new LeaseBank({ max: 3, processes: 2 })
  expect(bank.lease('anna', windowMs, 5, 0)).toEqual({ granted: 3, current: 3, ttlMs: 1000 })
  expect(bank.lease('anna', windowMs, 5, 400)).toEqual({ granted: 0, current: 3, ttlMs: 600 })
  expect(bank.lease('ben', windowMs, 1, 400).granted).toBe(1)
  expect(bank.lease('anna', windowMs, 5, 1000).granted).toBe(3)
})

test('what comes back after the window counts for nothing', () => {
  const bank = new LeaseBank({ max: 3, processes: 2 })
  bank.lease('anna', windowMs, 3, 0)
  bank.giveBack('anna', 3, 1000)
  expect(bank.lease('anna', windowMs, 3, 1000).granted).toBe(3)
  bank.giveBack('nobody', 3, 0)
  expect(bank.lease('nobody', windowMs, 9, 0).granted).toBe(3)
})
