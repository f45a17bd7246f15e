import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { stacksOf } from '../cli/stacks.ts'
import type { EnvironmentConfig } from '../config.ts'
import { resourceCounts } from '../cost/resources.ts'
import { draw } from '../diagram/draw.ts'
import { type Box, type Layout, layoutOf } from '../diagram/layout.ts'
import { type Drawn, everythingOn, read } from '../diagram/read.ts'
import { environments } from '../environments.ts'
import { diagramFile } from '../scripts/diagram.ts'

const { dev } = environments
const configs: readonly [string, EnvironmentConfig][] = [
  ['everything on', everythingOn],
  ['dev', dev],
  ['functions alone', { ...dev, service: 'off', gateway: 'off', training: 'off' }],
]
const drawn = new Map<string, Drawn>()

beforeAll(() => {
  for (const [name, config] of configs) drawn.set(name, read(config === everythingOn ? 'production' : 'dev', config))
})

describe.each(configs)('%s', (name, config) => {
  test('has the stacks that the scripts deploy and destroy', () => {
    expect(drawn.get(name)!.stacks.map(({ id }) => id).sort()).toEqual(stacksOf(config).sort())
  })

  test('has as many of what costs by being there as the bill says', () => {
    const count = (type: string) => drawn.get(name)!.stacks.reduce((sum, { resources }) => sum + (resources[type] ?? 0), 0)
    const hasNetwork = count('AWS::EC2::VPC') > 0
    expect({
      // One of the endpoints is S3's, which costs nothing.
      interfaceEndpoints: count('AWS::EC2::VPCEndpoint') - (hasNetwork ? 1 : 0),
      secrets: count('AWS::SecretsManager::Secret'),
      keys: count('AWS::KMS::Key'),
      alarms: count('AWS::CloudWatch::Alarm'),
      compositeAlarms: count('AWS::CloudWatch::CompositeAlarm'),
      dashboards: count('AWS::CloudWatch::Dashboard'),
    }).toEqual(withoutRules(resourceCounts(config)))
    expect(count('AWS::EC2::NatGateway')).toBe(hasNetwork && config.network.egress === 'nat' ? 1 : 0)
  })

  test('is drawn without anything over anything else', () => {
    const layout = layoutOf(drawn.get(name)!)
    const cards = layout.cards.filter(({ kind }) => kind !== 'network')
    for (const [index, card] of cards.entries()) {
      expect(isWithin(card, { x: 0, y: 0, ...layout })).toBe(true)
      // The widest letters are some 8.5 wide, and there are margins.
      for (const line of card.lines) expect(16 + line.length * 7.2, line).toBeLessThanOrEqual(card.width / card.columns)
      for (const other of cards.slice(index + 1)) expect(overlaps(card, other), `${card.title} and ${other.title}`).toBe(false)
    }
  })
})

test('docs/aws.svg is what is drawn from the templates: npm run diagram', () => {
  expect(readFileSync(diagramFile, 'utf8')).toBe(draw(layoutOf(drawn.get('everything on')!)))
})

test('an arrow between stacks rests on what one needs of the other', () => {
  const { stacks } = drawn.get('everything on')!
  const ids = stacks.map(({ id }) => id)
  const joins = arrowsOf('everything on').filter(([from, to]) => ids.includes(from) && ids.includes(to))
  expect(joins.length).toBeGreaterThan(6)
  for (const [from, to] of joins) {
    expect(stacks.some(({ id, needs }) => (id === from && needs.includes(to)) || (id === to && needs.includes(from))), `${from} and ${to}`).toBe(true)
  }
})

test('a stack that has no place is refused by name', () => {
  expect(() => layoutOf({ stacks: [{ id: 'Cinema', resources: {}, needs: [] }] })).toThrow(/Cinema has no place in the diagram/)
})

function arrowsOf (name: string): Layout['arrows'][number]['joins'][] {
  return layoutOf(drawn.get(name)!).arrows.map(({ joins }) => joins)
}

function overlaps (a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

function isWithin (inner: Box, outer: Box): boolean {
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width && inner.y + inner.height <= outer.y + outer.height
}

/** The rules of the firewall are within one resource. */
function withoutRules ({ wafRules, ...counts }: ReturnType<typeof resourceCounts>): object {
  return counts
}
