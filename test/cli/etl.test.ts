import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CleanReport } from '../../src/etl/clean.ts'
import { hasDuckdb, query } from '../etl/duckdb.ts'
import { type Ended, modelport } from './modelport.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-etl-test-'))
  await mkdir(join(folder, 'spill'))
  vi.stubEnv('TMPDIR', join(folder, 'spill'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  const spilled = await readdir(join(folder, 'spill'))
  await rm(folder, { recursive: true })
  expect(spilled).toEqual([])
})

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const sale = '536365,85123a,WHITE HOLDER,6,12/1/2010 8:26,2.55,17850.0,United Kingdom'

/** One row for each reason to be dropped, and two that stay. */
const raw = [
  header,
  sale,
  sale,
  'C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527.0,United Kingdom',
  'A563185,B,Adjust bad debt,1,8/12/2011 14:50,11062.06,,United Kingdom',
  '536370,22728,"CLOCK, RED",24,12/1/2010 8:45,3.75,12583.0,France',
  '536414,22139,,56,12/1/2010 11:52,0,,United Kingdom',
  '536544,POST,POSTAGE,1,12/1/2010 14:32,18,12583.0,France',
  '536589,21777,,-10,12/1/2010 16:50,1,17850.0,United Kingdom',
  '536600,21777,FREE,10,12/1/2010 16:50,0,17850.0,United Kingdom',
  '536601,21777,,10,,1,17850.0,United Kingdom',
  '536602,21777,WHEN,10,13/13/2010 1:00,1,17850.0,United Kingdom',
  '536603,21777,HOW MUCH,2.5,2010-12-01 08:26:00,cheap,17850.0,United Kingdom',
  '536604,21777,SHORT',
  '536605,21777,LONG,1,12/1/2010 8:26,1,17850.0,France,more,and more',
].join('\n') + '\n'

function at (name: string): string {
  return join(folder, name)
}

async function etl (...args: readonly string[]): Promise<Ended> {
  return modelport(['etl', ...args])
}

