import fc from 'fast-check'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RfmReport } from '../../src/etl/rfm.ts'
import { type Ended, modelport } from '../cli/modelport.ts'
import { hasDuckdb, query } from './duckdb.ts'
import { type Purchase, features, targets } from './rfm-reference.ts'

let folder: string

beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'modelport-rfm-test-')) })
afterEach(() => rm(folder, { recursive: true }))

function at (name: string): string {
  return join(folder, name)
}

const header = 'customer,invoice,time,product,quantity,price'

async function write (name: string, purchases: readonly Purchase[]): Promise<string> {
  await writeFile(at(name), [header, ...purchases.map(({ customer, invoice, time, product, quantity, cents }) =>
    [customer, invoice, time, product, quantity, (cents / 100).toFixed(2)].join(','))].join('\n') + '\n')
  return at(name)
}

async function rfm (input: string, ...args: readonly string[]): Promise<Ended> {
  return modelport(['etl', 'rfm', '--input', input, '--output', at('out.csv'), ...args])
}

/** The columns of features and the target of each row, as they stand in the file. */
async function parts (purchases: readonly Purchase[], cutoff: string): Promise<{ features: string[], target: string[] }> {
  const { code, err } = await rfm(await write('in.csv', purchases), '--cutoff', cutoff, '--horizon-days', '30')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const lines = (await readFile(at('out.csv'), 'utf8')).trimEnd().split('\n')
  return { features: lines.map(line => line.slice(0, line.lastIndexOf(','))), target: lines.map(line => line.slice(line.lastIndexOf(',') + 1)) }
}

const day = 86_400_000
const start = Date.UTC(2011, 0, 1)
const cutoff = '2011-03-01'
const cutoffDay = (Date.parse(cutoff) - start) / day

/** A purchase on a day counted from the start of 2011. */
function purchase (days: fc.Arbitrary<number>): fc.Arbitrary<Purchase> {
  return fc.record({
    customer: fc.constantFrom('a', 'b', 'c', '17850'),
    invoice: fc.integer({ min: 1, max: 12 }).map(String),
    day: days,
    minute: fc.constantFrom(0, 1, 600, 1439),
    product: fc.constantFrom('x', 'y', 'z'),
    quantity: fc.integer({ min: 1, max: 1000 }),
    cents: fc.integer({ min: 1, max: 100_000 }),
  }).map(({ day: days, minute, ...rest }) => ({ ...rest, time: new Date(start + days * day + minute * 60_000).toISOString().slice(0, 19).replace('T', ' ') }))
}

// Often on the very day before the cut-off, and at the very instant of it: that is where a feature would see too much.
const before = fc.array(purchase(fc.oneof(fc.constant(cutoffDay - 1), fc.integer({ min: 0, max: cutoffDay - 1 }))), { minLength: 1, maxLength: 25 })
const after = fc.array(purchase(fc.oneof(fc.constant(cutoffDay), fc.integer({ min: cutoffDay, max: cutoffDay + 60 }))), { maxLength: 15 })

