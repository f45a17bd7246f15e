const duckdb = await import('@duckdb/node-api').catch(() => undefined)

/** Whether the optional package is there; where it is not, the tests that need it are skipped and say so. */
export const hasDuckdb = duckdb !== undefined
if (!hasDuckdb) process.stderr.write('Skipped: @duckdb/node-api is not installed, so modelport etl is not tested\n')

/** What a query answers, by DuckDB alone. */
export async function query (sql: string): Promise<Record<string, unknown>[]> {
  const instance = await duckdb!.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
