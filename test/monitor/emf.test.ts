import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBuckets, durationBounds, observe } from '../../src/monitor/buckets.ts'
import { type EmfDocument, type Distribution, distribution, emfLines } from '../../src/monitor/emf.ts'
import { type EmfMetricName, emfDimensions, emfMetrics } from '../../src/monitor/emf-metrics.ts'
import { Monitor } from '../../src/monitor/monitor.ts'
import { type Outcome, outcomes } from '../../src/monitor/outcome.ts'
import { halfWindow } from '../../src/monitor/window.ts'
import { type EmfLine, readEmf } from './emf-line.ts'
import { houses, housesBaseline, shop, shopBaseline, trainingLike } from './shop.ts'

const namespace = 'modelport'
const timings = { validateMs: 0.1, preprocessMs: 0.2, queueMs: 0.3, runMs: 0.4, postprocessMs: 0.5, totalMs: 1.5 }
const state = { ready: true, hasLoop: true }

function watch (monitor: Monitor, manifest = shop, baseline = shopBaseline) {
  return monitor.watch({ manifest, baseline, aliases: ['production'], loadMs: 10 })
}

async function linesOf (monitor: Monitor, told: typeof state | 'at the end' = state): Promise<EmfLine[]> {
  return monitor.emf([await monitor.taken()], namespace, told === 'at the end' ? undefined : told).map(line => readEmf(line, namespace))
}

/** The value of one metric under one set of dimensions; undefined where it is not told. */
function value (lines: readonly EmfLine[], name: EmfMetricName, dimensions: Record<string, string> = {}): number | Distribution | undefined {
  const wanted = JSON.stringify(dimensions)
  return lines.find(({ names, dimensionSets }) => names.includes(name) && dimensionSets.some(set => JSON.stringify(set) === wanted))?.values[name]
}

const ofShop = { model: 'shop', version: '1.0.0' }

describe('the distribution of a histogram', () => {
  const durations = fc.array(fc.double({ min: 1e-6, max: 20, noNaN: true }), { minLength: 1, maxLength: 300 })

  test('has every observation within its bucket, and their exact sum', () => {
    fc.assert(fc.property(durations, seconds => {
      const buckets = createBuckets(durationBounds)
      for (const one of seconds) observe(buckets, one)
      const { Values, Counts, Count, Sum } = distribution(buckets, 1000)!
      expect(Count).toBe(seconds.length)
      expect(Sum / 1000).toBeCloseTo(seconds.reduce((sum, one) => sum + one, 0), 3)
      const again = createBuckets(durationBounds)
      Values.forEach((one, i) => { for (let time = 0; time < Counts[i]!; time++) observe(again, Math.min(one / 1000, 10.1)) })
      // What exceeds every bound is told as the last of them.
      const overflow = buckets.counts.at(-1)!
      expect([...again.counts.slice(0, -2)]).toEqual([...buckets.counts.slice(0, -2)])
      expect(again.counts.at(-2)! + again.counts.at(-1)!).toBe(buckets.counts.at(-2)! + overflow)
    }))
  })

  test('has percentiles that are off by a fifth of a bucket at most', () => {
    const evenly = createBuckets(durationBounds)
    // From 2.5 to 5 ms, as a bucket has it.
    for (let i = 0; i < 1000; i++) observe(evenly, (2.5 + 2.5 * (i + 0.5) / 1000) / 1000)
    const { Values, Counts } = distribution(evenly, 1000)!
    let seen = 0
    const p99 = Values.find((_, i) => (seen += Counts[i]!) >= 990)!
    expect(Math.abs(p99 - 4.975)).toBeLessThanOrEqual(0.5)
  })

  test('is nothing where nothing was observed', () => {
    expect(distribution(createBuckets(durationBounds))).toBeUndefined()
  })
})

