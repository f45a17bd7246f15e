import type { EnvironmentConfig } from '../config.ts'
import { billOf, variantOf } from './bill.ts'
import { hoursPerMonth } from './load.ts'
import { pricesOf } from './prices.ts'

/** What an environment costs although nobody calls, in a few lines: the largest, and the sum. */
export function restBill (environment: string, config: EnvironmentConfig): string {
  const prices = pricesOf(config.region)
  const bill = billOf(variantOf(config), config, { requestsPerSecond: 0, rowsPerRequest: 1, hours: hoursPerMonth }, prices, { versions: 1, classes: 3 })
  const largest = bill.lines.filter(({ usd }) => usd >= 1).toSorted((a, b) => b.usd - a.usd)
  return [
    `${environment} in ${config.region} costs about ${Math.ceil(bill.total)} USD a month at rest, ${Math.ceil(bill.total / hoursPerMonth * 24 * 100) / 100} USD a day:`,
    ...largest.map(({ what, usd }) => `  ${what.padEnd(44)}${usd.toFixed(2).padStart(10)}`),
    ...(prices.region === config.region ? [] : [`  (at the prices of ${prices.region}: prices.json has none of ${config.region})`]),
    `With traffic it is more: npm run cost -- --requests-per-second 50 --environment ${environment}`,
  ].join('\n')
}
