import { allBusyDays, bookDays, dayAt } from './calendar.ts'
import { home, pickCountry } from './catalogue.ts'
import { type Dice, makeDice } from './dice.ts'

/** An invoice on its way into the books; its lines follow from the rest. */
export interface Order {
  readonly minute: number
  /** Undefined: somebody without an account. */
  readonly customer: number | undefined
  readonly country: string
  readonly lines: number
  /** Of each line: about so many pieces. */
  readonly pieces: number
  /** Whose chance decides what is in it. */
  readonly stream: number
}

const firstCustomer = 12_346
/** Some customers buy a few pieces for themselves, others by the dozen for a shop of their own. */
const resellers = 0.3
const guests = 0.6
const maxLines = 80

/**
 * What one customer orders in the time of the books. Customers buy at a rate of their own and, after each
 * purchase, some never come back (a BG/NBD process, Fader, Hardie and Lee 2005). So who has bought often
 * and lately will probably buy again, and nobody can be sure.
 *
 * @param number of the customer, from 0
 */
export function ordersOf (number: number, seed: number): Order[] {
  // Streams of orders begin where those of customers end.
  const dice = makeDice(seed, number * 2)
  const isReseller = dice.chance(resellers)
  const perBusyDay = Math.exp((isReseller ? -3.1 : -4.3) + 1.1 * dice.normal())
  const leaving = Math.min(0.7, Math.exp((isReseller ? -3.3 : -2) + 0.9 * dice.normal()))
  const lines = Math.exp((isReseller ? 2.1 : 1.5) + 0.5 * dice.normal())
  const pieces = isReseller ? 14 : 3
  const country = pickCountry(dice)
  const orders: Order[] = []
  let busyDays = dice.unit() * allBusyDays
  while (busyDays < allBusyDays) {
    const day = dayAt(busyDays)
    if (day >= 0 && day < bookDays) {
      orders.push({ minute: day * 1440 + minuteOfDay(dice), customer: firstCustomer + number, country, lines: lineCount(lines, dice), pieces, stream: orderStream(number, orders.length) })
    }
    if (dice.chance(leaving)) break
    busyDays += dice.exponential() / perBusyDay
  }
  if (dice.chance(guests)) orders.push(guestOrder(number, orders.length, dice))
  return orders
}

function guestOrder (number: number, order: number, dice: Dice): Order {
  const day = dayAt(allBusyDays - dice.unit() * 280)
  return { minute: Math.max(0, day) * 1440 + minuteOfDay(dice), customer: undefined, country: home, lines: lineCount(10, dice), pieces: 2, stream: orderStream(number, order) }
}

/** Odd, so that it is no customer's. */
function orderStream (number: number, order: number): number {
  return (number * 4096 + order) * 2 + 1
}

/** From eight to six, mostly about noon. */
function minuteOfDay (dice: Dice): number {
  return 480 + Math.floor((dice.unit() + dice.unit()) * 300)
}

function lineCount (mean: number, dice: Dice): number {
  return Math.min(maxLines, 1 + Math.floor(dice.exponential() * mean))
}
