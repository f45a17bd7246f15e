import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { configOf } from '../config.ts'
import { type Assumptions, type Bill, billOf, type Variant, variantOf, variants } from '../cost/bill.ts'
import { breakEven } from '../cost/break-even.ts'
import { cpuMicroseconds, cpuOf } from '../cost/measured.ts'
import { costOf, pricedRegions, pricesOf } from '../cost/prices.ts'
import { customMetrics } from '../cost/resources.ts'
import { emfDimensions, emfMetrics } from '../../src/monitor/emf-metrics.ts'

const assumptions: Assumptions = { versions: 1, classes: 3 }
const environments = { dev: configOf('dev'), staging: configOf('staging'), production: configOf('production') }
const us = pricesOf('us-east-1')

const configs = fc.constantFrom(...Object.values(environments))
const variantNames = fc.constantFrom(...variants)
const loads = fc.record({
  requestsPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 20_000, noNaN: true })),
  rowsPerRequest: fc.integer({ min: 1, max: 2000 }),
  hours: fc.integer({ min: 0, max: 730 }),
})

function lineOf (bill: Bill, what: string) {
  const line = bill.lines.find(line => line.what === what)
  if (!line) throw new Error(`no line ${what} among ${bill.lines.map(({ what }) => what).join(', ')}`)
  return line
}

describe('prices.json', () => {
  test('has the same prices for every region, each with a unit, a page, a date and a confidence that it explains', () => {
    const file = JSON.parse(readFileSync(new URL('../prices.json', import.meta.url), 'utf8')) as { confidence: Record<string, string> }
    for (const region of pricedRegions) {
      const { of } = pricesOf(region)
      expect(Object.keys(of)).toEqual(Object.keys(us.of))
      for (const [key, price] of Object.entries(of)) {
        expect(price.unit, key).toBe(us.of[key as keyof typeof us.of].unit)
        expect(price.source, key).toMatch(/^https:\/\/./)
        expect(price.date, key).toMatch(/^20\d\d(-[01]\d(-[0-3]\d)?)?$/)
        expect(Object.keys(file.confidence), key).toContain(price.confidence)
      }
    }
  })

  test('tiers begin where the one before ends, and a price is never below zero', () => {
    for (const region of pricedRegions) {
      for (const [key, { usd }] of Object.entries(pricesOf(region).of)) {
        const tiers = typeof usd === 'number' ? [{ usd }] : usd
        expect(tiers.every(tier => tier.usd > 0), key).toBe(true)
        const ends = tiers.map(tier => ('upTo' in tier ? tier.upTo : undefined) ?? Infinity)
        expect(ends, key).toEqual(ends.toSorted((a, b) => a - b))
        expect(ends.at(-1), key).toBe(Infinity)
      }
    }
  })

  test.each([
    [100, 100],
    [300, 300],
    [400, 300 + 100 * 0.9],
  ])('%d million requests to an HTTP API cost %d USD', (millions, usd) => {
    expect(costOf(us.of['http-api.million'], millions)).toBeCloseTo(usd, 8)
  })

  test('a region without prices is told at those of another, by name', () => {
    expect(pricesOf('ap-south-1').region).toBe('us-east-1')
    expect(pricesOf('eu-central-1').region).toBe('eu-central-1')
  })
})

describe('what was measured', () => {
  test('is what the benchmark says of modelport', () => {
    const results = readFileSync(new URL('../../bench/RESULTS.md', import.meta.url), 'utf8')
    const connections: Record<number, number> = { 1: 64, 100: 4, 1000: 4 }
    for (const { rows, microseconds } of cpuMicroseconds) {
      const name = `| ${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}, ${connections[rows]} connections |`
      const row = results.split('\n').find(line => line.startsWith(name))
      const cell = row?.split('|')[4]?.match(/\*\*([\d,.]+) µs\*\*/)?.[1]
      expect(Number(cell?.replaceAll(',', '')), name).toBe(microseconds)
    }
  })

  test('between the measured sizes CPU time lies on the line, beyond them it goes on', () => {
    expect(cpuOf(1)).toBe(34.2)
    expect(cpuOf(100)).toBe(259)
    expect(cpuOf(550)).toBeCloseTo((259 + 1545) / 2, 8)
    expect(cpuOf(1900)).toBeCloseTo(1545 + 1545 - 259, 8)
  })

  test('the metrics that are billed are those that the server sends', () => {
    const scopes = Object.values(emfMetrics).map(({ scope }) => scope)
    const times = (scope: keyof typeof emfDimensions, dimensions: number) =>
      scopes.filter(other => other === scope).length * emfDimensions[scope].filter(({ length }) => length === dimensions).length
    expect(customMetrics).toEqual({
      perService: times('service', 0), overAllVersions: times('version', 0), perVersion: times('version', 2), perClass: times('class', 3),
    })
  })
})

