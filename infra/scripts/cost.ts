import { environmentFlag, environmentOf } from '../cli/environment.ts'
import { numberOf, verbOf } from '../cli/program.ts'
import { type Assumptions, billOf, variantOf, variants } from '../cost/bill.ts'
import { breakEven } from '../cost/break-even.ts'
import { hoursPerMonth, type Load } from '../cost/load.ts'
import { pricesOf } from '../cost/prices.ts'
import { print, type Report } from '../cost/print.ts'

const help = `
Usage: npm run cost -- [--requests-per-second N] [--rows-per-request N] [--hours N] [--environment NAME] [options]

What an environment costs a month at this load, line by line; what a million predictions cost on Fargate and on Lambda, behind each
kind of gateway; and from which load on Fargate is the cheaper one. Prices and where they were read: infra/prices.json. Free tiers,
taxes and support are left out.

  --requests-per-second N  mean over the hours in which there is traffic (default 50)
  --rows-per-request N     predictions in one request (default 1)
  --hours N                hours of a month with traffic, of 730 (default 730)
  --environment NAME       dev, staging or production (default dev)
  --region NAME            at the prices of another region
  --cpu-microseconds N     vCPU time of one request, as measured with your own model (default: from bench/RESULTS.md)
  --versions N             model versions that send metrics (default 1)
  --classes N              classes of each (default 3)
  --json                   all of it as one object

Example:
  npm run cost -- --requests-per-second 50 --environment production
`

const options = {
  ...environmentFlag,
  'requests-per-second': { type: 'string', default: '50' },
  'rows-per-request': { type: 'string', default: '1' },
  hours: { type: 'string', default: String(hoursPerMonth) },
  region: { type: 'string' },
  'cpu-microseconds': { type: 'string' },
  versions: { type: 'string', default: '1' },
  classes: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
} as const

export const verb = verbOf(help, options, async ({ values }, terminal) => {
  const { name, config } = environmentOf(values.environment)
  const load: Load = {
    requestsPerSecond: numberOf('requests-per-second', values['requests-per-second'], { least: 0, most: 1e6 }),
    rowsPerRequest: numberOf('rows-per-request', values['rows-per-request'], { least: 1, most: 1e6 }),
    hours: numberOf('hours', values.hours, { least: 0, most: hoursPerMonth }),
  }
  const assumptions: Assumptions = {
    ...(values['cpu-microseconds'] !== undefined && { cpuMicroseconds: numberOf('cpu-microseconds', values['cpu-microseconds'], { least: 1, most: 1e9 }) }),
    versions: numberOf('versions', values.versions, { least: 0, most: 10_000 }),
    classes: numberOf('classes', values.classes, { least: 0, most: 10_000 }),
  }
  const region = values.region ?? config.region
  const prices = pricesOf(region)
  const bills = variants.map(variant => billOf(variant, config, load, prices, assumptions))
  const at = (variant: typeof variants[number]) => (requestsPerSecond: number) => billOf(variant, config, { ...load, requestsPerSecond }, prices, assumptions).total
  const pairs = [['fargate', 'lambda + http-api'], ['fargate + http-api', 'lambda + http-api'], ['fargate + rest-api', 'lambda + rest-api']] as const
  const report: Report = {
    environment: name,
    region,
    prices,
    load,
    bill: bills.find(({ variant }) => variant === variantOf(config))!,
    bills,
    breakEvens: pairs.map(([fixed, metered]) => ({ fixed, metered, requestsPerSecond: breakEven(at(fixed), at(metered)) ?? null })),
  }
  terminal.out(values.json ? JSON.stringify(report, undefined, 2) : print(report, config))
})
