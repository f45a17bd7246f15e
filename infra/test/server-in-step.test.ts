import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig, settings } from '../../src/config.ts'
import { openPaths } from '../constructs/http-front.ts'
import { timeouts } from '../constructs/timeouts.ts'
import { port, readinessPath } from '../stacks/service.ts'
import { resourcesOf, stacksOf, templateOf } from './synth.ts'

interface Container {
  Environment: { Name: string, Value: unknown }[]
  Secrets?: { Name: string, ValueFrom: unknown }[]
  HealthCheck?: { Command: string[], Interval: number, Timeout: number, StartPeriod: number }
  PortMappings?: { ContainerPort: number }[]
  StopTimeout?: number
}

/** The server's health routes, as it names them. Found at run time: their types are the server's, which are checked there. */
async function healthPaths (): Promise<string[]> {
  const { healthRoutes } = await import(new URL('../../src/routes/health.ts', import.meta.url).href) as { healthRoutes: (app: object) => Promise<void> }
  const paths: string[] = []
  await healthRoutes({ get: (path: string) => { paths.push(path) } })
  return paths
}

function serverOf (environment: string): Container {
  const [definition] = Object.values(templateOf(environment, 'Service').findResources('AWS::ECS::TaskDefinition')) as { Properties: { ContainerDefinitions: [Container] } }[]
  return definition!.Properties.ContainerDefinitions[0]
}

const known = Object.keys(settings)

describe.each(['dev', 'staging'])('%s and the server', environment => {
  const container = serverOf(environment)
  const variables = Object.fromEntries(container.Environment.map(({ Name, Value }) => [Name, Value]))

  test('every variable of the task is a setting of the server, and the server takes its value', () => {
    const secrets = (container.Secrets ?? []).map(({ Name }) => Name)
    expect(known).toEqual(expect.arrayContaining([...Object.keys(variables), ...secrets]))
    const texts = Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : 's3://bucket/models'])
    const config = loadConfig({ ...Object.fromEntries(texts), JWT_SECRET: 'x'.repeat(32), REDIS_URL: 'rediss://modelport:x@cache:6379' })
    expect(config).toMatchObject({ port, host: '0.0.0.0', trustProxy: 1, nodeEnv: 'production' })
  })

  test('secrets are references, never values', () => {
    expect(container.Secrets?.map(({ Name }) => Name)).toEqual(environment === 'dev' ? ['JWT_SECRET'] : ['JWT_SECRET', 'REDIS_URL'])
    for (const name of ['JWT_SECRET', 'REDIS_URL']) expect(variables).not.toHaveProperty(name)
    for (const { ValueFrom } of container.Secrets ?? []) expect(JSON.stringify(ValueFrom)).toMatch(/^\{"(Ref|Fn::GetStackOutput)"/)
  })

  test('as many processes and threads as the task has whole CPUs', () => {
    const cpus = environment === 'dev' ? '1' : '2'
    expect(variables).toMatchObject({ HTTP_WORKERS: cpus, INFERENCE_THREADS: cpus })
  })

  test('the port is the same in the container, in the target groups and in the settings', () => {
    expect(variables['PORT']).toBe(String(port))
    expect(container.PortMappings).toEqual([expect.objectContaining({ ContainerPort: port })])
    for (const [, { Port }] of resourcesOf(stacksOf(environment), 'AWS::ElasticLoadBalancingV2::TargetGroup')) expect(Port).toBe(port)
  })

  test('the load balancer asks for readiness, at a path that the server has', async () => {
    expect(await healthPaths()).toContain(readinessPath)
    for (const [, group] of resourcesOf(stacksOf(environment), 'AWS::ElasticLoadBalancingV2::TargetGroup')) expect(group['HealthCheckPath']).toBe('/health/ready')
  })

  test('each wait is longer than the one before: request, deregistration, drain, stop', () => {
    const deregistration = resourcesOf(stacksOf(environment), 'AWS::ElasticLoadBalancingV2::TargetGroup').map(([, group]) => group['TargetGroupAttributes'] as { Key: string, Value: string }[])
      .map(attributes => Number(attributes.find(({ Key }) => Key === 'deregistration_delay.timeout_seconds')?.Value))
    for (const seconds of deregistration) {
      expect(Number(variables['REQUEST_TIMEOUT_MS'])).toBeLessThan(seconds * 1000)
      expect(seconds * 1000).toBeLessThan(Number(variables['SHUTDOWN_GRACE_MS']))
    }
    expect(Number(variables['SHUTDOWN_GRACE_MS'])).toBeLessThan(container.StopTimeout! * 1000)
    expect(container.StopTimeout).toBeLessThanOrEqual(120)
    expect(timeouts.request.toSeconds()).toBeLessThan(timeouts.gateway.toSeconds())
  })

  test('the container asks for liveness as the image does', () => {
    const [, interval, timeout, startPeriod, command] = /^HEALTHCHECK --interval=(\d+)s --timeout=(\d+)s --start-period=(\d+)s CMD (\[.*\])$/m
      .exec(readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')) ?? []
    expect(container.HealthCheck).toMatchObject({
      Command: ['CMD', ...JSON.parse(command!) as string[]], Interval: Number(interval), Timeout: Number(timeout), StartPeriod: Number(startPeriod),
    })
  })
})

test('/tmp is a volume of every image: the task\'s volume takes from there who may write to it', () => {
  const stages = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8').split(/^FROM /m).slice(1).map(text => ({ text, base: text.split(/\s/)[0], name: / AS (\w+)/.exec(text)?.[1] }))
  expect(stages.find(({ name }) => name === 'server')?.text).toMatch(/^VOLUME \/tmp$/m)
  expect(stages.filter(({ name }) => name === 'pipeline').map(({ base }) => base)).toEqual(['server'])
  expect(stages.at(-1)?.base).toBe('server')
})

test('every variable of the function is a setting of the server, and the server takes its value', () => {
  const [[, { Environment }]] = Object.entries(templateOf('dev', 'Lambda').findResources('AWS::Lambda::Function')).map(([id, { Properties }]) => [id, Properties]) as [[string, { Environment: { Variables: Record<string, unknown> } }]]
  const { Variables } = Environment
  expect(known).toEqual(expect.arrayContaining(Object.keys(Variables)))
  const texts = Object.entries(Variables).map(([name, value]) => [name, typeof value === 'string' ? value : name === 'MODELS_DIR' ? 's3://bucket/models' : 'x'.repeat(32)])
  expect(loadConfig(Object.fromEntries(texts))).toMatchObject({ nodeEnv: 'production', trustProxy: false })
})

test('the gateway lets nobody to a route without a token but where the server asks for none', async () => {
  const health = await healthPaths()
  for (const path of health) expect(openPaths.some(open => path === open || (open.endsWith('/{proxy+}') && path.startsWith(open.replace('{proxy+}', ''))))).toBe(true)
})
