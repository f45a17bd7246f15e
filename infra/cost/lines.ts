import { costOf, type PriceKey, type Prices } from './prices.ts'

/** One line of a bill. */
export interface Line {
  readonly what: string
  /** In the unit of the price, in a month. */
  readonly quantity: number
  readonly price: PriceKey
  readonly usd: number
}

/** @param share of the price that is paid, such as Spot's */
export type LineMaker = (what: string, price: PriceKey, quantity: number, share?: number) => Line

export function lineMaker (prices: Prices): LineMaker {
  return (what, price, quantity, share = 1) => ({ what, quantity, price, usd: costOf(prices.of[price], quantity) * share })
}

export function totalOf (lines: readonly Line[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0)
}
