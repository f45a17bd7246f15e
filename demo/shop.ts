import { bookDays, openDay, timeText } from './calendar.ts'
import { type Product, home, makeCatalogue } from './catalogue.ts'
import { type Order, ordersOf } from './customers.ts'
import { type Dice, makeDice } from './dice.ts'

export interface ShopOptions {
  /** Rows, at least; the last customer's purchases go beyond it. */
  readonly transactions: number
  readonly seed: number
}

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n'
const firstInvoice = 536_365

/** Streams of chance that belong to no customer. */
const catalogueStream = -1
const booksStream = -3

/** Shares of orders with something amiss in the books, and of lines. */
const amiss = { cancelled: 0.07, adjusted: 0.0003, damaged: 0.012, duplicated: 0.012, free: 0.001, nameless: 0.002, undated: 0.0003 }
const minutesPerDay = 1440

interface Entry { readonly minute: number, readonly order: Order, readonly cancels: boolean }

/**
 * A year of a wholesaler's books as CSV, made up, in the shape of the Online Retail data (UCI): invoices of many lines,
 * those that begin with C cancel one; lines without a customer, twice, with nothing or less than nothing sold,
 * fees and corrections among them. The same options give the same bytes on every machine.
 *
 * @returns pieces of text, an invoice or less each
 */
export function * shopCsv ({ transactions, seed }: ShopOptions): Generator<string> {
  const catalogue = makeCatalogue(makeDice(seed, catalogueStream))
  const dice = makeDice(seed, booksStream)
  yield header
  const entries = makeEntries(transactions, seed, dice)
  for (const [i, { order, minute, cancels }] of entries.entries()) {
    const lines = linesOf(order, catalogue, seed)
    const number = `${cancels ? 'C' : ''}${firstInvoice + i}`
    const rows = cancels ? cancelled(lines, makeDice(seed, order.stream - 2 ** 31)) : lines
    yield written(rows, { number, minute, order }, dice)
    if (!cancels) yield odds(firstInvoice + i, minute, catalogue, dice)
  }
}

/** All invoices in the order of time, and a little later those that cancel some of them. */
function makeEntries (transactions: number, seed: number, dice: Dice): Entry[] {
  const entries: Entry[] = []
  for (let number = 0, rows = 0; rows < transactions; number++) {
    for (const order of ordersOf(number, seed)) {
      entries.push({ minute: order.minute, order, cancels: false })
      rows += order.lines
      if (order.customer === undefined || !dice.chance(amiss.cancelled)) continue
      const minute = openDay(Math.floor(order.minute / minutesPerDay) + 1 + dice.below(20)) * minutesPerDay + 480 + dice.below(600)
      if (minute < bookDays * minutesPerDay) entries.push({ minute, order, cancels: true })
    }
  }
  return entries.sort((a, b) => a.minute - b.minute || a.order.stream - b.order.stream)
}

interface Line { readonly product: Product, readonly quantity: number }

function linesOf ({ lines, pieces, stream, country }: Order, catalogue: readonly Product[], seed: number): Line[] {
  const dice = makeDice(seed, stream)
  const bought = Array.from({ length: lines }, (): Line => {
    // A few products make up most of what is sold.
    const product = catalogue[Math.floor(dice.unit() * dice.unit() * catalogue.length)]!
    return { product, quantity: 1 + Math.floor(dice.exponential() * pieces) }
  })
  if (country === home) return bought
  return [...bought, { product: { code: 'POST', description: 'POSTAGE', pence: 1800 }, quantity: 1 }]
}

/** Some of what was bought. */
function cancelled (lines: readonly Line[], dice: Dice): Line[] {
  const from = dice.below(lines.length)
  return lines.slice(from, from + 1 + dice.below(3)).map(({ product, quantity }) => ({ product, quantity: -quantity }))
}

interface Invoice { readonly number: string, readonly minute: number, readonly order: Order }

function written (lines: readonly Line[], { number, minute, order: { customer, country } }: Invoice, dice: Dice): string {
  const time = timeText(minute)
  let text = ''
  for (const { product, quantity } of lines) {
    const who = dice.chance(amiss.nameless) ? '' : customer ?? ''
    const when = dice.chance(amiss.undated) ? '' : time
    const row = `${number},${product.code},${quoted(product.description)},${quantity},${when},${dice.chance(amiss.free) ? '0' : price(product.pence)},${who},${country}\n`
    text += dice.chance(amiss.duplicated) ? row + row : row
  }
  return text
}

/** What is in the books and no sale: broken goods that are written off, and a bad debt now and then. */
function odds (invoice: number, minute: number, catalogue: readonly Product[], dice: Dice): string {
  const time = timeText(minute)
  const [damaged, adjusted] = [dice.chance(amiss.damaged), dice.chance(amiss.adjusted)]
  const { code } = catalogue[dice.below(catalogue.length)]!
  return (damaged ? `${invoice},${code},damaged,${-1 - dice.below(60)},${time},0,,${home}\n` : '') +
    (adjusted ? `A${invoice},B,Adjust bad debt,1,${time},${price(50_000 + dice.below(900_000))},,${home}\n` : '')
}

function price (pence: number): string {
  return `${pence / 100}`
}

function quoted (text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
