import { describe, expect, test } from 'vitest'
import { Monitor } from '../../src/monitor/monitor.ts'
import { parseSeries, parseTypes, valueOf } from './prometheus-text.ts'
import { houses, housesBaseline, shop, shopBaseline, trainingLike } from './shop.ts'

const timings = { validateMs: 0.02, preprocessMs: 0.01, queueMs: 0.2, runMs: 3, postprocessMs: 0.04, totalMs: 3.3 }
const version = { model: 'shop', version: '1.0.0' }

function watchShop (monitor: Monitor, aliases: readonly string[] = ['production', 'latest']) {
  return monitor.watch({ manifest: shop, baseline: shopBaseline, aliases, loadMs: 250 })
}

describe('requests', () => {
  test('are counted by protocol and outcome', async () => {
    const monitor = new Monitor()
    const watched = watchShop(monitor)
    watched.request('predict', 'ok', timings, 1)
    watched.request('predict', 'ok', timings, 1)
    watched.request('predict', 'invalid', undefined, 0)
    watched.request('v2', 'timeout', undefined, 4)
    const text = await monitor.render()
    const count = (protocol: string, outcome: string) => valueOf(text, 'modelport_requests_total', { ...version, protocol, outcome })
    expect([count('predict', 'ok'), count('predict', 'invalid'), count('predict', 'error'), count('v2', 'timeout'), count('v2', 'ok')])
      .toEqual([2, 1, 0, 1, 0])
  })

  test('have a series at zero before the first, so that a rate over them begins there', async () => {
    const monitor = new Monitor()
    watchShop(monitor)
    expect(valueOf(await monitor.render(), 'modelport_requests_total', { protocol: 'predict', outcome: 'ok' })).toBe(0)
  })

  test('take the seconds of each stage', async () => {
    const monitor = new Monitor()
    watchShop(monitor).request('predict', 'ok', timings, 1)
    const text = await monitor.render()
    const sum = (stage: string) => valueOf(text, 'modelport_request_duration_seconds_sum', { ...version, stage })
    expect(['validate', 'preprocess', 'queue', 'run', 'postprocess', 'total'].map(sum))
      .toEqual([0.02, 0.01, 0.2, 3, 0.04, 3.3].map(ms => expect.closeTo(ms / 1000, 12)))
    const within = (le: string) => valueOf(text, 'modelport_request_duration_seconds_bucket', { ...version, stage: 'run', le })
    expect([within('0.00005'), within('0.0025'), within('0.005'), within('+Inf')]).toEqual([0, 0, 1, 1])
  })

  test('count their rows, once they are known', async () => {
    const monitor = new Monitor()
    const watched = watchShop(monitor)
    watched.request('predict', 'ok', timings, 1)
    watched.request('predict', 'ok', timings, 30)
    watched.request('predict', 'invalid', undefined, 0)
    const text = await monitor.render()
    expect(valueOf(text, 'modelport_batch_rows_sum', version)).toBe(31)
    expect(valueOf(text, 'modelport_batch_rows_count', version)).toBe(2)
  })
})

describe('predictions', () => {
  const counts = (text: string) => Object.fromEntries(parseSeries(text)
    .filter(({ name }) => name === 'modelport_predictions_total').map(({ labels, value }) => [labels.class, value]))

  test('are counted by the label of their class', async () => {
    const monitor = new Monitor()
    const watched = watchShop(monitor)
    watched.predictions(trainingLike(100).rows.slice(0, 3), [1, 0, 1])
    expect(counts(await monitor.render())).toEqual({ stays: 1, leaves: 2 })
  })

  test('of a class that has no label are counted nowhere', async () => {
    const monitor = new Monitor()
    watchShop(monitor).predictions(trainingLike(100).rows.slice(0, 4), [-1, 2, 0.5, NaN])
    expect(counts(await monitor.render())).toEqual({ stays: 0, leaves: 0 })
  })

  test('of labels that occur twice share one series', async () => {
    const monitor = new Monitor()
    const manifest = { ...shop, labels: ['same', 'same', 'other'] }
    monitor.watch({ manifest, baseline: undefined, aliases: [], loadMs: 1 }).predictions([[1, 'a'], [1, 'a'], [1, 'a']], [0, 1, 2])
    expect(counts(await monitor.render())).toEqual({ same: 2, other: 1 })
  })

  test('of a regression are counted under an empty class', async () => {
    const monitor = new Monitor()
    monitor.watch({ manifest: houses, baseline: housesBaseline, aliases: [], loadMs: 1 }).predictions([[1], [2]], Float32Array.of(10, 20))
    expect(counts(await monitor.render())).toEqual({ '': 2 })
  })
})

