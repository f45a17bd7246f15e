import file from '../prices.json' with { type: 'json' }

export type PriceKey = keyof typeof file.regions['us-east-1']

/** A price that falls with the quantity: up to `upTo` units of a month cost `usd` each; the last tier has no end. */
interface Tier {
  readonly upTo?: number
  readonly usd: number
}

export interface Price {
  /** USD for one unit. */
  readonly usd: number | readonly Tier[]
  readonly unit: string
  /** What each word means stands in prices.json. */
  readonly confidence: string
  /** Year, month or day. */
  readonly date: string
  readonly source: string
}

export interface Prices {
  /** Whose prices these are. */
  readonly region: string
  readonly of: Readonly<Record<PriceKey, Price>>
}

const regions: Readonly<Record<string, Prices['of']>> = file.regions

export const pricedRegions: readonly string[] = Object.keys(regions)

/** A region without prices of its own is told at these, and the bill says so. */
const standIn = 'us-east-1'

export function pricesOf (region: string): Prices {
  const known = Object.hasOwn(regions, region) ? region : standIn
  return { region: known, of: regions[known]! }
}

/**
 * @param quantity in the price's unit, in one month
 * @returns USD
 */
export function costOf (price: Price, quantity: number): number {
  if (typeof price.usd === 'number') return price.usd * quantity
  let usd = 0
  let below = 0
  for (const tier of price.usd) {
    const end = tier.upTo ?? Infinity
    usd += tier.usd * Math.max(0, Math.min(quantity, end) - below)
    below = end
  }
  return usd
}
