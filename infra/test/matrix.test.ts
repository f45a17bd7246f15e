import { describe, expect, test } from 'vitest'
import { type EnvironmentConfig, checkConfig } from '../config.ts'
import { environments } from '../environments.ts'
import { pairwise } from './pairs.ts'
import { synth } from './synth.ts'

const certificateArn = 'arn:aws:acm:eu-central-1:111122223333:certificate/0b1c2d3e'

const options = {
  architecture: ['arm64', 'x64'],
  egress: ['nat', 'endpoints'],
  auth: ['secret', 'jwks'],
  shared: ['no', 'valkey'],
  service: ['off', 'rolling', 'canary', 'blue-green'],
  certificate: [false, true],
  spot: [false, true],
  waf: [false, true],
  gateway: [false, true],
  lambda: ['off', 'package', 's3'],
  batch: ['off', 'fargate', 'lambda'],
  training: [false, true],
} as const

type Choice = { -readonly [Name in keyof typeof options]: (typeof options)[Name][number] }

/** dev and staging together, with each option as chosen. */
function configOf (choice: Choice): EnvironmentConfig {
  const { staging, dev } = environments
  return {
    ...staging,
    architecture: choice.architecture,
    network: { ...staging.network, egress: choice.egress, availabilityZones: choice.egress === 'nat' ? 3 : 2 },
    auth: choice.auth === 'secret' ? { kind: 'secret' } : { kind: 'jwks', url: 'https://keys.example.com/jwks.json', issuer: 'https://keys.example.com', audience: 'modelport' },
    rateLimit: { ...staging.rateLimit, shared: choice.shared },
    service: choice.service === 'off'
      ? 'off'
      : {
          ...staging.service,
          deployment: choice.service,
          spot: choice.spot,
          schedule: choice.spot ? [{ cron: '0 6 ? * MON-FRI *', minTasks: 2, maxTasks: 4 }] : [],
          ...(choice.certificate && { certificateArn }),
        },
    waf: choice.waf ? staging.waf : 'off',
    gateway: choice.gateway ? staging.gateway : 'off',
    lambda: choice.lambda === 'off' ? 'off' : { memoryMiB: 1769, models: choice.lambda, ...(choice.lambda === 's3' && { reservedConcurrency: 10 }) },
    batch: choice.batch === 'off' ? 'off' : { ...dev.batch, runner: choice.batch, start: choice.training ? ['schedule', 'upload'] : ['upload'] },
    training: choice.training ? dev.training : 'off',
    monitoring: { ...staging.monitoring, ...(choice.waf && { email: 'alarms@example.com' }) },
  }
}

function isAllowed (choice: object): boolean {
  try {
    checkConfig('matrix', configOf(choice as Choice))
    return true
  } catch {
    return false
  }
}

describe('every option, on and off, beside every other', () => {
  const choices = pairwise(options, isAllowed) as Choice[]

  test('the choices hold every pair of values that may stand together', () => {
    expect(choices.length).toBeGreaterThan(10)
    for (const [name, values] of Object.entries(options)) expect(new Set<unknown>(choices.map(choice => choice[name as keyof Choice]))).toEqual(new Set<unknown>(values))
  })

  test.each(choices.map(choice => [Object.entries(choice).map(([name, value]) => `${name} ${value}`).join(', '), choice] as const))('%s: no finding', (_name, choice) => {
    const stacks = synth('matrix', configOf(choice))
    expect(Object.keys(stacks)).toEqual(expect.arrayContaining(['Data']))
    expect('Service' in stacks).toBe(choice.service !== 'off')
    expect('Gateway' in stacks).toBe(choice.gateway)
    expect('Lambda' in stacks).toBe(choice.lambda !== 'off')
    expect('Batch' in stacks).toBe(choice.batch !== 'off')
    expect('Training' in stacks).toBe(choice.training)
    expect('Network' in stacks).toBe(choice.service !== 'off' || choice.batch === 'fargate' || choice.training)
  })
})