describe('drift', () => {
  test('has no series until there are enough rows', async () => {
    const monitor = new Monitor()
    const { rows, predictions } = trainingLike(100)
    watchShop(monitor).predictions(rows, predictions)
    const names = parseSeries(await monitor.render()).map(({ name }) => name)
    expect(names.filter(name => /drift|missing/.test(name))).toEqual([])
  })

  test('has one per feature and test, and one per test of the prediction', async () => {
    const monitor = new Monitor()
    const { rows, predictions } = trainingLike(200)
    watchShop(monitor).predictions(rows.map(([, plan]) => [null, plan ?? null]), predictions)
    const text = await monitor.render()
    const drift = parseSeries(text).filter(({ name }) => name.includes('drift')).map(({ labels }) => [labels.feature, labels.test])
    expect(drift).toEqual([['age', 'psi'], ['plan', 'psi'], ['plan', 'js'], [undefined, 'psi'], [undefined, 'js']])
    expect(valueOf(text, 'modelport_feature_drift', { ...version, feature: 'age', test: 'psi' })).toBeGreaterThan(0.25)
    expect(valueOf(text, 'modelport_feature_drift', { ...version, feature: 'plan', test: 'psi' })).toBeCloseTo(0, 12)
    expect(valueOf(text, 'modelport_feature_missing_ratio', { ...version, feature: 'age' })).toBe(1)
    expect(valueOf(text, 'modelport_prediction_drift', { ...version, test: 'psi' })).toBeCloseTo(0, 12)
  })
})

describe('versions', () => {
  const ready = (text: string) => parseSeries(text).filter(({ name }) => name === 'modelport_model_ready')
    .map(({ labels, value }) => `${labels.version} ${labels.alias || '-'} ${value}`)

  test('are ready once watched, with a series per alias, and not when refused', async () => {
    const monitor = new Monitor()
    watchShop(monitor)
    monitor.refused('shop', '1.1.0')
    monitor.refused('shop', '1.2.0', ['canary'])
    expect(ready(await monitor.render())).toEqual(['1.0.0 production 1', '1.0.0 latest 1', '1.1.0 - 0', '1.2.0 canary 0'])
  })

  test('keep their counts when watched again with other aliases', async () => {
    const monitor = new Monitor()
    const first = watchShop(monitor)
    first.request('predict', 'ok', timings, 1)
    expect(watchShop(monitor, [])).toBe(first)
    const text = await monitor.render()
    expect(ready(text)).toEqual(['1.0.0 - 1'])
    expect(valueOf(text, 'modelport_requests_total', { outcome: 'ok' })).toBe(1)
  })

  test('tell how long they took to load', async () => {
    const monitor = new Monitor()
    watchShop(monitor)
    monitor.refused('shop', '1.1.0')
    expect(parseSeries(await monitor.render()).filter(({ name }) => name === 'modelport_model_load_seconds'))
      .toEqual([{ name: 'modelport_model_load_seconds', labels: version, value: 0.25 }])
  })

  test('that are forgotten leave no series, and may come back from zero', async () => {
    const monitor = new Monitor()
    const old = watchShop(monitor)
    old.request('predict', 'ok', timings, 1)
    monitor.forget('shop', '1.0.0')
    old.request('predict', 'ok', timings, 1)
    expect(parseSeries(await monitor.render()).filter(({ labels }) => 'model' in labels)).toEqual([])
    watchShop(monitor)
    expect(valueOf(await monitor.render(), 'modelport_requests_total', { outcome: 'ok' })).toBe(0)
  })

  test('have as many rows queued as their queue says when asked', async () => {
    const monitor = new Monitor()
    let rows = 3
    monitor.queuedRows(() => [{ name: 'shop', version: '1.0.0', rows }])
    expect(valueOf(await monitor.render(), 'modelport_queue_rows', version)).toBe(3)
    rows = 0
    expect(valueOf(await monitor.render(), 'modelport_queue_rows', version)).toBe(0)
  })
})

test('HTTP answers are counted by method, route and status', async () => {
  const monitor = new Monitor()
  monitor.httpResponse('POST', '/predict', 200, 0.002)
  monitor.httpResponse('POST', '/predict', 200, 0.004)
  monitor.httpResponse('POST', '/predict', 422, 0.001)
  const text = await monitor.render()
  const count = (status: string) => valueOf(text, 'http_server_request_duration_seconds_count', { method: 'POST', route: '/predict', status })
  expect([count('200'), count('422'), count('500')]).toEqual([2, 1, undefined])
})

test('the runtime tells of its event loop, heap, memory and CPU, in any number of monitors', async () => {
  for (const monitor of [new Monitor(), new Monitor()]) {
    const types = parseTypes(await monitor.render())
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'nodejs_heap_size_used_bytes', 'process_resident_memory_bytes', 'process_cpu_seconds_total']) {
      expect(types.has(name), name).toBe(true)
    }
  }
})

test('two monitors count for themselves', async () => {
  const [one, other] = [new Monitor(), new Monitor()]
  watchShop(one)
  expect(valueOf(await other.render(), 'modelport_model_ready')).toBeUndefined()
})

test('no series is there twice, and every value of ours is a finite number', async () => {
  const monitor = new Monitor()
  const { rows, predictions } = trainingLike(200)
  const watched = watchShop(monitor)
  watched.request('predict', 'ok', timings, 200)
  watched.predictions(rows, predictions)
  const series = parseSeries(await monitor.render())
  const keys = series.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]))
  expect(new Set(keys).size).toBe(keys.length)
  expect(series.filter(({ name, value }) => /^(modelport|http)_/.test(name) && !Number.isFinite(value))).toEqual([])
})
