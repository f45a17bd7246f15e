import { FatalError } from '../errors.ts'
import { type DatabaseOptions, openDatabase } from './database.ts'
import { findInputs } from './input-files.ts'
import type { Pipeline } from './pipeline.ts'
import { makeSource } from './read.ts'

export interface PurchaseDays {
  /** As 2011-12-09. */
  readonly first: string
  readonly last: string
}

/**
 * From when to when clean rows tell of purchases.
 *
 * @throws FatalError where no row has a time
 */
export async function purchaseDays ({ inputs, pipeline, database: options }: { inputs: readonly string[], pipeline: Pipeline, database: DatabaseOptions }): Promise<PurchaseDays> {
  const database = await openDatabase(options)
  try {
    const files = await findInputs(database, inputs, pipeline.input)
    const source = makeSource(files, [{ name: 'time', from: [pipeline.rfm.columns.time], required: true }], { asText: false, encoding: pipeline.input.encoding })
    const [row] = await database.rows({
      name: 'count',
      sql: `SELECT CAST(CAST(min(t) AS DATE) AS VARCHAR) AS first, CAST(CAST(max(t) AS DATE) AS VARCHAR) AS last
FROM (SELECT TRY_CAST(time AS TIMESTAMP) AS t FROM (${source.sql})) WHERE isfinite(t)`,
    })
    if (typeof row?.['first'] !== 'string' || typeof row['last'] !== 'string') throw new FatalError('there is no row with a time')
    return { first: row['first'], last: row['last'] }
  } finally {
    await database.close()
  }
}
