import type { Buckets } from './buckets.ts'

interface Description {
  readonly name: string
  readonly help: string
  /** In the order of every sample's label values. */
  readonly labels: readonly string[]
}

/** One metric with all its series at one moment. */
export type Family = Description & (
  | { readonly type: 'counter' | 'gauge', readonly samples: Iterable<readonly [labels: readonly string[], value: number]> }
  | { readonly type: 'histogram', readonly samples: Iterable<readonly [labels: readonly string[], buckets: Buckets]> }
)

/** Prometheus text, version 0.0.4. */
export function exposition (families: readonly Family[]): string {
  return families.map(family => `${lines(family).join('\n')}\n`).join('\n')
}

function lines (family: Family): string[] {
  const { name, help, type } = family
  const out = [`# HELP ${name} ${escape(help)}`, `# TYPE ${name} ${type}`]
  if (family.type === 'histogram') {
    for (const [values, buckets] of family.samples) out.push(...histogramLines(name, pairs(family.labels, values), buckets))
  } else {
    for (const [values, value] of family.samples) out.push(line(name, pairs(family.labels, values), value))
  }
  return out
}

/** Each bucket counts whatever is not above its bound, so those of the smaller bounds too. */
function histogramLines (name: string, labels: readonly string[], { bounds, counts, sum }: Buckets): string[] {
  let count = 0
  const out = Array.from(counts, (inBucket, i) => {
    count += inBucket
    return line(`${name}_bucket`, [...labels, `le="${bounds[i] ?? '+Inf'}"`], count)
  })
  return [...out, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)]
}

function line (name: string, labels: readonly string[], value: number): string {
  return labels.length === 0 ? `${name} ${value}` : `${name}{${labels.join(',')}} ${value}`
}

function pairs (names: readonly string[], values: readonly string[]): string[] {
  return names.map((name, i) => `${name}="${escape(values[i] ?? '').replaceAll('"', '\\"')}"`)
}

function escape (text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
