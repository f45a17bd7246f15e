import type { CleanReport } from '../etl/clean.ts'
import type { RfmReport } from '../etl/rfm.ts'
import type { Statement } from '../etl/sql.ts'

/** Statements as a script that can be run. */
export function explainLines (statements: readonly Statement[]): string[] {
  return statements.flatMap(({ name, sql }) => [`-- ${name}`, `${sql};`, ''])
}

export function cleanLines ({ input, steps, rejected, output, notices }: CleanReport): string[] {
  const share = (rows: number): string => input.rows === 0 ? '' : `${(100 * rows / input.rows).toFixed(1)} %`
  return [
    ...notices.map(notice => `note: ${notice}`),
    ...table([
      ['read', input.rows, '', input.files.length === 1 ? input.files[0]! : `${input.files.length} files`],
      ...steps.map(({ name, rows, why }) => [`  ${name}`, -rows, share(rows), why] as const),
      ['kept', output.rows, share(output.rows), output.file],
    ]),
    `what was dropped: ${rejected.file}`,
  ]
}

export function rfmLines ({ input, horizonDays, cutoffs, output, notices }: RfmReport): string[] {
  return [
    ...notices.map(notice => `note: ${notice}`),
    ...cutoffs.map(({ cutoff, customers, buyingAgain }) =>
      `${cutoff}: ${count(customers)} customers, of whom ${count(buyingAgain)} buy again within ${horizonDays} days`),
    `${output.file}: ${count(output.rows)} rows of ${count(input.rows)} purchases`,
  ]
}

type Line = readonly [name: string, rows: number, share: string, what: string]

function table (lines: readonly Line[]): string[] {
  const cells = lines.map(([name, rows, share, what]) => [name, count(rows), share, what] as const)
  const width = (column: 0 | 1 | 2): number => Math.max(...cells.map(line => line[column].length))
  return cells.map(([name, rows, share, what]) => `${name.padEnd(width(0))}  ${rows.padStart(width(1))}  ${share.padStart(width(2))}  ${what}`)
}

function count (rows: number): string {
  return rows === 0 ? '0' : rows.toLocaleString('en')
}
