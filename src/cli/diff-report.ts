import type { Difference, FilePair, MetricPair, VersionDiff } from '../catalog/compare-versions.ts'
import { numberText, sizeText, textTable } from './repository-flags.ts'

interface Title { readonly name: string, readonly version: string }

/** A section for each kind of difference; what is the same is not told, but for metrics. */
export function diffLines (a: Title, b: Title, diff: VersionDiff): string[] {
  const { task, features: { added, removed, changed, reordered }, labels, outputs, preprocessor, metrics, files } = diff
  const schema = [
    ...added.map(name => `+ ${name}`),
    ...removed.map(name => `- ${name}`),
    ...changed.map(change),
    ...(reordered ? ['~ their order: rows sent as arrays mean something else'] : []),
  ]
  const different = files.filter(({ same }) => !same)
  return [
    `${a.name} ${a.version} → ${b.name} ${b.version}`,
    ...section('features', schema),
    ...section('answers', [...task, ...labels, ...outputs].map(change)),
    ...section('preprocessor.json', preprocessor.map(change)),
    ...section('metrics', metrics.length === 0 ? [] : textTable(metrics.map(metricCells))),
    ...section('files', different.length === 0 ? [] : textTable(different.map(fileCells))),
    ...(different.length === 0 ? ['', 'their files are the same'] : []),
  ]
}

function section (title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map(line => `  ${line}`)]
}

function change ({ path, a, b }: Difference): string {
  return `~ ${path}: ${text(a)} → ${text(b)}`
}

/** A list of categories may have thousands. */
const maxTextLength = 100

function text (value: unknown): string {
  if (value === undefined) return 'none'
  const json = JSON.stringify(value)
  return json.length > maxTextLength ? `${json.slice(0, maxTextLength)}…` : json
}

function metricCells ({ metric, a, b, difference }: MetricPair): string[] {
  const sign = difference !== undefined && difference > 0 ? '+' : ''
  return [metric, optional(a), optional(b), difference === undefined ? '' : `${sign}${numberText(difference)}`]
}

function optional (value: number | undefined): string {
  return value === undefined ? '-' : numberText(value)
}

function fileCells ({ file, a, b }: FilePair): string[] {
  return [file, fileText(a), '→', fileText(b)]
}

function fileText (facts: FilePair['a']): string {
  return facts === undefined ? 'none' : `${sizeText(facts.bytes)} (${facts.sha256.slice(0, 12)})`
}