async function cleaned (...args: readonly string[]): Promise<CleanReport> {
  const { code, out, err } = await etl('clean', ...args, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as CleanReport
}

async function write (name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(at(name), content)
  return at(name)
}

function droppedOf ({ steps }: CleanReport): Record<string, number> {
  return Object.fromEntries(steps.filter(({ rows }) => rows > 0).map(({ name, rows }) => [name, rows]))
}

describe.skipIf(!hasDuckdb)('etl clean', () => {
  test('gives columns their types, drops what is no sale, and accounts for every row', async () => {
    const input = await write('raw.csv', raw)
    const report = await cleaned('--input', input, '--output', at('clean.parquet'))
    expect(droppedOf(report)).toEqual({
      malformed: 2, unreadable: 2, duplicate: 1, cancelled: 1, adjustment: 1, missing_value: 1, no_customer: 1, not_a_product: 1, nothing_sold: 1, no_price: 1,
    })
    expect(report).toMatchObject({ input: { files: [input], rows: 14 }, output: { rows: 2 }, rejected: { rows: 12, file: at('clean.rejected.csv') } })
    expect(await query(`DESCRIBE FROM '${at('clean.parquet')}'`).then(rows => rows.map(row => [row['column_name'], row['column_type']]))).toEqual([
      ['invoice', 'VARCHAR'], ['product', 'VARCHAR'], ['description', 'VARCHAR'], ['quantity', 'BIGINT'], ['time', 'TIMESTAMP'],
      ['price', 'DOUBLE'], ['customer', 'VARCHAR'], ['country', 'VARCHAR'],
    ])
    expect(await query(`FROM '${at('clean.parquet')}'`)).toEqual([
      { invoice: '536365', product: '85123A', description: 'WHITE HOLDER', quantity: '6', time: '2010-12-01 08:26:00', price: 2.55, customer: '17850', country: 'United Kingdom' },
      { invoice: '536370', product: '22728', description: 'CLOCK, RED', quantity: '24', time: '2010-12-01 08:45:00', price: 3.75, customer: '12583', country: 'France' },
    ])
  })

  test('keeps what was dropped as it was, with the reason', async () => {
    const input = await write('raw.csv', raw)
    await cleaned('--input', input, '--output', at('clean.csv'), '--rejected', at('why.csv'))
    const lines = (await readFile(at('why.csv'), 'utf8')).trimEnd().split('\n')
    expect(lines[0]).toBe('_step,_reason,_file,invoice,product,description,quantity,time,price,customer,country,_line')
    expect(lines).toHaveLength(13)
    expect(lines).toContain(`duplicate,the same as an earlier row,${input},536365,85123a,WHITE HOLDER,6,12/1/2010 8:26,2.55,17850.0,United Kingdom,`)
    expect(lines).toContain(`missing_value,without time,${input},536601,21777,,10,,1,17850.0,United Kingdom,`)
    expect(lines).toContain(`unreadable,time is not a time,${input},536602,21777,WHEN,10,13/13/2010 1:00,1,17850.0,United Kingdom,`)
    expect(lines).toContain(`unreadable,quantity is not a whole number; price is not a number,${input},536603,21777,HOW MUCH,2.5,2010-12-01 08:26:00,cheap,17850.0,United Kingdom,`)
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^malformed,.*,,,,,,,,,"536604,21777,SHORT"$/),
      expect.stringMatching(/^malformed,.*,"536605,21777,LONG,1,12\/1\/2010 8:26,1,17850\.0,France,more,and more"$/),
    ])
  })

  test('prints the account as a table', async () => {
    const { code, out } = await etl('clean', '--input', await write('raw.csv', raw), '--output', at('out'))
    expect(code).toBe(0)
    expect(out).toMatch(/^read +14 .*raw\.csv\n {2}malformed +-2 +14\.3 % {2}a line/)
    expect(out).toMatch(/^kept +2 +14\.3 % {2}.*clean\.parquet$/m)
    expect((await readdir(at('out'))).sort()).toEqual(['clean.parquet', 'rejected.csv', 'report.json'])
    const report = JSON.parse(await readFile(at('out/report.json'), 'utf8')) as CleanReport
    expect(report.input.rows).toBe(report.output.rows + report.steps.reduce((sum, { rows }) => sum + rows, 0))
  })

  test('cleaning what is clean changes nothing', async () => {
    await cleaned('--input', await write('raw.csv', raw), '--output', at('once.csv'))
    const report = await cleaned('--input', at('once.csv'), '--output', at('twice.csv'))
    expect(droppedOf(report)).toEqual({})
    expect(await readFile(at('twice.csv'), 'utf8')).toBe(await readFile(at('once.csv'), 'utf8'))
  })

  describe('reads the same from', () => {
    const rows = [sale, '536370,22728,"CLOCK\n""RED""",24,12/1/2010 8:45,3.75,12583.0,Côte']
    const good = [header, ...rows].join('\n') + '\n'
    const semicolons = good.replace('"CLOCK\n""RED"""', 'CLOCK').replaceAll(',', ';').replace('CLOCK', '"CLOCK\n""RED"""')

    test.each<[string, Record<string, string | Uint8Array>, string]>([
      ['gzip', { 'a.csv.gz': gzipSync(good) }, 'a.csv.gz'],
      ['gzip of another name', { 'a.dat': gzipSync(good) }, 'a.dat'],
      ['lines that end in CR LF', { 'a.csv': good.replaceAll('\n', '\r\n') }, 'a.csv'],
      ['lines that end in CR', { 'a.csv': good.replaceAll('\n', '\r') }, 'a.csv'],
      ['a byte order mark', { 'a.csv': `\uFEFF${good}` }, 'a.csv'],
      ['semicolons', { 'a.csv': semicolons }, 'a.csv'],
      ['tabs', { 'a.tsv': semicolons.replaceAll(';', '\t') }, 'a.tsv'],
      ['no newline at the end', { 'a.csv': good.trimEnd() }, 'a.csv'],
      ['several files, columns in another order', {
        '1.csv': `${header}\n${rows[0]}\n`,
        '2.csv': 'Country,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo,Extra\nCôte,12583,3.75,2010-12-01T08:45,24,"CLOCK\n""RED""",22728,536370,x\n',
      }, '*.csv'],
      ['a folder whose name needs quotes', { "it's [1]*/a.csv": good }, "it's [1]*/a.csv"],
    ])('%s', async (_, files, input) => {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(join(at(name), '..'), { recursive: true })
        await write(name, content)
      }
      await cleaned('--input', at(input), '--output', at('out/clean.csv'))
      const { 0: first, 1: second } = await query(`SELECT * REPLACE (replace(replace(description, chr(13) || chr(10), chr(10)), chr(13), chr(10)) AS description) FROM read_csv('${at('out/clean.csv')}', all_varchar = true)`)
      expect(first).toMatchObject({ invoice: '536365', quantity: '6', time: '2010-12-01 08:26:00', customer: '17850' })
      expect(second).toMatchObject({ invoice: '536370', description: 'CLOCK\n"RED"', price: '3.75', customer: '12583', country: 'Côte' })
    })

    test('Parquet, together with CSV', async () => {
      await query(`COPY (SELECT '536365' AS InvoiceNo, '85123A' AS StockCode, 6 AS Quantity, TIMESTAMP '2010-12-01 08:26:00' AS InvoiceDate, 2.55 AS UnitPrice, 17850.0::DOUBLE AS CustomerID) TO '${at('a.parquet')}'`)
      const report = await cleaned('--input', at('a.parquet'), await write('b.csv', good), '--output', at('clean.csv'))
      expect(report).toMatchObject({ input: { rows: 3 }, output: { rows: 3 } })
      expect(await readFile(at('clean.csv'), 'utf8')).toMatch(/^.*\n536365,85123A,,6,2010-12-01 08:26:00,2\.55,17850,\n536365,85123A,WHITE HOLDER,/)
    })
  })

  test.each<[string, string | undefined]>([
    ['2010-12-01', '2010-12-01 00:00:00'],
    ['2010-12-01 08:26:00', '2010-12-01 08:26:00'],
    ['2010-12-01T08:26', '2010-12-01 08:26:00'],
    ['2010/12/1', '2010-12-01 00:00:00'],
    ['12/1/2010 8:26', '2010-12-01 08:26:00'],
    ['12/01/2010 08:26:59', '2010-12-01 08:26:59'],
    ['12/1/10 8:26', '2010-12-01 08:26:00'],
    ['12/1/2010', '2010-12-01 00:00:00'],
    ['1-12-2010 08:26', '2010-12-01 08:26:00'],
    ['1.12.2010', '2010-12-01 00:00:00'],
    ['\t 12/1/2010 8:26\u00a0', '2010-12-01 08:26:00'],
    ['12/1/10', undefined],
    ['13/1/2010 8:26', undefined],
    ['1-12-10', undefined],
    ['2010', undefined],
    ['0010-12-01', undefined],
    ['epoch', undefined],
    ['infinity', undefined],
    ['soon', undefined],
  ])('the time %j is %s', async (text, expected) => {
    const report = await cleaned('--input', await write('raw.csv', `${header}\n${sale.replace('12/1/2010 8:26', text)}\n`), '--output', at('clean.csv'))
    expect(droppedOf(report)).toEqual(expected === undefined ? { unreadable: 1 } : {})
    expect((await readFile(at('clean.csv'), 'utf8')).split('\n')[1]?.split(',')[4]).toBe(expected)
  })

  test('blanks of every kind around a value are not its own', async () => {
    await cleaned('--input', await write('raw.csv', `${header}\n ${sale.replaceAll(',', '\u00a0,\t')} \n`), '--output', at('clean.csv'))
    expect((await readFile(at('clean.csv'), 'utf8')).split('\n')[1]).toBe('536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom')
  })

  test('formats of a pipeline file are tried in their order, years of two digits among them', async () => {
    const config = await write('pipeline.yaml', "columns: { time: { from: InvoiceDate, formats: ['%d/%m/%Y', '%d/%m/%y', '%y%m%d', '%d %b %y'] } }\n")
    const times = ['1/2/2010', '1/2/10', '100201', '1 Feb 10']
    await cleaned('--input', await write('raw.csv', [header, ...times.map((time, i) => sale.replace('12/1/2010 8:26', time).replace('536365', String(i)))].join('\n')), '--output', at('clean.csv'), '--config', config)
    expect((await readFile(at('clean.csv'), 'utf8')).trimEnd().split('\n').slice(1).map(line => line.split(',')[4])).toEqual(times.map(() => '2010-02-01 00:00:00'))
  })

  test('a pipeline file fits it to other columns', async () => {
    const config = await write('pipeline.yaml', `
input: { encoding: latin-1, missing: ['-'] }
columns:
  customer: 'Kunden "Nr"'
  invoice: { from: [Beleg], case: lower }
  product: Artikel
  time: { from: Datum, formats: ['%d.%m.%Y'] }
  price: { from: Preis, decimal: ',' }
  quantity: Menge
  description: false
  country: false
  channel: { from: Kanal, type: text }
clean:
  steps:
    - { name: no_customer, missing: [customer], why: guests }
    - { name: returns, matches: { column: invoice, pattern: '^r' } }
    - { name: staff, in: { column: channel, values: [intern] } }
    - { name: wholesale, atLeast: { column: quantity, value: 1000 } }
    - { name: twice, duplicates: [invoice, product] }
`)
    const input = await write('verkauf.csv', Buffer.from([
      '"Kunden ""Nr""";Beleg;Artikel;Datum;Preis;Menge;Kanal',
      '7;X1;Käse;3.2.2024;1.234,50;2;Laden',
      '7;X1;Käse;4.2.2024;1,00;2;Laden',
      '-;X2;Brot;3.2.2024;1,00;1;Laden',
      '8;R1;Brot;3.2.2024;1,00;1;Laden',
      '9;X3;Brot;3.2.2024;1,00;1;intern',
      '9;X4;Brot;3.2.2024;1,00;1000;Laden',
    ].join('\n'), 'latin1'))
    const report = await cleaned('--input', input, '--output', at('clean.csv'), '--config', config)
    expect(droppedOf(report)).toEqual({ no_customer: 1, returns: 1, staff: 1, wholesale: 1, twice: 1 })
    expect(report.steps.find(({ name }) => name === 'no_customer')?.why).toBe('guests')
    expect(await readFile(at('clean.csv'), 'utf8')).toBe('invoice,product,quantity,time,price,customer,channel\nx1,Käse,2,2024-02-03 00:00:00,1234.5,7,Laden\n')
  })

  test('--explain prints each step as SQL that runs, and runs none of it', async () => {
    const input = await write('raw.csv', raw)
    const { code, out } = await etl('clean', '--input', input, '--output', at('clean.csv'), '--explain')
    expect(code).toBe(0)
    expect(Array.from(out.matchAll(/^-- (.+)$/gm), ([, name]) => name)).toEqual([
      'read', 'type', 'duplicate', 'cancelled', 'adjustment', 'missing_value', 'no_customer', 'not_a_product', 'nothing_sold', 'no_price', 'write', 'write_rejected',
    ])
    expect((await readdir(folder)).sort()).toEqual(['raw.csv', 'spill'])
    await query(out)
    const byHand = await readFile(at('clean.csv'), 'utf8')
    await cleaned('--input', input, '--output', at('again.csv'))
    expect(await readFile(at('again.csv'), 'utf8')).toBe(byHand)
  })

  test('says which columns and steps are left out', async () => {
    const { out } = await etl('clean', '--input', await write('raw.csv', 'InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Till\n1,2,3,2010-12-01,5,6,7\n'), '--output', at('clean.csv'))
    expect(out).toContain('note: no input has a column for description: it is left out')
    expect(out).toContain('note: columns that are not read: Till')
  })

  test.each<[string, Record<string, string | Uint8Array>, string[], RegExp]>([
    ['a file that is not there', {}, ['raw.csv'], /there is no file .*raw\.csv$/],
    ['a glob without files', {}, ['*.csv'], /there is no file .*\*\.csv$/],
    ['a folder', {}, ['spill'], /spill is a folder: name its files/],
    ['an empty file', { 'raw.csv': '' }, ['raw.csv'], /raw\.csv is empty/],
    ['a blank first line', { 'raw.csv': '\n1,2\n' }, ['raw.csv'], /raw\.csv has no header/],
    ['missing columns', { 'raw.csv': 'InvoiceNo,Quantity\n1,2\n' }, ['raw.csv'], /raw\.csv has no column "StockCode" \(for product\), .*no column "UnitPrice" or "Price" \(for price\).*; it has InvoiceNo, Quantity$/],
    ['a column that is there twice', { 'raw.csv': `${header},Quantity\n` }, ['raw.csv'], /two columns "Quantity"/],
    ['lines that end now in LF, now in CR LF', { 'raw.csv': `${header}\n${sale}\r\n${sale}\n` }, ['raw.csv'], /lines must all end in LF or all in CR LF/],
    ['lines that end now in CR LF, now in LF', { 'raw.csv': `${header}\r\n${sale}\n${sale}\r\n` }, ['raw.csv'], /lines must all end in LF or all in CR LF/],
    ['what is not text', { 'raw.csv': Buffer.from([1, 2, 3, 0, 10, 5]) }, ['raw.csv'], /raw\.csv is not CSV/],
    ['another encoding', { 'raw.csv': Buffer.from('Käufer,x\n', 'latin1') }, ['raw.csv'], /is not CSV in utf-8: set input\.encoding/],
    ['a truncated gzip', { 'raw.csv.gz': gzipSync(raw).subarray(0, -40) }, ['raw.csv.gz'], /raw\.csv\.gz cannot be decompressed: unexpected end of file/],
    ['a corrupt gzip', { 'raw.csv.gz': gzipSync(raw).fill(7, 200, 230) }, ['raw.csv.gz'], /raw\.csv\.gz cannot be decompressed/],
    ['a truncated Parquet file', { 'raw.parquet': 'PAR1 and no more' }, ['raw.parquet'], /raw\.parquet.*: .*(magic bytes|footer|too small)/i],
  ])('refuses %s, and writes nothing', async (_, files, inputs, message) => {
    for (const [name, content] of Object.entries(files)) await write(name, content)
    const before = (await readdir(folder)).sort()
    const { code, out, err } = await etl('clean', '--input', ...inputs.map(at), '--output', at('out/deep/clean.csv'))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toContain('\n')
    expect((await readdir(folder)).sort()).toEqual(before)
  })

  test('refuses to replace an input, or one output by another', async () => {
    const input = await write('raw.csv', raw)
    expect((await etl('clean', '--input', input, '--output', at('spill/../raw.csv'))).err).toMatch(/--output .* would replace the input/)
    expect((await etl('clean', '--input', input, '--output', at('a.csv'), '--rejected', at('a.csv'))).err).toMatch(/--rejected .*a\.csv would replace --output/)
    expect((await etl('clean', '--input', input, '--output', at('a.csv'), '--rejected', at('a.txt'))).err).toMatch(/must end in \.parquet, \.csv, \.csv\.gz/)
    expect(await readFile(input, 'utf8')).toBe(raw)
  })

  test.each<[string, RegExp]>([
    ['columns: [', /pipeline\.yaml: .*line 1/],
    ['colums: {}\nclean: { steps: [{ name: X, missing: [] }] }', /\/colums is not a known field; .*\/clean\/steps\/0/],
    ['columns: { till: { from: Till } }', /\/columns\/till must have type/],
    ['columns: { Till: x }', /\/columns/],
    ['columns: { price: { type: money } }', /\/columns\/price\/type must be "text" or/],
    ['clean: { steps: [{ name: a, missing: [nothing] }, { name: a, atMost: { column: country, value: 1 } }] }',
      /\/clean\/steps\/0 names the column "nothing"; there are invoice, .*; .*\/clean\/steps\/1\/name "a" is taken; \/clean\/steps\/1 compares "country" with a number, and it is text/],
    ['clean: { steps: [{ name: a, matches: { column: price, pattern: x } }] }', /\/clean\/steps\/0 looks into the text of "price", and it is number/],
    ['clean: { steps: [{ name: a, matches: { column: invoice, pattern: "(" } }] }', /a: .*missing \)/],
    ['rfm: { horizonDays: 0 }', /\/rfm\/horizonDays must be >= 1/],
  ])('refuses the pipeline file %j', async (text, message) => {
    const config = await write('pipeline.yaml', text)
    const { code, err } = await etl('clean', '--input', await write('raw.csv', raw), '--output', at('clean.csv'), '--config', config)
    expect(err).toMatch(message)
    expect(code).toBe(1)
    expect((await readdir(folder)).sort()).toEqual(['pipeline.yaml', 'raw.csv', 'spill'])
  })
})

test.each<[string[], RegExp]>([
  [[], /say which: clean or rfm/],
  [['wash'], /there is no etl command "wash"; there are clean, rfm/],
  [['clean', '--output', 'x.csv'], /--input is missing/],
  [['clean', '--input', 'x.csv'], /--output is missing/],
  [['clean', '--input', 'x.csv', '--output', 'y.csv', '--memory', 'much'], /--memory must be a size/],
  [['clean', '--input', 'x.csv', '--output', 'y.csv', '--cutoff', '2011-01-01'], /--cutoff/],
  [['rfm', '--input', 'x.csv', '--output', 'y.csv'], /--cutoff is missing/],
  [['rfm', '--input', 'x.csv', '--output', 'y.csv', '--cutoff', '2011-02-30'], /--cutoff must be a day such as 2011-09-01, not "2011-02-30"/],
  [['rfm', '--input', 'x.csv', '--output', 'y.csv', '--cutoff', '2011-02-01', '--horizon-days', '0'], /--horizon-days must be a whole number/],
])('misuse: %j', async (args, message) => {
  const { code, err } = await etl(...args)
  expect(err).toMatch(message)
  expect(code).toBe(2)
})
