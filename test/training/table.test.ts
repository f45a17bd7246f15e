import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FatalError } from '../../src/errors.ts'
import { loadTable } from '../../src/training/table.ts'
import type { DataSource } from '../../src/training/training-file.ts'

let folder: string

/** The table, with its rows as lists. */
async function load (source: DataSource, from: string, mayBeNumbers?: (column: string) => boolean) {
  const { cells, rows, ...rest } = await loadTable(source, from, mayBeNumbers)
  expect(cells.map(({ length }) => length)).toEqual(cells.map(() => rows))
  return { ...rest, rows: Array.from({ length: rows }, (_, row) => cells.map(series => series.at(row))) }
}

async function save (file: string, content: string): Promise<void> {
  await writeFile(join(folder, file), content)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-table-'))
  await mkdir(join(folder, 'node_modules', 'herbs', 'lib'), { recursive: true })
  await save('node_modules/herbs/package.json', '{"name": "herbs", "version": "2.1.0", "main": "lib/index.js"}')
  await save('node_modules/herbs/lib/index.js', 'exports.rows = () => [[1, "mint"], [2, null]]; exports.short = () => [[1]]')
  await save('node_modules/herbs/lib/rows.json', '[{"height": 1}]')
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('CSV: quotes, spaces, a byte order mark and empty cells', async () => {
  const text = '\uFEFFheight, name\r\n1.5,"Mint, wild"\r\n,x\r\n'
  await save('plants.csv', text)
  expect(await load({ file: 'plants.csv' }, folder)).toEqual({
    columns: ['height', 'name'],
    rows: [['1.5', 'Mint, wild'], ['', 'x']],
    source: 'plants.csv',
    sha256: createHash('sha256').update(text).digest('hex'),
  })
})

test('columns of which only the numbers matter, until a text is among them, however late that comes', async () => {
  const line = (i: number) => `${i}.50,${i === 1500 ? 'x' : `0${i}`},${i === 2 ? 'y' : `0${i}`},${i === 1 ? 'NA' : i},0${i}`
  await save('long.csv', ['plain,late,early,missing,text', ...Array.from({ length: 2000 }, (_, i) => line(i))].join('\n'))
  const { rows, sha256 } = await load({ file: 'long.csv' }, folder, column => column !== 'text')
  expect([rows[0], rows[1], rows[2], rows[1500]]).toEqual([
    [0.5, '00', '00', 0, '00'], [1.5, '01', '01', null, '01'], [2.5, '02', 'y', 2, '02'], [1500.5, 'x', '01500', 1500, '01500'],
  ])
  expect(sha256).toBe((await load({ file: 'long.csv' }, folder)).sha256)
})

test('TSV', async () => {
  await save('plants.tsv', 'height\tname\n1\ta,b\n')
  expect(await load({ file: 'plants.tsv' }, folder)).toMatchObject({ columns: ['height', 'name'], rows: [['1', 'a,b']] })
})

test('JSON: a key that a row does not have is a missing value', async () => {
  await save('plants.json', '[{"height": 1.5, "name": "mint"}, {"name": null, "wild": true}]')
  expect(await load({ file: 'plants.json' }, folder)).toMatchObject({
    columns: ['height', 'name', 'wild'], rows: [[1.5, 'mint', null], [null, null, true]],
  })
})

test('a file of an npm package, named with its version', async () => {
  expect(await load({ package: 'herbs', file: 'lib/rows.json' }, folder)).toMatchObject({ source: 'herbs@2.1.0 lib/rows.json', rows: [[1]] })
})

test('rows that a package\'s function returns', async () => {
  expect(await load({ package: 'herbs', export: 'rows', columns: ['height', 'name'] }, folder)).toEqual({
    columns: ['height', 'name'],
    rows: [[1, 'mint'], [2, null]],
    source: 'herbs@2.1.0 rows()',
    sha256: createHash('sha256').update('[[1,"mint"],[2,null]]').digest('hex'),
  })
})

test.each([
  ['a file that is not there', { file: 'nowhere.csv' }, 'nowhere.csv cannot be read: ENOENT'],
  ['rows of different widths', { file: 'ragged.csv' }, /ragged\.csv is not CSV: .*line 3/],
  ['a column that occurs twice', { file: 'twice.csv' }, 'twice.csv: the column "a" occurs twice'],
  ['JSON that is none', { file: 'broken.json' }, /broken\.json is not JSON/],
  ['JSON of another shape', { file: 'object.json' }, 'object.json must be a list of objects, one per row'],
  ['a value in a value', { file: 'nested.json' }, 'nested.json, row 2: [1] is neither text, number nor truth value'],
  ['a package that is not installed', { package: 'no-such-herbs', file: 'x.csv' }, /no-such-herbs is not installed: npm install/],
  ['an export that is not there', { package: 'herbs', export: 'weeds', columns: ['a', 'b'] }, 'herbs@2.1.0 exports no function "weeds"'],
  ['rows of another width', { package: 'herbs', export: 'short', columns: ['a', 'b'] }, /must return a list of rows, each a list of 2 values/],
])('refuses %s', async (_, source, message) => {
  await save('ragged.csv', 'a,b\n1,2\n3\n')
  await save('twice.csv', 'a,a\n1,2\n')
  await save('broken.json', '[{')
  await save('object.json', '{"a": 1}')
  await save('nested.json', '[{"a": 1}, {"a": [1]}]')
  const loading = loadTable(source, folder)
  await expect(loading).rejects.toThrow(FatalError)
  await expect(loading).rejects.toThrow(message)
})