describe('a bill', () => {
  test.each<[keyof typeof environments, Variant, keyof typeof us.of, string, number]>([
    // 1 task of 0.5 vCPU for 730 h on Spot: 365 · 0.03238 · 0.32
    ['dev', 'fargate', 'fargate.arm64.vcpu-hour', 'Fargate vCPU, Spot', 3.7819840],
    // 2 tasks of 4 GB: 5840 · 0.00356
    ['staging', 'fargate', 'fargate.arm64.gb-hour', 'Fargate memory', 20.7904],
    // 3 tasks of 2 vCPU: 4380 · 0.03238
    ['production', 'fargate', 'fargate.arm64.vcpu-hour', 'Fargate vCPU', 141.8244],
    ['production', 'fargate', 'alb.hour', 'Load balancer', 16.425],
    // 50 a second for 730 h: 131.4 million
    ['production', 'fargate + http-api', 'http-api.million', 'API gateway, HTTP API', 131.4],
    ['production', 'fargate + rest-api', 'rest-api.million', 'API gateway, REST API', 459.9],
    ['production', 'fargate', 'waf.million', 'Web application firewall, requests', 78.84],
    ['production', 'fargate', 'valkey.gb-hour', 'Valkey, memory', 6.132],
    ['dev', 'fargate', 'nat.hour', 'NAT gateway', 32.85],
    ['dev', 'lambda + http-api', 'lambda.million', 'Lambda, requests', 26.28],
    // 0.0513 ms of CPU and 1 ms beside it bill 2 ms, a cold start in a thousand 1.5 ms more: 3.5 ms of 1.7275 GB
    ['dev', 'lambda + http-api', 'lambda.arm64.gb-second', 'Lambda, time', 131.4e6 * 0.0035 * (1769 / 1024) * 0.0000133334],
    // 131.4 million answers of 720 bytes and a row of 90
    ['dev', 'fargate', 'transfer-out.gb', 'Data out to the internet', 131.4e6 * 810 / 1e9 * 0.09],
  ])('of %s as %s at 50 requests a second has the line %s that one computes by hand', (environment, variant, price, what, usd) => {
    const bill = billOf(variant, environments[environment], { requestsPerSecond: 50, rowsPerRequest: 1, hours: 730 }, us, assumptions)
    expect(lineOf(bill, what)).toMatchObject({ price, usd: expect.closeTo(usd, 4) as number })
  })
})

describe('any bill', () => {
  test('grows with the load, whatever it is made of', () => {
    fc.assert(fc.property(configs, variantNames, loads, fc.double({ min: 1, max: 10, noNaN: true }), (config, variant, load, factor) => {
      const total = (requestsPerSecond: number) => billOf(variant, config, { ...load, requestsPerSecond }, us, assumptions).total
      expect(total(load.requestsPerSecond * factor)).toBeGreaterThanOrEqual(total(load.requestsPerSecond))
    }))
  })

  test('adds up, and no line is below zero', () => {
    fc.assert(fc.property(configs, variantNames, loads, (config, variant, load) => {
      const bill = billOf(variant, config, load, us, assumptions)
      expect(bill.lines.every(({ usd }) => usd >= 0)).toBe(true)
      expect(bill.total).toBeCloseTo(bill.lines.map(({ usd }) => usd).reduce((a, b) => a + b, 0), 6)
      const predictions = load.requestsPerSecond * load.rowsPerRequest * load.hours * 3600
      if (bill.perMillionPredictions !== undefined) expect(bill.perMillionPredictions * predictions / 1e6).toBeCloseTo(bill.total, 4)
      else expect(predictions).toBe(0)
    }))
  })

  test('has as many tasks as hold the CPU below its target', () => {
    fc.assert(fc.property(configs, loads, (config, load) => {
      const { sizing } = billOf('fargate', config, load, us, assumptions)
      if (!sizing || config.service === 'off') throw new Error('every environment of this repository has a service')
      const vcpusBusy = load.requestsPerSecond * sizing.cpuMicrosecondsPerRequest / 1e6
      expect(vcpusBusy).toBeLessThanOrEqual(sizing.tasks * config.service.cpu / 1024 * config.service.cpuTargetPercent / 100 * (1 + 1e-9))
      expect(sizing.exceedsMaximum).toBe(sizing.tasks > config.service.maxTasks)
    }))
  })

  test('takes a measured CPU time in place of the benchmark\'s', () => {
    const load = { requestsPerSecond: 1000, rowsPerRequest: 1, hours: 730 }
    const bill = billOf('fargate', environments.production, load, us, { ...assumptions, cpuMicroseconds: 10_000 })
    // 10 busy vCPUs at 55 % of 2 each.
    expect(bill.sizing).toMatchObject({ tasks: 10, because: 'cpu' })
  })

  test('is that of the environment as it is configured', () => {
    const { dev } = environments
    expect(variantOf(dev)).toBe('fargate + http-api')
    expect(variantOf({ ...dev, gateway: 'off' })).toBe('fargate')
    expect(variantOf({ ...dev, service: 'off' })).toBe('lambda + http-api')
  })
})

describe('the break-even', () => {
  test('is where the curves of Fargate and Lambda cross', () => {
    fc.assert(fc.property(configs, fc.integer({ min: 1, max: 500 }), fc.constantFrom('us-east-1', 'eu-central-1'), (config, rowsPerRequest, region) => {
      const at = (variant: Variant) => (requestsPerSecond: number) =>
        billOf(variant, config, { requestsPerSecond, rowsPerRequest, hours: 730 }, pricesOf(region), assumptions).total
      const fixed = at('fargate')
      const metered = at('lambda + http-api')
      const rate = breakEven(fixed, metered)
      if (rate === undefined) return
      expect(rate).toBeGreaterThan(0)
      expect(fixed(rate)).toBeLessThanOrEqual(metered(rate))
      expect(fixed(rate * 0.998)).toBeGreaterThan(metered(rate * 0.998))
    }), { numRuns: 30 })
  })

  test.each([
    ['two straight lines', (rate: number) => 100 + rate, (rate: number) => 5 * rate, 25],
    ['a stair that jumps over the other first', (rate: number) => 100 * (1 + Math.floor(rate / 10)), (rate: number) => 11 * rate, 100 / 11],
    ['what is never dearer', (rate: number) => rate, (rate: number) => 2 * rate, 0],
  ])('of %s', (_, fixed, metered, expected) => {
    expect(breakEven(fixed, metered)).toBeCloseTo(expected, 1)
  })

  test('is not there where what costs more at rest costs more for each request too', () => {
    expect(breakEven(rate => 100 + 2 * rate, rate => rate)).toBeUndefined()
  })
})
