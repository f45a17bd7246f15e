import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expandGlob } from '../../src/batch/glob.ts'
import { writeFiles } from '../helpers/models.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-glob-'))
  const names = ['b.csv', 'a.csv', 'a1.csv', 'a[1].csv', '.hidden.csv', 'c.ndjson', 'deep/d.csv', 'deep/er/e.csv', 'deep/.git/f.csv', 'a.csv.gz']
  await writeFiles(folder, Object.fromEntries(names.map(name => [name, ''])))
})

afterAll(async () => { await rm(folder, { recursive: true }) })

test.each([
  ['a.csv', ['a.csv']],
  ['*.csv', ['a.csv', 'a1.csv', 'a[1].csv', 'b.csv']],
  ['?.csv', ['a.csv', 'b.csv']],
  ['[!a].csv', ['b.csv']],
  ['a[0-9].csv', ['a1.csv']],
  ['a[1].csv', ['a[1].csv']],
  ['.*.csv', ['.hidden.csv']],
  ['*/*.csv', ['deep/d.csv']],
  ['**/*.csv', ['a.csv', 'a1.csv', 'a[1].csv', 'b.csv', 'deep/d.csv', 'deep/er/e.csv']],
  ['deep/**/e.csv', ['deep/er/e.csv']],
  ['*.(csv', []],
  ['none/*', []],
  ['a.csv/*', []],
  ['deep', []],
])('%s', async (pattern, found) => {
  expect(await expandGlob(join(folder, pattern))).toEqual(found.map(name => join(folder, name)))
})
