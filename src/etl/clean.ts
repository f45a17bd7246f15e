import { join } from 'node:path'
import { reasonOf, stepStatement } from './clean-steps.ts'
import { type Database, type DatabaseOptions, openDatabase } from './database.ts'
import { type InputFile, findInputs } from './input-files.ts'
import { checkOutputs, checkTableFile, copySql, isTableFile, openOutputs } from './output.ts'
import { type Column, type Pipeline, withColumns } from './pipeline.ts'
import type { Step } from './pipeline-file.ts'
import { type Source, checkWhole, countMalformed, makeSource, malformedSql } from './read.ts'
import { type Statement, identifier, list, literals } from './sql.ts'
import { typeStatement } from './typed-columns.ts'

export interface CleanRequest {
  readonly inputs: readonly string[]
  /** A file, or a folder for all that is written. */
  readonly output: string
  /** Rows that were dropped; beside the output unless told. */
  readonly rejected?: string | undefined
  readonly report?: string | undefined
  readonly pipeline: Pipeline
  readonly database: DatabaseOptions
}

/** What became of every row: `rows` of the steps and of the output add up to that of the input. */
export interface CleanReport {
  readonly input: { readonly files: readonly string[], readonly rows: number }
  readonly columns: readonly { readonly name: string, readonly from: string, readonly type: string }[]
  readonly steps: readonly { readonly name: string, readonly why: string, readonly rows: number }[]
  readonly rejected: { readonly file: string, readonly rows: number }
  readonly output: { readonly file: string, readonly rows: number }
  readonly notices: readonly string[]
}

/**
 * Reads, types and filters rows, and writes those that are left and, apart, those that are not.
 * When this returns all files are there, when it throws none.
 *
 * @throws FatalError
 */
export async function clean (request: CleanRequest): Promise<CleanReport> {
  const paths = outputPaths(request)
  const database = await openDatabase(request.database)
  const outputs = openOutputs()
  try {
    const plan = await makePlan(database, request)
    await checkOutputs({ '--output': paths.output, '--rejected': paths.rejected, '--report': paths.report }, plan.files.map(({ path }) => path))
    for (const statement of plan.statements) await database.run(statement)
    const report = await account(database, plan, paths)
    for (const statement of writeStatements(plan, await outputs.draft(paths.output), await outputs.draft(paths.rejected))) await database.run(statement)
    if (paths.report !== undefined) await outputs.writeText(paths.report, `${JSON.stringify(report, null, 2)}\n`)
    await outputs.commit()
    return report
  } finally {
    await outputs.discard()
    await database.close()
  }
}

/** The statements as they would run, in order; only the headers of the inputs are read. */
export async function explainClean (request: CleanRequest): Promise<readonly Statement[]> {
  const paths = outputPaths(request)
  const database = await openDatabase(request.database)
  try {
    const plan = await makePlan(database, request)
    return [...plan.statements, ...writeStatements(plan, paths.output, paths.rejected)]
  } finally {
    await database.close()
  }
}

function outputPaths ({ output, rejected, report }: CleanRequest): { output: string, rejected: string, report: string | undefined } {
  if (rejected !== undefined) checkTableFile(rejected, '--rejected')
  if (!isTableFile(output)) {
    return { output: join(output, 'clean.parquet'), rejected: rejected ?? join(output, 'rejected.csv'), report: report ?? join(output, 'report.json') }
  }
  return { output, rejected: rejected ?? output.replace(/\.(parquet|csv|csv\.gz)$/, '.rejected.csv'), report }
}

interface Plan {
  readonly files: readonly InputFile[]
  readonly source: Source
  readonly columns: readonly Column[]
  readonly steps: readonly Step[]
  readonly notices: readonly string[]
  readonly statements: readonly Statement[]
}

