import { expect, test } from 'vitest'
import { openDatabase } from '../../src/etl/database.ts'
import { FatalError } from '../../src/errors.ts'
import { hasDuckdb } from './duckdb.ts'

test('without DuckDB, an optional package, a command says what to install', async () => {
  const load = () => Promise.reject(new Error("Cannot find package '@duckdb/node-api' imported from here"))
  const opening = openDatabase({ memory: '100MB', load })
  await expect(opening).rejects.toThrow(FatalError)
  await expect(opening).rejects.toThrow(/needs DuckDB, which is an optional package and is not installed: run npm ci --include=optional.*Cannot find package/)
})

test.skipIf(!hasDuckdb)('a statement that runs ends when it is given up, and no further one begins', async () => {
  const controller = new AbortController()
  const database = await openDatabase({ memory: '100MB', signal: controller.signal })
  try {
    // More rows than anybody would wait for.
    const endless = database.run({ name: 'endless', sql: 'SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b' })
    controller.abort()
    await expect(endless).rejects.toThrow(/^endless: .*(interrupt|aborted)/i)
    await expect(database.run({ name: 'next', sql: 'SELECT 1' })).rejects.toThrow(/^next: .*aborted/)
  } finally {
    await database.close()
  }
})
