import type { Manifest } from '../artifact/manifest.ts'
import type { Artifact } from '../artifact/read.ts'

/** A place where two versions differ; undefined where one of them has nothing. */
export interface Difference { readonly path: string, readonly a: unknown, readonly b: unknown }

export interface MetricPair { readonly metric: string, readonly a: number | undefined, readonly b: number | undefined, readonly difference: number | undefined }

type FileFacts = Manifest['files'][string]

export interface FilePair { readonly file: string, readonly a: FileFacts | undefined, readonly b: FileFacts | undefined, readonly same: boolean }

export interface VersionDiff {
  readonly task: readonly Difference[]
  readonly features: {
    readonly added: readonly string[]
    readonly removed: readonly string[]
    readonly changed: readonly Difference[]
    /** The features that both have stand in another order, which matters to rows sent as arrays. */
    readonly reordered: boolean
  }
  readonly labels: readonly Difference[]
  readonly outputs: readonly Difference[]
  readonly preprocessor: readonly Difference[]
  readonly metrics: readonly MetricPair[]
  readonly files: readonly FilePair[]
}

/** What callers, and what people who choose between two versions, have to know. */
export function compareVersions (a: Artifact, b: Artifact): VersionDiff {
  return {
    task: differences(a.manifest.task, b.manifest.task, 'task'),
    features: compareFeatures(a.manifest, b.manifest),
    labels: differences(a.manifest.labels, b.manifest.labels, 'labels'),
    outputs: differences(a.manifest.outputs, b.manifest.outputs, 'outputs'),
    preprocessor: differences(stepsOf(a), stepsOf(b), ''),
    metrics: compareMetrics(a.manifest, b.manifest),
    files: compareFiles(a.manifest, b.manifest),
  }
}

function compareFeatures (a: Manifest, b: Manifest): VersionDiff['features'] {
  const [before, after] = [a.features ?? [], b.features ?? []]
  const added = after.filter(({ name }) => !before.some(other => other.name === name)).map(({ name }) => name)
  const removed = before.filter(({ name }) => !after.some(other => other.name === name)).map(({ name }) => name)
  const common = after.flatMap(feature => before.filter(other => other.name === feature.name).map(other => [other, feature] as const))
  const order = before.filter(({ name }) => !removed.includes(name)).map(({ name }) => name)
  return {
    added,
    removed,
    changed: common.flatMap(([old, now]) => differences(old, now, now.name)),
    reordered: common.some(([, now], i) => now.name !== order[i]),
  }
}

/** By feature, so that a step is compared with the step of the same column. */
function stepsOf ({ preprocessor }: Artifact): unknown {
  if (preprocessor === undefined) return {}
  const steps = new Map<string, unknown[]>()
  for (const { feature, steps: own } of preprocessor.columns) steps.set(feature, [...steps.get(feature) ?? [], ...own])
  return { output: preprocessor.output, order: preprocessor.columns.map(({ feature }) => feature), ...Object.fromEntries([...steps].map(([feature, own]) => [`column ${feature}`, { steps: own }])) }
}

/** Objects are compared field by field, everything else as a whole. */
function differences (a: unknown, b: unknown, path: string): Difference[] {
  if (isObject(a) && isObject(b)) {
    const fields = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    return fields.flatMap(field => differences(a[field], b[field], path === '' ? field : `${path}.${field}`))
  }
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ path, a, b }]
}

function compareMetrics (a: Manifest, b: Manifest): MetricPair[] {
  const [before, after] = [numbersIn(a.metrics, ''), numbersIn(b.metrics, '')]
  return [...new Set([...before.keys(), ...after.keys()])].map(metric => {
    const [old, now] = [before.get(metric), after.get(metric)]
    // Twelve decimals: what is beyond comes from the subtraction.
    return { metric, a: old, b: now, difference: old === undefined || now === undefined ? undefined : Number((now - old).toFixed(12)) }
  })
}

/** Every number of nested objects by its path; lists, such as a confusion matrix, are left out. */
function numbersIn (value: unknown, path: string): Map<string, number> {
  if (typeof value === 'number') return new Map([[path, value]])
  if (!isObject(value)) return new Map()
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...numbersIn(inner, path === '' ? key : `${path}.${key}`)]))
}

function compareFiles (a: Manifest, b: Manifest): FilePair[] {
  return [...new Set([...Object.keys(a.files), ...Object.keys(b.files)])].map(file => {
    const [old, now] = [own(a.files, file), own(b.files, file)]
    return { file, a: old, b: now, same: old?.sha256 === now?.sha256 }
  })
}

function own (files: Manifest['files'], file: string): FileFacts | undefined {
  return Object.hasOwn(files, file) ? files[file] : undefined
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
