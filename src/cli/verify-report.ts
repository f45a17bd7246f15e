import type { Failure } from '../serving/status.ts'
import type { ModelReport, VersionReport } from '../serving/verify.ts'

export interface Reports { readonly models: readonly ModelReport[], readonly versions: readonly VersionReport[] }

export function countFaults ({ models, versions }: Reports): number {
  return [...models, ...versions].reduce((sum, report) => sum + faultsOf(report).length, 0)
}

export function modelLines ({ name, faults }: ModelReport): string[] {
  return faults.length === 0 ? [] : [`${name}  FAILED`, ...faults.map(faultLine)]
}

export function versionLines (report: VersionReport): string[] {
  const { name, version, warnings } = report
  const faults = faultsOf(report)
  return [
    `${name} ${version}  ${faults.length === 0 ? 'ok' : 'FAILED'} in ${Math.round(report.tookMs)} ms${goldenText(report)}`,
    ...warnings.map(warning => `  warning: ${warning}`),
    ...faults.map(faultLine),
  ]
}

export function toJson ({ models, versions }: Reports): unknown {
  return {
    ok: countFaults({ models, versions }) === 0,
    versions: versions.map(report => {
      const { name, version, warnings, golden, goldenFaults, tookMs } = report
      const faults = faultsOf(report)
      const reproduced = golden && { rows: golden.rows, reproduced: golden.rows - goldenFaults.length, largestDeviation: golden.largestDeviation }
      return { name, version, ok: faults.length === 0, faults, warnings, golden: reproduced ?? null, tookMs: Math.round(tookMs * 10) / 10 }
    }),
    models: models.map(({ name, faults }) => ({ name, faults })),
  }
}

/** A wide row that is all wrong is one mistake. */
const maxListed = 5

interface Told extends Failure { readonly row?: number, readonly differences?: readonly unknown[] }

function faultsOf (report: ModelReport | VersionReport): Told[] {
  if (!('goldenFaults' in report)) return [...report.faults]
  return [
    ...report.faults,
    ...report.goldenFaults.map(({ reason, row, differences }) => {
      const listed = differences.slice(0, maxListed).map(({ path, message }) => `${path} ${message}`)
      const more = differences.length > maxListed ? [`and ${differences.length - maxListed} more`] : []
      return { reason, message: `golden.json: ${[...listed, ...more].join('; ')}`, row, differences }
    }),
  ]
}

function faultLine ({ reason, message }: Failure): string {
  return `  ${reason}: ${message}`
}

function goldenText ({ golden, goldenFaults }: VersionReport): string {
  if (golden === undefined) return ''
  const { rows, largestDeviation } = golden
  const count = goldenFaults.length === 0 ? `${rows}` : `${rows - goldenFaults.length} of ${rows}`
  return `: ${count} golden ${rows === 1 ? 'row' : 'rows'} reproduced, largest deviation ${largestDeviation === 0 ? 0 : largestDeviation.toExponential(1)}`
}
