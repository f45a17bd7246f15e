import { describe, expect, test } from 'vitest'
import { type EmfMetricName, emfMetrics } from '../../src/monitor/emf-metrics.ts'
import { configOf } from '../config.ts'
import { serverMetrics } from '../constructs/server-metrics.ts'
import { resourcesOf, stacksOf, synth } from './synth.ts'

const environments = ['dev', 'production'] as const

const monitoringOf = (environment: string) => ({ Monitoring: stacksOf(environment)['Monitoring']! })
const alarmsOf = (environment: string) => resourcesOf(monitoringOf(environment), 'AWS::CloudWatch::Alarm')

let made: ReturnType<typeof synth> | undefined

/** Nothing but the function, and somebody to write to. */
function functionOnly (): ReturnType<typeof synth> {
  const dev = configOf('dev')
  made ??= synth('dev', { ...dev, service: 'off', gateway: 'off', batch: 'off', training: 'off', monitoring: { ...dev.monitoring, email: 'ops@example.com' } })
  return made
}

describe('metrics', () => {
  test.each(Object.entries(serverMetrics))('those of a %s are written by the server with these dimensions', (scope, names) => {
    for (const name of names) expect([name, emfMetrics[name as EmfMetricName]?.scope]).toEqual([name, scope])
  })

  test.each(environments)('%s: every server metric in alarms and on the dashboard is written by the server', environment => {
    const text = JSON.stringify([alarmsOf(environment), resourcesOf(monitoringOf(environment), 'AWS::CloudWatch::Dashboard')])
    const namespace = `modelport/${environment}`
    const direct = Array.from(text.matchAll(new RegExp(`\\\\?"${namespace}\\\\?",\\\\?"(\\w+)\\\\?"(?=[,\\]])`, 'g')), ([, name]) => name!)
    const inAlarms = Array.from(text.matchAll(new RegExp(`"MetricName":"(\\w+)","Namespace":"${namespace}"`, 'g')), ([, name]) => name!)
    const searched = Array.from(text.matchAll(/MetricName=[\\"]+(\w+)/g), ([, name]) => name!)
    const found = new Set([...direct, ...inAlarms, ...searched])
    expect(found.size).toBeGreaterThan(20)
    expect([...found].filter(name => !(name in emfMetrics)).sort()).toEqual([...found].filter(name => name.startsWith('Batch')).sort())
  })
})

describe('alarms', () => {
  test.each(environments)('%s: each tells what it means, reaches the topic in both directions and says what no data means', environment => {
    const alarms = alarmsOf(environment)
    expect(alarms.length).toBeGreaterThan(10)
    for (const [, properties] of alarms) {
      expect(properties).toMatchObject({
        AlarmName: expect.stringMatching(new RegExp(`^modelport-${environment}-`)),
        AlarmDescription: expect.stringMatching(/.{20}/),
        AlarmActions: [{ Ref: expect.stringContaining('Topic') }],
        OKActions: [{ Ref: expect.stringContaining('Topic') }],
        TreatMissingData: expect.stringMatching(/^(breaching|notBreaching|ignore)$/),
      })
    }
    expect(new Set(alarms.map(([, { AlarmName }]) => AlarmName)).size).toBe(alarms.length)
  })

  test('the kinds that a person must hear of are there', () => {
    const names = alarmsOf('production').map(([, { AlarmName }]) => String(AlarmName).replace('modelport-production-', ''))
    expect(names).toEqual(expect.arrayContaining(['latency', 'errors', 'not-ready', 'load-failed', 'feature-drift', 'prediction-drift', 'batch-failed', 'batch-dead-letters', 'training-failed', 'approval-failed', 'intake-dead-letters']))
  })

  test.each([['production', 'p99Ms', 'latency', configOf('production').monitoring.p99Ms], ['dev', 'drift', 'prediction-drift', configOf('dev').monitoring.drift]] as const)('%s: %s of the configuration is the threshold', (environment, _name, alarm, threshold) => {
    expect(alarmsOf(environment).find(([, { AlarmName }]) => AlarmName === `modelport-${environment}-${alarm}`)?.[1]).toMatchObject({ Threshold: threshold })
  })

  test('a service that falls silent is not ready; a function that nobody calls is silent and well', () => {
    const notReady = (stacks: Parameters<typeof resourcesOf>[0]) => resourcesOf({ Monitoring: stacks['Monitoring']! }, 'AWS::CloudWatch::Alarm').find(([id]) => id.includes('NotReady'))?.[1]['TreatMissingData']
    expect(notReady(stacksOf('production'))).toBe('breaching')
    expect(notReady(functionOnly())).toBe('notBreaching')
  })
})

describe('people', () => {
  test('the topic is encrypted by a key that turns, and takes nothing without TLS', () => {
    const stacks = monitoringOf('production')
    expect(resourcesOf(stacks, 'AWS::KMS::Key')).toEqual([[expect.any(String), expect.objectContaining({ EnableKeyRotation: true })]])
    expect(resourcesOf(stacks, 'AWS::SNS::Topic')).toEqual([[expect.any(String), expect.objectContaining({ KmsMasterKeyId: expect.anything() })]])
    expect(JSON.stringify(resourcesOf(stacks, 'AWS::SNS::TopicPolicy'))).toContain('"aws:SecureTransport":"false"')
  })

  test('an address of the configuration is written to, and without one nobody is', () => {
    expect(resourcesOf(monitoringOf('dev'), 'AWS::SNS::Subscription')).toEqual([])
    expect(resourcesOf(functionOnly(), 'AWS::SNS::Subscription')).toEqual([[expect.any(String), expect.objectContaining({ Protocol: 'email', Endpoint: 'ops@example.com' })]])
  })

  test.each(environments)('%s: a budget of its own tells before the money is spent', environment => {
    const [[, budget] = []] = resourcesOf(monitoringOf(environment), 'AWS::Budgets::Budget')
    expect(budget).toMatchObject({
      Budget: { BudgetLimit: { Amount: configOf(environment).monitoring.monthlyBudgetUsd }, CostFilters: { TagKeyValue: [`user:environment$${environment}`] } },
      NotificationsWithSubscribers: [{ Notification: { NotificationType: 'ACTUAL', Threshold: 80 } }, { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } }],
    })
  })
})