describe('what is told', () => {
  test('is every metric of the table under its dimensions, and no other', async () => {
    const monitor = new Monitor()
    const { rows, predictions } = trainingLike(halfWindow.minimumRows)
    const watched = watch(monitor)
    watched.request('predict', 'ok', timings, 2)
    watched.predictions(rows, predictions)
    // Of numbers that are predicted there is a test that classes have not.
    watch(monitor, houses, housesBaseline).predictions(rows.map(() => [7]), predictions)
    monitor.queuedRows(() => [{ name: shop.name, version: shop.version, rows: 3 }])
    monitor.httpResponse('POST', '/predict', 200, 0.001)
    const told = (await linesOf(monitor)).flatMap(({ names, dimensionSets }) => names.flatMap(name => dimensionSets.map(set => `${name} ${Object.keys(set).join()}`)))
    const table = Object.entries(emfMetrics).flatMap(([name, { scope }]) => emfDimensions[scope].map(set => `${name} ${set.join()}`))
    expect([...new Set(told)].sort()).toEqual(table.sort())
  })

  test('is what happened since the last time', async () => {
    const monitor = new Monitor()
    const watched = watch(monitor)
    const counts = async () => {
      const lines = await linesOf(monitor)
      return [value(lines, 'Requests', ofShop), value(lines, 'RequestsInvalid', ofShop), value(lines, 'Rows', ofShop), value(lines, 'HttpRequests'), (value(lines, 'RunDuration', ofShop) as Distribution | undefined)?.Count]
    }
    watched.request('predict', 'ok', timings, 5)
    watched.request('oip', 'invalid', undefined, 0)
    monitor.httpResponse('POST', '/predict', 200, 0.1)
    expect(await counts()).toEqual([2, 1, 5, 1, 1])
    expect(await counts()).toEqual([0, 0, 0, 0, undefined])
    watched.request('predict', 'ok', timings, 7)
    expect(await counts()).toEqual([1, 0, 7, 0, 1])
    // Other files under the same name have counted nothing yet.
    monitor.forget(shop.name, shop.version)
    watch(monitor).request('predict', 'ok', timings, 2)
    expect(await counts()).toEqual([1, 0, 2, 0, 1])
  })

  test('adds up to all that was counted, however often it is taken', async () => {
    const step = fc.oneof(fc.constantFrom(...outcomes), fc.constant('take' as const))
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const monitor = new Monitor()
      const watched = watch(monitor)
      let told = 0
      let sum = 0
      const take = async (): Promise<void> => {
        const lines = await linesOf(monitor, 'at the end')
        told += value(lines, 'Requests', ofShop) as number
        sum += (value(lines, 'RequestDuration', ofShop) as Distribution | undefined)?.Sum ?? 0
      }
      for (const one of steps) {
        if (one === 'take') await take()
        else watched.request('predict', one, timings, 1)
      }
      await take()
      const requests = steps.filter(one => one !== 'take').length
      expect(told).toBe(requests)
      expect(sum).toBeCloseTo(1.5 * requests, 6)
    }), { numRuns: 30 })
  })

  test('is the sum of all processes, their worst loop and all their memory', async () => {
    const [one, other] = [new Monitor(), new Monitor()]
    for (const [monitor, rows] of [[one, 3], [other, 4]] as const) {
      const watched = watch(monitor)
      watched.request('predict', 'ok', timings, rows)
      watched.predictions(Array.from({ length: rows }, () => [1, 'pro']), new Array<number>(rows).fill(1))
      monitor.httpResponse('POST', '/predict', 503, 0.2)
      monitor.queuedRows(() => [{ name: shop.name, version: shop.version, rows }])
    }
    const taken = [await one.taken(), await other.taken()]
    const lines = one.emf(taken, namespace, state).map(line => readEmf(line, namespace))
    expect(value(lines, 'Requests')).toBe(2)
    expect(value(lines, 'Rows', ofShop)).toBe(7)
    expect(value(lines, 'QueueRows', ofShop)).toBe(7)
    expect(value(lines, 'Http5xx')).toBe(2)
    expect(value(lines, 'Predictions', { ...ofShop, class: 'leaves' })).toBe(7)
    const resident = taken.map(({ runtime }) => runtime.find(({ name }) => name === 'process_resident_memory_bytes')!.values[0]!.value)
    expect(value(lines, 'ResidentMemory')).toBe(resident[0]! + resident[1]!)
  })

  test.each<[Outcome, EmfMetricName]>([
    ['ok', 'RequestsOk'], ['partial', 'RequestsPartial'], ['invalid', 'RequestsInvalid'], ['timeout', 'RequestsTimeout'],
    ['overloaded', 'RequestsOverloaded'], ['cancelled', 'RequestsCancelled'], ['error', 'RequestsError'],
  ])('of a request that ended in %s is in %s', async (outcome, name) => {
    const monitor = new Monitor()
    watch(monitor).request('predict', outcome, undefined, 0)
    const lines = await linesOf(monitor)
    expect(value(lines, name, ofShop)).toBe(1)
    expect(value(lines, name)).toBe(1)
  })

  test.each([['/health/ready', 0], ['/v2/health/live', 0], ['/ping', 0], ['/metrics', 0], ['/docs/json', 0], ['/redoc', 0], ['/predict', 1], ['/models', 1], ['unmatched', 1]])('of the route %s is HttpRequests %i', async (route, count) => {
    const monitor = new Monitor()
    monitor.httpResponse('GET', route, 404, 0.001)
    const lines = await linesOf(monitor)
    expect([value(lines, 'HttpRequests'), value(lines, 'Http4xx')]).toEqual([count, count])
  })

  test('is drift as soon as there are rows enough, of the worst feature', async () => {
    const monitor = new Monitor()
    const watched = watch(monitor)
    expect(value(await linesOf(monitor), 'FeatureDriftPsi')).toBeUndefined()
    const rows = Array.from({ length: 400 }, (_, i) => [5 + 10 * (i % 5), null])
    watched.predictions(rows, new Array<number>(400).fill(0))
    const lines = await linesOf(monitor)
    expect(value(lines, 'FeatureDriftPsi', ofShop)).toBeGreaterThan(5)
    expect(value(lines, 'FeatureDriftKs')).toBeLessThan(0.01)
    expect(value(lines, 'MissingRatio')).toBe(1)
    expect(value(lines, 'PredictionDriftJs')).toBeGreaterThan(0.1)
  })

  test('of a version whose files were refused is that it does not serve', async () => {
    const monitor = new Monitor()
    watch(monitor)
    monitor.refused('shop', '2.0.0')
    const lines = await linesOf(monitor)
    const refused = { model: 'shop', version: '2.0.0' }
    expect([value(lines, 'VersionReady', refused), value(lines, 'LoadFailed', refused), value(lines, 'Requests', refused)]).toEqual([0, 1, undefined])
    expect([value(lines, 'VersionReady', ofShop), value(lines, 'LoadFailed', ofShop)]).toEqual([1, 0])
  })

  test('at the end of a process is what it counted, and no state', async () => {
    const monitor = new Monitor()
    watch(monitor).request('predict', 'ok', timings, 1)
    const lines = await linesOf(monitor, 'at the end')
    expect(value(lines, 'Requests')).toBe(1)
    for (const name of ['ServiceReady', 'VersionReady', 'ResidentMemory', 'EventLoopDelay'] as const) expect(value(lines, name)).toBeUndefined()
  })

  test('where the process stands still says nothing of its loop', async () => {
    const lines = await linesOf(new Monitor(), { ready: false, hasLoop: false })
    expect([value(lines, 'ServiceReady'), value(lines, 'EventLoopDelay')]).toEqual([0, undefined])
  })

  test('of a regression is its rows, and no class', async () => {
    const monitor = new Monitor()
    const watched = watch(monitor, houses, housesBaseline)
    watched.request('predict', 'ok', timings, 2)
    watched.predictions([[10], [20]], [1, 2])
    const lines = await linesOf(monitor)
    expect(value(lines, 'Rows', { model: 'houses', version: '2' })).toBe(2)
    expect(lines.flatMap(({ names }) => names)).not.toContain('Predictions')
  })

  test('can stand in CloudWatch whatever the labels are, and their number is bounded', async () => {
    const labels = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 120 })
    await fc.assert(fc.asyncProperty(labels, async names => {
      const monitor = new Monitor()
      const watched = watch(monitor, { ...shop, labels: names })
      watched.predictions(names.map(() => [1, 'pro']), names.map((_, i) => i))
      const classes = (await linesOf(monitor)).filter(({ names }) => names.includes('Predictions'))
      expect(classes.length).toBeLessThanOrEqual(51)
      expect(classes.reduce((sum, { values }) => sum + Number(values['Predictions']), 0)).toBe(names.length)
    }), { numRuns: 20 })
  })
})

test('a line holds as much as fits, and what is no number is left out', () => {
  const names = Object.keys(emfMetrics) as EmfMetricName[]
  const buckets = createBuckets(durationBounds)
  buckets.counts.fill(7_000_003)
  const full = distribution(buckets, 1000)!
  const metric = fc.tuple(fc.constantFrom(...names), fc.oneof(fc.double(), fc.constant(full)))
  fc.assert(fc.property(fc.uniqueArray(metric, { selector: ([name]) => name, minLength: 1 }), metrics => {
    const document: EmfDocument = { scope: 'version', dimensions: { model: 'm'.repeat(64), version: 'v'.repeat(64) }, metrics }
    const long = 'n'.repeat(255)
    const lines = emfLines([document], long, 1_795_240_800_000).map(line => readEmf(line, long))
    expect(lines.flatMap(({ names }) => names)).toEqual(metrics.filter(([, one]) => typeof one !== 'number' || Number.isFinite(one)).map(([name]) => name))
  }), { numRuns: 30 })
})