async function makePlan (database: Database, { inputs, pipeline }: CleanRequest): Promise<Plan> {
  const files = await findInputs(database, inputs, pipeline.input)
  const source = makeSource(files, pipeline.columns, { asText: true, encoding: pipeline.input.encoding })
  const names = source.columns.map(({ name }) => name)
  const present = new Set(names)
  const columns = pipeline.columns.filter(({ name }) => present.has(name))
  const steps = pipeline.steps.flatMap(step => withColumns(step, present) ?? [])
  return {
    files,
    source,
    columns,
    steps,
    notices: [
      ...pipeline.columns.filter(({ name }) => !present.has(name)).map(({ name }) => `no input has a column for ${name}: it is left out`),
      ...pipeline.steps.filter(step => withColumns(step, present) === undefined).map(({ name }) => `the step ${name} is left out: the input lacks its column`),
      ...source.unused.length > 0 ? [`columns that are not read: ${source.unused.join(', ')}`] : [],
    ],
    statements: [
      { name: 'read', sql: `CREATE TABLE raw AS\n${source.sql}` },
      typeStatement(columns, pipeline.input.missing),
      ...steps.map(step => stepStatement(step, names)),
    ],
  }
}

function writeStatements ({ columns, files }: Plan, output: string, rejected: string): Statement[] {
  const names = columns.map(({ name }) => identifier(name))
  const hasCsv = files.some(({ format }) => format === 'csv')
  const dropped = `SELECT ${list(['t._step', 't._reason', `${literals(files.map(({ path }) => path))}[r._file + 1] AS _file`, ...names.map(name => `r.${name}`), 'CAST(NULL AS VARCHAR) AS _line', 't._row AS _order'])}
FROM typed t JOIN raw r ON r.rowid = t._row WHERE t._step IS NOT NULL`
  const malformed = `SELECT ${list(["'malformed'", 'reason', 'path', ...names.map(() => 'NULL'), 'text', 'line'])}
FROM (${malformedSql})`
  return [
    { name: 'write', sql: copySql(`SELECT ${names.join(', ')}\nFROM typed WHERE _step IS NULL ORDER BY _row`, output) },
    {
      name: 'write_rejected',
      sql: copySql(`SELECT * EXCLUDE (_order) FROM (\n${dropped}${hasCsv ? `\nUNION ALL\n${malformed}` : ''}\n) ORDER BY _step = 'malformed', _order, _file`, rejected),
    },
  ]
}

async function account (database: Database, { files, source, columns, steps, notices }: Plan, paths: { output: string, rejected: string }): Promise<CleanReport> {
  const hasCsv = files.some(({ format }) => format === 'csv')
  const counts = new Map<string, number>()
  const rows = await database.rows({ name: 'count', sql: "SELECT coalesce(_step, 'kept') AS step, CAST(count(*) AS DOUBLE) AS n FROM typed GROUP BY ALL" })
  for (const { step, n } of rows) counts.set(String(step), Number(n))
  if (hasCsv) counts.set('malformed', await countMalformed(database))
  const kept = counts.get('kept') ?? 0
  if (hasCsv) await checkWhole(database, source, [...counts.values()].reduce((sum, n) => sum + n, 0))
  const dropped = [
    { name: 'malformed', why: 'a line that cannot be split into the columns' },
    { name: 'unreadable', why: 'a value that is not of its column\'s type' },
    ...steps.map(step => ({ name: step.name, why: reasonOf(step) })),
  ].map(step => ({ ...step, rows: counts.get(step.name) ?? 0 }))
  const rejected = dropped.reduce((sum, { rows }) => sum + rows, 0)
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  const unreadable = counts.get('unreadable') ?? 0
  return {
    input: { files: files.map(({ path }) => path), rows: kept + rejected },
    columns: source.columns.map(({ name, from }) => ({ name, from, type: types.get(name)! })),
    steps: dropped,
    rejected: { file: paths.rejected, rows: rejected },
    output: { file: paths.output, rows: kept },
    notices: [
      ...notices,
      ...unreadable * 2 > kept + rejected ? ['most rows are unreadable: columns.time.formats and columns.<name>.decimal of the pipeline file say how they are written'] : [],
    ],
  }
}
