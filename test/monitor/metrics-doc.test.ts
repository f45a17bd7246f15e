import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type EmfMetric, emfMetrics } from '../../src/monitor/emf-metrics.ts'
import { halfWindow } from '../../src/monitor/window.ts'
import { outcomes } from '../../src/monitor/outcome.ts'
import { Monitor } from '../../src/monitor/monitor.ts'
import { parseSeries, parseTypes } from './prometheus-text.ts'
import { shop, shopBaseline, trainingLike } from './shop.ts'

const doc = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')

/** Cells of every table row of one section, without the head. */
function rowsOf (section: string): string[][] {
  const text = doc.split(/^## /m).find(part => part.startsWith(section)) ?? ''
  return text.split('\n').filter(line => line.startsWith('| `')).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

function codes (text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => code!)
}

/** A monitor in which every metric has a series, as text. */
async function rendered (): Promise<string> {
  const monitor = new Monitor()
  const { rows, predictions } = trainingLike(halfWindow.minimumRows)
  const watched = monitor.watch({ manifest: shop, baseline: shopBaseline, aliases: ['production'], loadMs: 10 })
  watched.request('predict', 'ok', { validateMs: 1, preprocessMs: 1, queueMs: 1, runMs: 1, postprocessMs: 1, totalMs: 5 }, 1)
  watched.predictions(rows, predictions)
  monitor.queuedRows(() => [{ name: shop.name, version: shop.version, rows: 0 }])
  monitor.httpResponse('GET', '/health', 200, 0.001)
  return monitor.render()
}

const isRuntime = (name: string) => /^(nodejs|process)_/.test(name)

describe('docs/metrics.md', () => {
  test('has every metric of the service with its type and labels, in the order of the answer, and no other', async () => {
    const text = await rendered()
    const series = parseSeries(text)
    const ours = [...parseTypes(text)].filter(([name]) => !isRuntime(name)).map(([name, type]) => {
      const first = series.find(sample => sample.name === (type === 'histogram' ? `${name}_sum` : name))
      return { name, type, labels: Object.keys(first?.labels ?? {}) }
    })
    expect(rowsOf('The service').map(([name, type, labels]) => ({ name: codes(name ?? '')[0], type, labels: codes(labels ?? '') }))).toEqual(ours)
  })

  test('has every metric of the runtime with its type', async () => {
    const documented = new Map(rowsOf('The runtime').flatMap(([names, type]) => codes(names ?? '').map(name => [name, type] as const)))
    const types = [...parseTypes(await rendered())].filter(([name]) => isRuntime(name))
    expect(types.length).toBeGreaterThan(20)
    for (const [name, type] of types) expect(documented.get(name), name).toBe(type)
    if (process.platform === 'linux') expect([...documented.keys()].sort()).toEqual(types.map(([name]) => name).sort())
  })

  test('has every metric that CloudWatch is told, in the order of the table', () => {
    const dimensions = { service: '–', version: '– · `model` `version`', class: '`model` `version` `class`' }
    expect(rowsOf('CloudWatch')).toEqual(Object.entries<EmfMetric>(emfMetrics).map(([name, { scope, unit, statistic, about }]) => [`\`${name}\``, dimensions[scope], unit, statistic, about]))
  })

  test('names every outcome, every stage and every test', async () => {
    const labels = (label: string) => new Set(parseSeries(text).flatMap(series => series.labels[label] ?? []))
    const text = await rendered()
    for (const value of [...outcomes, ...labels('stage'), ...labels('test')]) expect(codes(doc)).toContain(value)
  })

  test('says how many rows drift needs and how many it looks back', () => {
    expect(doc).toContain(`Below ${halfWindow.minimumRows} rows there is no series`)
    expect(doc).toContain(`the last ${halfWindow.rows.toLocaleString('en')} to\n${(2 * halfWindow.rows).toLocaleString('en')} rows`)
    expect(halfWindow.ageMs / 60_000).toBe(30)
  })

  test('has rules that ask for metrics that exist', async () => {
    const types = parseTypes(await rendered())
    const asked = [...doc.matchAll(/expr: (?:\|\n)?((?:.|\n)*?)\n\s+for:/g)].flatMap(([, expr]) => expr!.match(/modelport_\w+/g) ?? [])
    expect(asked.length).toBeGreaterThan(3)
    for (const name of asked) expect(types.has(name), name).toBe(true)
  })
})
