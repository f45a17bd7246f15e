import { FatalError } from '../errors.ts'
import { type Database, type DatabaseOptions, openDatabase } from './database.ts'
import { findInputs } from './input-files.ts'
import { checkOutputs, checkTableFile, openOutputs } from './output.ts'
import { type Pipeline, rfmParts } from './pipeline.ts'
import { type Source, checkWhole, countMalformed, makeSource } from './read.ts'
import { type RfmTimes, rfmStatements, writeStatement } from './rfm-steps.ts'
import type { Statement } from './sql.ts'

export interface RfmRequest extends RfmTimes {
  readonly inputs: readonly string[]
  readonly output: string
  readonly pipeline: Pipeline
  readonly database: DatabaseOptions
}

export interface RfmReport {
  readonly input: { readonly files: readonly string[], readonly rows: number }
  readonly horizonDays: number
  /** Per cut-off date: how many customers had bought before it, and how many of them bought again in time. */
  readonly cutoffs: readonly { readonly cutoff: string, readonly customers: number, readonly buyingAgain: number }[]
  readonly output: { readonly file: string, readonly rows: number }
  readonly notices: readonly string[]
}

/**
 * Writes one row per customer and cut-off date: features of what was before, and the target of what came after.
 *
 * @throws FatalError, and writes nothing
 */
export async function rfm (request: RfmRequest): Promise<RfmReport> {
  checkTableFile(request.output, '--output')
  const database = await openDatabase(request.database)
  const outputs = openOutputs()
  try {
    const plan = await makePlan(database, request)
    await checkOutputs({ '--output': request.output }, plan.files)
    for (const statement of plan.statements) await database.run(statement)
    const report = await account(database, request, plan)
    await database.run(writeStatement(await outputs.draft(request.output)))
    await outputs.commit()
    return report
  } finally {
    await outputs.discard()
    await database.close()
  }
}

/** The statements as they would run, in order; only the headers of the inputs are read. */
export async function explainRfm (request: RfmRequest): Promise<readonly Statement[]> {
  checkTableFile(request.output, '--output')
  const database = await openDatabase(request.database)
  try {
    return [...(await makePlan(database, request)).statements, writeStatement(request.output)]
  } finally {
    await database.close()
  }
}

interface Plan {
  readonly files: readonly string[]
  readonly hasCsv: boolean
  readonly source: Source
  readonly statements: readonly Statement[]
}

async function makePlan (database: Database, { inputs, pipeline, cutoffs, horizonDays }: RfmRequest): Promise<Plan> {
  const files = await findInputs(database, inputs, pipeline.input)
  const wanted = rfmParts.map(part => ({ name: part, from: [pipeline.rfm.columns[part]], required: true }))
  const source = makeSource(files, wanted, { asText: false, encoding: pipeline.input.encoding })
  return { files: files.map(({ path }) => path), hasCsv: files.some(({ format }) => format === 'csv'), source, statements: rfmStatements(source.sql, { cutoffs, horizonDays }) }
}

const countSql = `SELECT CAST(cutoff AS VARCHAR) AS cutoff, CAST(count(customer) AS DOUBLE) AS customers, CAST(count(*) FILTER (bought) AS DOUBLE) AS again
FROM (SELECT c.cutoff, f.customer, t.customer IS NOT NULL AS bought FROM cutoffs c LEFT JOIN features f USING (cutoff) LEFT JOIN target t ON t.cutoff = c.cutoff AND t.customer = f.customer)
GROUP BY cutoff ORDER BY cutoff`

async function account (database: Database, { horizonDays, output }: RfmRequest, { files, hasCsv, source }: Plan): Promise<RfmReport> {
  const [all] = await database.rows({
    name: 'count',
    sql: `SELECT CAST(count(*) AS DOUBLE) AS n, CAST(count(*) FILTER (NOT usable) AS DOUBLE) AS unusable, CAST(CAST(max(time) AS DATE) AS VARCHAR) AS last,
  CAST(CAST(min(time) AS DATE) AS VARCHAR) AS first FROM purchases`,
  })
  const counts = await database.rows({ name: 'count', sql: countSql })
  const cutoffs = counts.map(({ cutoff, customers, again }) => ({ cutoff: String(cutoff), customers: Number(customers), buyingAgain: Number(again) }))
  const rows = cutoffs.reduce((sum, { customers }) => sum + customers, 0)
  const { n, unusable, first, last } = all ?? {}
  if (hasCsv) await checkWhole(database, source, Number(n))
  if (rows === 0) throw new FatalError(`nobody has bought anything before ${cutoffs.map(({ cutoff }) => cutoff).join(', ')}; the purchases are from ${String(first)} to ${String(last)}`)
  const malformed = hasCsv ? await countMalformed(database) : 0
  const end = (cutoff: string): string => new Date(Date.parse(cutoff) + (horizonDays - 1) * 86_400_000).toISOString().slice(0, 10)
  return {
    input: { files, rows: Number(n) },
    horizonDays,
    cutoffs,
    output: { file: output, rows },
    notices: [
      ...malformed > 0 ? [`not counted are lines that cannot be split into the columns (${malformed}): modelport etl clean keeps them with the reason`] : [],
      ...Number(unusable) > 0 ? [`${Number(unusable)} rows without a customer, invoice, time, product, quantity or price are not counted: modelport etl clean drops them with a reason`] : [],
      ...cutoffs.filter(({ cutoff }) => end(cutoff) > String(last)).map(({ cutoff }) =>
        `the purchases end on ${String(last)}, before the ${horizonDays} days from ${cutoff} are over: who buys later counts as not buying again`),
    ],
  }
}
