import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { shopCsv } from '../../demo/shop.ts'

function books (transactions: number, seed: number): string {
  return [...shopCsv({ transactions, seed })].join('')
}

describe('the books of the made-up shop', () => {
  const text = books(20_000, 42)
  const rows = text.trimEnd().split('\n').slice(1)
  const matching = (pattern: RegExp): number => rows.filter(row => pattern.test(row)).length

  test('are the same bytes for the same seed, on every machine', () => {
    expect(createHash('sha256').update(text).digest('hex')).toBe('4f97bb3eb3e05d336f31da50a023b979009aeaefce911c0746215256ed5f47b8')
    expect(books(20_000, 43)).not.toBe(text)
  })

  test('have at least as many rows as were asked for, and not many more', () => {
    expect(rows.length).toBeGreaterThanOrEqual(20_000)
    expect(rows.length).toBeLessThan(23_000)
  })

  test('have the columns of the Online Retail data, and its times in order', () => {
    expect(text.split('\n', 1)).toEqual(['InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'])
    const times = rows.flatMap(row => /,(\d+\/\d+\/201[01] \d+:\d\d),/.exec(row)?.[1] ?? []).map(time => Date.parse(`${time} UTC`))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(new Date(times.at(-1)!).toISOString().slice(0, 7)).toBe('2011-12')
  })

  test.each<[string, RegExp, number, number]>([
    ['cancel a sale, with less than nothing sold', /^C\d{6},\w+,.*,-\d+,\d+\/\d+\/\d{4} \d+:\d\d,\d/, 0.002, 0.05],
    ['are without a customer', /,,United Kingdom$/, 0.05, 0.3],
    ['are of another country', /,(?!United Kingdom)[A-Za-z]+$/, 0.02, 0.3],
    ['are postage', /,POST,POSTAGE,/, 0.001, 0.03],
    ['are given away or written off', /,0,\d*,[A-Z][A-Za-z ]+$/, 0.0003, 0.02],
    ['have quotes', /,"[^"]+(""[^"]+"")?",/, 0.02, 0.8],
    ['have no time', /,-?\d+,,[\d.]+,/, 0.0001, 0.005],
  ])('some rows %s', (_, pattern, least, most) => {
    const share = matching(pattern) / rows.length
    expect(share).toBeGreaterThan(least)
    expect(share).toBeLessThan(most)
  })

  test('some rows stand there twice', () => {
    expect(rows.length - new Set(rows).size).toBeGreaterThan(rows.length / 200)
  })

  test('are fuller in November than in February, and empty on Saturdays', () => {
    const days = rows.flatMap(row => /,(\d+\/\d+\/201[01]) /.exec(row)?.[1] ?? []).map(day => new Date(`${day} UTC`))
    const inMonth = (month: number): number => days.filter(day => day.getUTCMonth() === month).length
    expect(inMonth(10)).toBeGreaterThan(1.2 * inMonth(1))
    expect(days.filter(day => day.getUTCDay() === 6)).toEqual([])
  })
})