describe.skipIf(!hasDuckdb)('etl rfm', () => {
  test('one row per customer, of what was before the cut-off date', async () => {
    const sales: Purchase[] = [
      { customer: 'a', invoice: '1', time: '2011-01-01 10:00:00', product: 'x', quantity: 2, cents: 150 },
      { customer: 'a', invoice: '1', time: '2011-01-01 10:00:00', product: 'y', quantity: 1, cents: 200 },
      { customer: 'a', invoice: '2', time: '2011-01-01 23:59:59', product: 'x', quantity: 1, cents: 100 },
      { customer: 'a', invoice: '3', time: '2011-01-11 00:00:00', product: 'x', quantity: 1, cents: 100 },
      { customer: 'a', invoice: '4', time: '2011-02-20 08:00:00', product: 'x', quantity: 1, cents: 100 },
      { customer: 'b', invoice: '5', time: '2011-02-28 23:59:59', product: 'x', quantity: 1, cents: 100 },
      { customer: 'b', invoice: '6', time: '2011-03-01 00:00:00', product: 'y', quantity: 9, cents: 999 },
      { customer: 'a', invoice: '7', time: '2011-03-31 00:00:00', product: 'y', quantity: 9, cents: 999 },
      { customer: 'new', invoice: '8', time: '2011-03-02 00:00:00', product: 'y', quantity: 9, cents: 999 },
    ]
    const { code, out } = await rfm(await write('in.csv', sales), '--cutoff', cutoff, '--horizon-days', '30')
    expect(code).toBe(0)
    expect(out).toBe(`${cutoff}: 2 customers, of whom 1 buy again within 30 days\n${at('out.csv')}: 2 rows of 9 purchases`)
    expect(await query(`FROM '${at('out.csv')}'`)).toEqual([
      {
        customer: 'a',
        cutoff,
        recency_days: '9',
        frequency: '4',
        monetary: 8,
        tenure_days: '59',
        distinct_products: '2',
        mean_basket: 2,
        mean_days_between: 25,
        std_days_between: Math.sqrt(450),
        cutoff_month: '3',
        cutoff_weekday: '2',
        cutoff_day_of_year: '60',
        buys_again: false,
      },
      {
        customer: 'b',
        cutoff,
        recency_days: '1',
        frequency: '1',
        monetary: 1,
        tenure_days: '1',
        distinct_products: '1',
        mean_basket: 1,
        mean_days_between: null,
        std_days_between: null,
        cutoff_month: '3',
        cutoff_weekday: '2',
        cutoff_day_of_year: '60',
        buys_again: true,
      },
    ])
  })

  test('no feature sees the future: whatever happens from the cut-off on, they stay byte for byte', async () => {
    await fc.assert(fc.asyncProperty(before, after, after, async (past, future, other) => {
      const one = await parts([...past, ...future], cutoff)
      expect((await parts([...other, ...past], cutoff)).features).toEqual(one.features)
      expect((await parts(past, cutoff)).features).toEqual(one.features)
    }), { numRuns: 4 })
  })

  test.each<[string, { frequency: string, again: boolean }]>([
    ['2011-02-28 23:59:59.999999', { frequency: '2', again: false }],
    ['2011-03-01 00:00:00', { frequency: '1', again: true }],
    ['2011-03-01 00:00:00.000001', { frequency: '1', again: true }],
    ['2011-03-30 23:59:59.999999', { frequency: '1', again: true }],
    ['2011-03-31 00:00:00', { frequency: '1', again: false }],
  ])('a purchase at %s is either of the past, of the 30 days that count or of neither: %j', async (time, expected) => {
    const rows = `SELECT * FROM (VALUES ('a', '1', TIMESTAMP '2011-01-01 10:00:00', 'x', 1, 1.0), ('a', '2', TIMESTAMP '${time}', 'y', 1, 1.0)) t(customer, invoice, time, product, quantity, price)`
    for (const [file, format] of [['in.csv', 'csv'], ['in.parquet', 'parquet']] as const) {
      await query(`COPY (${rows}) TO '${at(file)}' (FORMAT ${format})`)
      await rfm(at(file), '--cutoff', cutoff, '--horizon-days', '30')
      const found = await query(`SELECT frequency, distinct_products, recency_days, buys_again AS again FROM '${at('out.csv')}'`)
      const isPast = expected.frequency === '2'
      expect(found).toEqual([{ ...expected, distinct_products: expected.frequency, recency_days: isPast ? '1' : '59' }])
    }
  })

  test('the target sees nothing of the past but who is a customer', async () => {
    await fc.assert(fc.asyncProperty(before, after, async (past, future) => {
      const one = await parts([...past, ...future], cutoff)
      const changed = past.map(sale => ({ ...sale, invoice: `${sale.invoice}0`, time: '2011-01-01 00:00:00', product: 'other', quantity: 1, cents: 1 }))
      expect((await parts([...changed, ...future], cutoff)).target).toEqual(one.target)
    }), { numRuns: 4 })
  })

  test('says what an independent computation says, for several cut-off dates', async () => {
    const cutoffs = ['2011-02-01', cutoff]
    await fc.assert(fc.asyncProperty(before, after, fc.integer({ min: 1, max: 60 }), async (past, future, horizonDays) => {
      const sales = [...future, ...past]
      const expected = cutoffs.flatMap(cutoff => {
        const again = targets(sales, cutoff, horizonDays)
        return features(sales, cutoff).map(row => ({ ...row, buys_again: again.has(row.customer) }))
      })
      const { code } = await rfm(await write('in.csv', sales), ...cutoffs.flatMap(cutoff => ['--cutoff', cutoff]), '--horizon-days', String(horizonDays), '--json')
      expect(code).toBe(0)
      const rows = await query(`SELECT customer, CAST(cutoff AS VARCHAR) AS cutoff, COLUMNS(* EXCLUDE (customer, cutoff, buys_again))::DOUBLE, buys_again
        FROM read_csv('${at('out.csv')}', types = {'customer': 'VARCHAR', 'mean_days_between': 'DOUBLE', 'std_days_between': 'DOUBLE'})`)
      expect(rows).toEqual(expected.map(row => expect.objectContaining({
        ...row,
        std_days_between: row.std_days_between === null ? null : expect.closeTo(row.std_days_between, 9) as number,
      }) as unknown))
    }), { numRuns: 8 })
  })

  test('Parquet of another company, with its own names', async () => {
    await query(`COPY (SELECT 7 AS client, 'i' AS bill, DATE '2011-02-01' AS day, 'p' AS article, 2 AS pieces, 1.25 AS each) TO '${at('in.parquet')}'`)
    await writeFile(at('pipeline.json'), JSON.stringify({
      rfm: { horizonDays: 7, columns: { customer: 'client', invoice: 'bill', time: 'day', product: 'article', quantity: 'pieces', price: 'each' } },
    }))
    const { out } = await rfm(at('in.parquet'), '--cutoff', cutoff, '--config', at('pipeline.json'), '--json')
    const report = JSON.parse(out) as RfmReport
    expect(report).toMatchObject({ input: { rows: 1 }, horizonDays: 7, cutoffs: [{ cutoff, customers: 1, buyingAgain: 0 }], output: { rows: 1 } })
    expect(report.notices).toEqual([`the purchases end on 2011-02-01, before the 7 days from ${cutoff} are over: who buys later counts as not buying again`])
    expect(await query(`SELECT customer, recency_days, monetary FROM '${at('out.csv')}'`)).toEqual([{ customer: '7', recency_days: '28', monetary: 2.5 }])
  })

  test('tells of rows that it cannot use', async () => {
    await writeFile(at('in.csv'), `${header}\na,1,2011-01-01,x,1,1\n,2,2011-01-01,x,1,1\na,3,soon,x,1,1\na,4,2011-01-01,x,1,\na,5\n`)
    const { out } = await rfm(at('in.csv'), '--cutoff', cutoff)
    expect(out).toContain('note: not counted are lines that cannot be split into the columns (1)')
    expect(out).toContain('note: 3 rows without a customer, invoice, time, product, quantity or price are not counted')
    expect(await query(`SELECT frequency FROM '${at('out.csv')}'`)).toEqual([{ frequency: '1' }])
  })

  test('--explain prints SQL that runs, and runs none of it', async () => {
    const input = await write('in.csv', [{ customer: 'a', invoice: '1', time: '2011-01-01 10:00:00', product: 'x', quantity: 2, cents: 150 }])
    const { out } = await rfm(input, '--cutoff', cutoff, '--explain')
    expect(Array.from(out.matchAll(/^-- (.+)$/gm), ([, name]) => name)).toEqual(['purchases', 'cutoffs', 'history', 'gaps', 'features', 'target', 'write'])
    expect(await readdir(folder)).toEqual(['in.csv'])
    await query(out)
    expect((await readdir(folder)).sort()).toEqual(['in.csv', 'out.csv'])
  })

  test.each<[string, string, RegExp]>([
    ['a cut-off date before the first purchase', `${header}\na,1,2012-01-01,x,1,1\n`, /nobody has bought anything before 2011-03-01; the purchases are from 2012-01-01 to 2012-01-01/],
    ['a missing column', 'customer,time\na,2011-01-01\n', /in\.csv has no column "invoice".*; it has customer, time/],
  ])('refuses %s, and writes nothing', async (_, text, message) => {
    await writeFile(at('in.csv'), text)
    const { code, err } = await rfm(at('in.csv'), '--cutoff', cutoff)
    expect(code).toBe(1)
    expect(err).toMatch(message)
    expect(await readdir(folder)).toEqual(['in.csv'])
  })
})
