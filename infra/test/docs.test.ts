import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run, type Verb } from '../cli/program.ts'
import { type Bill, billOf, variantOf } from '../cost/bill.ts'
import { breakEven } from '../cost/break-even.ts'
import { pricesOf } from '../cost/prices.ts'
import { environments } from '../environments.ts'
import { resourcesOf, stacksOf } from './synth.ts'

const page = new URL('../../docs/aws.md', import.meta.url)
const text = readFileSync(page, 'utf8')

function part (name: string): string {
  const found = text.match(new RegExp(`<!-- ${name} -->\\n([^]*?)<!-- /${name} -->`))?.[1]
  if (found === undefined) throw new Error(`docs/aws.md has no part ${name}`)
  return found
}

test('the bills in docs/aws.md are what the cost model says: vitest run test/docs.test.ts --update', async () => {
  const rows = Object.entries(environments).map(([name, config]) => {
    const bill = (variant: Bill['variant'], requestsPerSecond: number) =>
      billOf(variant, config, { requestsPerSecond, rowsPerRequest: 1, hours: 730 }, pricesOf(config.region), { versions: 1, classes: 3 })
    const from = breakEven(rate => bill('fargate', rate).total, rate => bill('lambda + http-api', rate).total)
    const [rest, busy, balancer, lambda] = [bill(variantOf(config), 0), bill(variantOf(config), 50), bill('fargate', 50), bill('lambda + http-api', 50)]
    return `| ${[name, rest.total.toFixed(0), busy.total.toFixed(0), busy.perMillionPredictions!.toFixed(2), balancer.perMillionPredictions!.toFixed(2), lambda.perMillionPredictions!.toFixed(2), from?.toFixed(0) ?? '–'].join(' | ')} |`
  })
  const table = [
    '| in eu-central-1, one row a request | USD a month at rest | at 50 requests a second | a million predictions then | with a public load balancer instead | on Lambda | Fargate so is cheaper than Lambda from |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(row => row.replace(/\| ([\d–]+) \|$/, (_, rate: string) => `| ${rate === '–' ? '–' : `${rate} requests a second`} |`)),
    '',
  ].join('\n')
  const marked = (inner: string) => `<!-- cost -->\n${inner}<!-- /cost -->`
  await expect(text.replace(marked(part('cost')), () => marked(table))).toMatchFileSnapshot(fileURLToPath(page))
})

describe('the policy in docs/aws.md', () => {
  const { Statement } = JSON.parse(part('policy').replace(/^```json\n|```\n$/g, '')) as { Statement: { Action: string | string[], Resource: string | string[] }[] }
  const allowed = Statement.flatMap(({ Action }) => Action)

  test.each<[string, string[]]>([
    ['deploy', []],
    ['deploy-image', []],
    ['upload-model', ['iris@1.0.0']],
    ['smoke-batch', ['iris@1.0.0']],
    ['destroy', ['--environment', 'production', '--with-data', '--unprotect']],
  ])('allows every call of %s', async (name, args) => {
    const { verb } = await import(`../scripts/${name}.ts`) as { verb: Verb }
    const lines: string[] = []
    expect(await run(verb, [...args, '--dry-run'], { out: line => { lines.push(line) }, err: () => {}, env: {}, input: Readable.from([]) })).toBe(0)
    const calls = lines.flatMap(line => [...line.matchAll(/\baws ([a-z0-9]+) ([a-z-]+)/g)].map(([, service, operation]) => actionsOf(service!, operation!)).flat())
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.filter(action => !allowed.includes(action))).toEqual([])
  })

  test('allows everything on nothing but what AWS has no resource for', () => {
    expect(Statement.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action)).toEqual(['sts:GetCallerIdentity', 'ecr:GetAuthorizationToken'])
    expect(allowed.filter(action => action.includes('*'))).toEqual([])
  })
})

/** What AWS asks of whoever turns such a log on, after the pages of each service on logging. */
const deliveries: Record<string, string[]> = {
  'AWS::ApiGatewayV2::Stage': ['CreateLogDelivery', 'GetLogDelivery', 'UpdateLogDelivery', 'DeleteLogDelivery', 'ListLogDeliveries', 'PutResourcePolicy', 'DescribeResourcePolicies', 'DescribeLogGroups'],
  'AWS::WAFv2::LoggingConfiguration': ['CreateLogDelivery', 'DeleteLogDelivery', 'PutResourcePolicy', 'DescribeResourcePolicies', 'DescribeLogGroups'],
  'AWS::EC2::FlowLog': ['CreateLogDelivery', 'DeleteLogDelivery'],
}

test('the statement on delivery of logs in docs/aws.md is what the logs in the templates need', () => {
  const { Action } = JSON.parse(part('log delivery').replace(/^```json\n|```\n$/g, '')) as { Action: string[] }
  const needed = Object.entries(deliveries).flatMap(([type, actions]) => {
    expect(resourcesOf(stacksOf('staging'), type), type).not.toEqual([])
    return actions.map(action => `logs:${action}`)
  })
  expect(Action.toSorted()).toEqual([...new Set(needed)].toSorted())
})

/** What IAM calls an operation of the command line. */
function actionsOf (service: string, operation: string): string[] {
  if (service === 's3') return operation === 'ls' ? ['s3:ListBucket'] : ['s3:GetObject', 's3:PutObject']
  if (operation === 'get-login-password') return ['ecr:GetAuthorizationToken']
  const prefix = service === 'stepfunctions' ? 'states' : service
  return [`${prefix}:${operation.split('-').map(word => word[0]!.toUpperCase() + word.slice(1)).join('')}`]
}
