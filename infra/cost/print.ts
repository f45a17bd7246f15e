import type { EnvironmentConfig } from '../config.ts'
import type { Bill, Variant } from './bill.ts'
import type { Line } from './lines.ts'
import { type Load, predictionsPerMonth, requestsPerMonth } from './load.ts'
import { assumed } from './measured.ts'
import { costOf, type Price, type Prices } from './prices.ts'

export interface Report {
  readonly environment: string
  /** Whose prices were asked for. */
  readonly region: string
  readonly prices: Prices
  readonly load: Load
  /** The environment as it is configured. */
  readonly bill: Bill
  readonly bills: readonly Bill[]
  /** `requestsPerSecond` is null where the two never cost the same. */
  readonly breakEvens: readonly { readonly fixed: Variant, readonly metered: Variant, readonly requestsPerSecond: number | null }[]
}

const names: Readonly<Record<Variant, string>> = {
  fargate: 'Fargate, load balancer on the internet',
  'fargate + http-api': 'Fargate behind an HTTP API',
  'fargate + rest-api': 'Fargate behind a REST API',
  'lambda + http-api': 'Lambda behind an HTTP API',
  'lambda + rest-api': 'Lambda behind a REST API',
}

/** For people; a tilde stands before what rests on a price of low confidence. */
export function print (report: Report, config: EnvironmentConfig): string {
  const { bill, load, prices } = report
  return [
    `${report.environment}, ${report.region}: ${names[bill.variant]}`,
    `${count(load.requestsPerSecond)} requests a second of ${count(load.rowsPerRequest)} row${load.rowsPerRequest === 1 ? '' : 's'}, ${count(load.hours)} hours a month: ` +
      `${count(requestsPerMonth(load) / 1e6)} million requests, ${count(predictionsPerMonth(load) / 1e6)} million predictions`,
    ...sizingLines(bill, config),
    '',
    ...billLines(bill, prices),
    '',
    'The same load in other ways'.padEnd(44) + 'USD a month'.padStart(14) + 'a million predictions'.padStart(24),
    ...report.bills.map(other => `  ${names[other.variant].padEnd(42)}${usd(other.total).padStart(14)}${(other.perMillionPredictions === undefined ? '–' : usd(other.perMillionPredictions, 4)).padStart(24)}`),
    '',
    'Requests a second from which on Fargate costs no more than Lambda',
    ...report.breakEvens.map(({ fixed, metered, requestsPerSecond }) =>
      `  ${`${names[fixed]} : ${names[metered]}`.padEnd(70)}${(requestsPerSecond === null ? 'never' : count(requestsPerSecond)).padStart(12)}`),
    '',
    ...notes(report),
  ].join('\n')
}

function sizingLines ({ sizing }: Bill, config: EnvironmentConfig): string[] {
  if (!sizing) return []
  const reasons = { least: 'the least that the environment runs', cpu: 'for the CPU target', requests: 'for the target of requests per task' }
  const lines = [`${sizing.tasks} task${sizing.tasks === 1 ? '' : 's'}, ${reasons[sizing.because]}; a request takes ${count(sizing.cpuMicrosecondsPerRequest)} µs of a vCPU`]
  if (sizing.exceedsMaximum && config.service !== 'off') lines.push(`That is more than service.maxTasks (${config.service.maxTasks}) allows: callers would be refused.`)
  return lines
}

function billLines (bill: Bill, prices: Prices): string[] {
  return [
    'what'.padEnd(44) + 'a month'.padStart(24) + 'USD each'.padStart(16) + 'USD a month'.padStart(14),
    ...bill.lines.map(line => billLine(line, prices.of[line.price])),
    'total'.padEnd(84) + usd(bill.total).padStart(14),
  ]
}

function billLine (line: Line, price: Price): string {
  const each = typeof price.usd === 'number' ? price.usd : line.quantity > 0 ? costOf(price, line.quantity) / line.quantity : price.usd[0]!.usd
  const mark = price.confidence === 'low' ? '~' : ''
  return line.what.padEnd(44) + `${count(line.quantity)} ${price.unit.replace(' requests', '')}`.padStart(24) + `${mark}${significant(each)}`.padStart(16) + usd(line.usd).padStart(14)
}

function notes ({ region, prices, bill }: Report): string[] {
  const unsure = bill.lines.filter(line => prices.of[line.price].confidence === 'low')
  const share = bill.total > 0 ? unsure.reduce((sum, line) => sum + line.usd, 0) / bill.total : 0
  return [
    ...(prices.region === region ? [] : [`There are no prices of ${region} in prices.json: these are those of ${prices.region}; other regions are mostly 0 to 30 % dearer.`]),
    ...(unsure.length === 0 ? [] : [`~ low confidence: ${unsure.length} of ${bill.lines.length} prices, ${Math.round(share * 100)} % of the total; prices.json names the page to check each on.`]),
    `Assumed: a vCPU takes ${assumed.cpuFactor} times the bench's time, ${assumed.lambdaOverheadMs} ms beside it for each call of a function, ${count(assumed.lambdaColdStartsPerMillion)} cold starts in a million.`,
    ...(bill.lines.some(line => line.price === 'waf.million') ? ['The firewall stands before the load balancer only: where it is on, Fargate pays for it by the request and Lambda does not.'] : []),
    'Not counted: free tiers, taxes, support, traffic between zones, flow logs, access logs of the load balancer, batch and training while they run.',
  ]
}

function count (value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 1 ? 4 : value < 100 ? 2 : 0 })
}

function significant (value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 })
}

function usd (value: number, digits = 2): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
