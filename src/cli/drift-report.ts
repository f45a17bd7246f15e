import type { ColumnDrift, DataDriftReport } from '../monitor/data-drift.ts'
import type { DriftTest } from '../monitor/drift.ts'
import { textTable } from './repository-flags.ts'

export interface DriftResult extends DataDriftReport {
  readonly name: string
  readonly version: string
  readonly files: readonly string[]
  /** Rows that do not fit the model, and are in nothing else. */
  readonly rejected: number
  /** Rows of the training data. */
  readonly baselineRows: number
}

/** Rules of thumb from credit scoring; docs/metrics.md has their source. */
const some = 0.1
const much = 0.25

export function driftLines (result: DriftResult): string[] {
  const { name, version, files, rows, baselineRows, features, prediction } = result
  const sorted = features.toSorted((a, b) => (psiOf(b) ?? -1) - (psiOf(a) ?? -1))
  const lines = [...prediction === undefined ? [] : [prediction], ...sorted]
  return [
    `${name} ${version}: ${rows.toLocaleString('en')} rows of ${files.length === 1 ? files[0] : `${files.length} files`} beside ${baselineRows.toLocaleString('en')} that it was trained on`,
    ...textTable([
      ['', 'psi', 'ks', 'js', 'missing', 'in training', ''],
      ...lines.map(column => [
        titleOf(column), ...(['psi', 'ks', 'js'] as const).map(test => driftText(column, test)), share(column.missingRatio), share(column.baselineMissingRatio), verdict(psiOf(column)),
      ]),
    ]),
  ]
}

export function driftJson ({ name, version, files, rows, rejected, baselineRows, features, prediction }: DriftResult, failAbove: number | undefined, above: readonly ColumnDrift[]): unknown {
  const numbers = ({ missingRatio, baselineMissingRatio, drift }: ColumnDrift): unknown =>
    ({ missingRatio, baselineMissingRatio: baselineMissingRatio ?? null, ...Object.fromEntries(drift.map(({ test, value }) => [test, value])) })
  return {
    name,
    version,
    data: { files, rows, rejected },
    baseline: { rows: baselineRows },
    features: features.map(column => ({ name: column.name, ...numbers(column) as object })),
    prediction: prediction === undefined ? null : numbers(prediction),
    failAbove: failAbove ?? null,
    above: above.map(titleOf),
  }
}

/** What has drifted further than a PSI of so much, the furthest first. */
export function driftedAbove ({ features, prediction }: DataDriftReport, limit: number): ColumnDrift[] {
  const all = [...features, ...prediction === undefined ? [] : [prediction]]
  return all.filter(column => (psiOf(column) ?? 0) > limit).sort((a, b) => psiOf(b)! - psiOf(a)!)
}

export function aboveText (columns: readonly ColumnDrift[], limit: number): string {
  return `the PSI is above ${limit} of ${columns.map(column => `${titleOf(column)} (${psiOf(column)!.toFixed(3)})`).join(', ')}`
}

/** No feature may be called like that, for its parentheses. */
function titleOf ({ name }: ColumnDrift): string {
  return name ?? '(prediction)'
}

function psiOf ({ drift }: ColumnDrift): number | undefined {
  return drift.find(({ test }) => test === 'psi')?.value
}

function driftText ({ drift }: ColumnDrift, wanted: DriftTest): string {
  return drift.find(({ test }) => test === wanted)?.value.toFixed(3) ?? '–'
}

function share (ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${(100 * ratio).toFixed(1)} %`
}

function verdict (psi: number | undefined): string {
  if (psi === undefined) return 'not in the baseline'
  if (psi < some) return ''
  return psi > much ? 'another population' : 'some change'
}
