import { expect, test } from 'vitest'
import { openDatabase } from '../../src/etl/database.ts'
import { FatalError } from '../../src/errors.ts'

test('without DuckDB, an optional package, a command says what to install', async () => {
  const load = () => Promise.reject(new Error("Cannot find package '@duckdb/node-api' imported from here"))
  const opening = openDatabase({ memory: '100MB', load })
  await expect(opening).rejects.toThrow(FatalError)
  await expect(opening).rejects.toThrow(/needs DuckDB, which is an optional package and is not installed: run npm ci --include=optional.*Cannot find package/)
})
