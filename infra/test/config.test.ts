import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkConfig, configOf } from '../config.ts'
import { checkFargateSize, memoryAllowed } from '../constructs/fargate-sizes.ts'
import { environments } from '../environments.ts'

const { dev, staging } = environments

/** dev's configuration with one place changed: `service.cpu`, and what it becomes. */
function changed (path: string, value: unknown, from: object = dev): unknown {
  const config = structuredClone(from) as Record<string, unknown>
  const names = path.split('.')
  const last = names.pop() as string
  const part = names.reduce((part, name) => part[name] as Record<string, unknown>, config)
  if (value === undefined) delete part[last]
  else part[last] = value
  return config
}

describe('the environments that stand in the repository', () => {
  test.each(Object.keys(environments))('%s is right', name => {
    expect(configOf(name)).toBe(environments[name as keyof typeof environments])
  })

  test('one that is not there is answered with those that are', () => {
    expect(() => configOf('prod')).toThrow('There is no environment "prod": choose one of dev, staging, production')
  })
})

describe('a wrong value is told with its place and what is allowed', () => {
  test.each([
    ['architecture', 'arm', '/architecture: "arm" is not allowed: must be one of "arm64", "x64"'],
    ['region', 'Frankfurt', '/region: "Frankfurt" is not allowed: must be a region such as eu-central-1'],
    ['region', undefined, '/region: is missing: must be a region such as eu-central-1'],
    ['zone', 'a', '/zone: is unknown: the names here are account, region, imageTag'],
    ['account', '12345', '/account: "12345" is not allowed: must be twelve digits'],
    ['imageTag', 'sha256:abc', '/imageTag: "sha256:abc" is not allowed: must be a tag such as 1.4.0, or a digest such as sha256:…'],
    ['imageTag', `sha256:${'0'.repeat(64)}`, '/pipelineImageTag: is missing: imageTag is a digest, and that of the image of batch and training does not follow from it'],
    ['auth.versionId', 'latest', '/auth/versionId: "latest" is not allowed: must be the VersionId that `aws secretsmanager put-secret-value` answers with'],
    ['network.cidr', '10.0.0.0/24', '/network/cidr: "10.0.0.0/24" is not allowed: must be a block of addresses from /16 to /23, such as 10.20.0.0/20'],
    ['network.cidr', '10.0.256.0/20', '/network/cidr: "10.0.256.0/20" is not allowed'],
    ['network.availabilityZones', 1, '/network/availabilityZones: 1 is not allowed: must be a whole number from 2 to 3'],
    ['auth', { kind: 'oidc' }, '/auth: {"kind":"oidc"} is not allowed: must be an object with kind "secret", or an object with kind "jwks", url, issuer, audience'],
    ['auth', { kind: 'jwks', url: 'http://keys', issuer: 'i', audience: 'a' }, '/auth/url: "http://keys" is not allowed: must be an address that begins with https://'],
    ['service', 'on', '/service: "on" is not allowed: must be "off", or an object with cpu, memoryMiB, minTasks'],
    ['service.cpu', 300, '/service/cpu: 300 is not allowed: must be one of 256, 512, 1024, 2048, 4096, 8192'],
    ['service.memoryMiB', 700, '/service/memoryMiB: Fargate has no tasks of 512 CPU units with 700 MiB: choose one of 1024, 2048, 3072, 4096'],
    ['training.memoryMiB', 2048, '/training/memoryMiB: Fargate has no tasks of 2048 CPU units with 2048 MiB: choose one of 4096, 5120'],
    ['service.minTasks', 3, '/service/minTasks: must be at most maxTasks, which is 2'],
    ['service.schedule', [{ cron: '0 6 * * 1', minTasks: 1, maxTasks: 2 }], '/service/schedule/0/cron: "0 6 * * 1" is not allowed: must be six fields'],
    ['service.schedule', [{ cron: '0 6 * * ? *', minTasks: 3, maxTasks: 2 }], '/service/schedule/0/minTasks: must be at most maxTasks, which is 2'],
    ['service.certificateArn', 'arn:aws:acm:eu-central-1:111122223333:certificate/1', '/service/certificateArn: makes the load balancer public, and the gateway needs a private one'],
    ['service', 'off', '/gateway: leads to the service, which is off'],
    ['lambda.reservedConcurrency', 0, '/lambda/reservedConcurrency: 0 is not allowed: must be a whole number from 1 to 1000'],
    ['monitoring.email', 'me', '/monitoring/email: "me" is not allowed: must be an e-mail address'],
    ['monitoring.drift', 0, '/monitoring/drift: 0 is not allowed: must be a number above 0'],
    ['monitoring.logRetentionDays', 15, '/monitoring/logRetentionDays: 15 is not allowed: must be one of 7, 14, 30, 60'],
  ])('%s = %j', (path, value, message) => {
    expect(() => checkConfig('dev', changed(path, value))).toThrow(message)
  })

  test.each([
    ['auth', { kind: 'jwks', url: 'https://keys.example.com', issuer: 'i', audience: 'a' }, '/network/egress: with "endpoints" tasks cannot reach the internet'],
    ['service', 'off', '/waf: stands before the service\'s load balancer, and there is none'],
    ['service', 'off', '/rateLimit/shared: the cache is for the tasks of the service'],
  ])('what stands against another part: %s = %j', (path, value, message) => {
    expect(() => checkConfig('staging', changed(path, value, staging))).toThrow(message)
  })

  test('all faults are told at once', () => {
    const config = { ...dev, region: 1, architecture: 'arm', network: { ...dev.network, egress: 'none' } }
    expect(() => checkConfig('mine', config)).toThrow(/^Wrong configuration of mine:\n {2}\/region: .*\n {2}\/architecture: .*\n {2}\/network\/egress: .*$/)
  })
})

describe('sizes of Fargate', () => {
  test('two CPUs come with at least 4 GB', () => {
    expect(Math.min(...memoryAllowed(2048))).toBe(4096)
  })

  test('every size that is allowed is taken, and all others are refused with those that are', () => {
    fc.assert(fc.property(fc.constantFrom(256, 512, 1024, 2048, 4096, 8192, 16384), fc.integer({ min: 1, max: 125_000 }), (cpu, memoryMiB) => {
      const allowed = memoryAllowed(cpu)
      for (const size of allowed) checkFargateSize(cpu, size)
      if (!allowed.includes(memoryMiB)) expect(() => checkFargateSize(cpu, memoryMiB)).toThrow(`memoryMiB must be one of ${allowed.join(', ')}`)
    }))
  })

  test('a number of CPU units that Fargate does not have is answered with those it has', () => {
    expect(() => checkFargateSize(300, 1024)).toThrow('choose one of 256, 512, 1024, 2048, 4096, 8192, 16384')
  })
})
