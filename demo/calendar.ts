const dayMs = 86_400_000

/** The first day of the books; days and minutes are counted from its start. */
const firstDayMs = Date.UTC(2010, 11, 1)
/** Days of the books: to 2011-12-09. */
export const bookDays = 374
/** Days before them in which customers have come and gone already. */
const earlierDays = 400

const monthWeights = [0.8, 0.8, 0.95, 0.9, 1, 0.95, 0.95, 0.95, 1.25, 1.35, 1.6, 1.2]
/** From Sunday on; the shop is closed on Saturdays. */
const weekdayWeights = [0.6, 1, 1.1, 1.1, 1.2, 0.95, 0]

/** How much is going on in the shop on a day: 1 on a usual one. */
function weightOf (day: number): number {
  const date = new Date(firstDayMs + day * dayMs)
  const [month, dayOfMonth] = [date.getUTCMonth(), date.getUTCDate()]
  if ((month === 11 && dayOfMonth >= 24) || (month === 0 && dayOfMonth <= 3)) return 0
  return monthWeights[month]! * weekdayWeights[date.getUTCDay()]!
}

const busyness = Array.from({ length: earlierDays + bookDays }, (_, i) => weightOf(i - earlierDays))

/** What has been going on up to the start of each day, from `earlierDays` before the books on. */
const elapsed = [0]
for (const weight of busyness) elapsed.push(elapsed.at(-1)! + weight)

/** Until the end of the books, in usual days. */
export const allBusyDays = elapsed.at(-1)!

/**
 * The calendar's day for a time that goes by faster the more is going on: who buys every 30 usual days
 * buys more often in November, and never on a Saturday.
 *
 * @returns days from the start of the books, negative before it
 */
export function dayAt (busyDays: number): number {
  let [low, high] = [0, busyness.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (elapsed[middle]! <= busyDays) low = middle
    else high = middle - 1
  }
  return low - earlierDays
}

/** That day, or the next on which the shop is open. */
export function openDay (day: number): number {
  for (let next = day; ; next++) if (weightOf(next) > 0) return next
}

/** As the Online Retail data writes it: 12/1/2010 8:26. */
export function timeText (minute: number): string {
  const date = new Date(firstDayMs + minute * 60_000)
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()} ${date.getUTCHours()}:${String(date.getUTCMinutes()).padStart(2, '0')}`
}
