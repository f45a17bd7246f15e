/** AWS counts a month as 730 hours. */
export const hoursPerMonth = 730

/** What callers send, as a mean over the hours in which they send at all. */
export interface Load {
  readonly requestsPerSecond: number
  readonly rowsPerRequest: number
  /** Hours of a month with this load; in the others nobody calls. */
  readonly hours: number
}

export function requestsPerMonth ({ requestsPerSecond, hours }: Load): number {
  return requestsPerSecond * hours * 3600
}

export function predictionsPerMonth (load: Load): number {
  return requestsPerMonth(load) * load.rowsPerRequest
}
