/** One line of an invoice; `time` as 2011-01-01 10:00:00. */
export interface Purchase {
  readonly customer: string
  readonly invoice: string
  readonly time: string
  readonly product: string
  readonly quantity: number
  readonly cents: number
}

interface Features {
  readonly customer: string
  readonly cutoff: string
  readonly recency_days: number
  readonly frequency: number
  readonly monetary: number
  readonly tenure_days: number
  readonly mean_basket: number
  readonly mean_days_between: number | null
  readonly std_days_between: number | null
  readonly distinct_products: number
}

/** Days since 1970. */
function dayOf (time: string): number {
  return Date.parse(`${time.slice(0, 10)}T00:00:00Z`) / 86_400_000
}

/** The same as the SQL, computed row by row: customers sorted as their bytes are. */
export function features (purchases: readonly Purchase[], cutoff: string): Features[] {
  const past = purchases.filter(({ time }) => dayOf(time) < dayOf(cutoff))
  return [...new Set(past.map(({ customer }) => customer))].sort().map(customer => {
    const own = past.filter(sale => sale.customer === customer)
    const days = [...new Set(own.map(({ time }) => dayOf(time)))].sort((a, b) => a - b)
    const gaps = days.slice(1).map((day, i) => day - days[i]!)
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const frequency = new Set(own.map(({ invoice }) => invoice)).size
    const monetary = own.reduce((cents, sale) => cents + sale.quantity * sale.cents, 0) / 100
    return {
      customer,
      cutoff,
      recency_days: dayOf(cutoff) - days.at(-1)!,
      frequency,
      monetary,
      tenure_days: dayOf(cutoff) - days[0]!,
      mean_basket: monetary / frequency,
      mean_days_between: gaps.length > 0 ? mean : null,
      std_days_between: gaps.length > 1 ? Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / (gaps.length - 1)) : null,
      distinct_products: new Set(own.map(({ product }) => product)).size,
    }
  })
}

/** Who buys within the days that begin with the cut-off. */
export function targets (purchases: readonly Purchase[], cutoff: string, horizonDays: number): Set<string> {
  const from = dayOf(cutoff)
  return new Set(purchases.filter(({ time }) => dayOf(time) >= from && dayOf(time) < from + horizonDays).map(({ customer }) => customer))
}
