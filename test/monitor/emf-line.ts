import { expect } from 'vitest'
import type { Distribution } from '../../src/monitor/emf.ts'

export interface EmfLine {
  readonly names: readonly string[]
  /** Each set of dimensions with its values. */
  readonly dimensionSets: readonly Readonly<Record<string, string>>[]
  readonly values: Readonly<Record<string, number | Distribution>>
}

/** What `PutMetricData` knows. */
const units = /^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits|Percent|Count|None|(Bytes|Count)\/Second)$/

/** Reads one line as CloudWatch does, and checks it against the rules and limits of the embedded metric format. */
export function readEmf (line: string, namespace: string): EmfLine {
  // One write to a pipe that others write to as well, and one event of a log.
  expect(Buffer.byteLength(line)).toBeLessThanOrEqual(4096)
  expect(line).toMatch(/^\{[^\n]*\}\n$/)
  const root = JSON.parse(line) as Record<string, unknown> & { _aws: { Timestamp: number, CloudWatchMetrics: { Namespace: string, Dimensions: string[][], Metrics: { Name: string, Unit: string }[] }[] } }
  const { _aws: { Timestamp, CloudWatchMetrics: directives, ...others } } = root
  expect(others).toEqual({})
  expect(Number.isSafeInteger(Timestamp)).toBe(true)
  expect(directives).toHaveLength(1)
  const { Namespace, Dimensions, Metrics } = directives[0]!
  expect(Namespace).toBe(namespace)
  expect(Dimensions.length).toBeGreaterThanOrEqual(1)
  const dimensionSets = Dimensions.map(set => Object.fromEntries(set.map(key => [key, dimension(root[key])])))
  for (const set of Dimensions) expect(set.length).toBeLessThanOrEqual(30)
  expect(Metrics.length).toBeGreaterThanOrEqual(1)
  expect(Metrics.length).toBeLessThanOrEqual(100)
  const names = Metrics.map(({ Name }) => Name)
  expect(new Set(names).size).toBe(names.length)
  for (const { Name, Unit } of Metrics) {
    expect(Unit).toMatch(units)
    target(root[Name])
  }
  return { names, dimensionSets, values: Object.fromEntries(names.map(name => [name, root[name] as number | Distribution])) }
}

function dimension (value: unknown): string {
  expect(value).toBeTypeOf('string')
  expect(value).toMatch(/^(?!:)(?=.*\S)[\x20-\x7e]{1,1024}$/)
  return value as string
}

function target (value: unknown): void {
  if (typeof value === 'number') return
  const { Values, Counts, Max, Min, Count, Sum, ...others } = value as Distribution
  expect(others).toEqual({})
  expect(Values.length).toBeLessThanOrEqual(100)
  expect(Counts).toHaveLength(Values.length)
  for (const number of [...Values, ...Counts, Max, Min, Count, Sum]) expect(Number.isFinite(number)).toBe(true)
  for (const count of Counts) expect(count).toBeGreaterThan(0)
  expect({ Max, Min, Count }).toEqual({ Max: Math.max(...Values), Min: Math.min(...Values), Count: Counts.reduce((sum, count) => sum + count, 0) })
}
