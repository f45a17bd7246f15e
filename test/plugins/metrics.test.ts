import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { Monitor } from '../../src/monitor/monitor.ts'
import metrics from '../../src/plugins/metrics.ts'
import { metricsRoute } from '../../src/routes/metrics.ts'
import { parseSeries, valueOf } from '../monitor/prometheus-text.ts'

const apps: FastifyInstance[] = []
afterEach(async () => { await Promise.all(apps.splice(0).map(app => app.close())) })

async function build (scope?: 'metrics'): Promise<FastifyInstance> {
  const app = Fastify()
  apps.push(app)
  await app.register(metrics, { monitor: new Monitor() })
  await app.register(metricsRoute, { scope })
  app.get('/models/:name', async () => 'a model')
  app.post('/predict', async () => { throw new Error('broken') })
  app.route({ method: ['PUT', 'DELETE'], url: '/either', handler: async () => 'either' })
  return app
}

async function counted (app: FastifyInstance): Promise<string[]> {
  const { body } = await app.inject('/metrics')
  return parseSeries(body).filter(({ name }) => name === 'http_server_request_duration_seconds_count')
    .map(({ labels, value }) => `${labels.method} ${labels.route} ${labels.status} ${value}`)
}

describe('an answer is counted', () => {
  test('under the pattern of its route, whatever the address was', async () => {
    const app = await build()
    await app.inject('/models/iris')
    await app.inject('/models/%22%7D?and=more')
    expect(await counted(app)).toEqual(['GET /models/:name 200 2'])
  })

  test('with its status and method', async () => {
    const app = await build()
    await app.inject({ method: 'POST', url: '/predict', payload: {} })
    await app.inject({ method: 'HEAD', url: '/models/iris' })
    await app.inject({ method: 'PUT', url: '/either' })
    await app.inject({ method: 'DELETE', url: '/either' })
    expect(await counted(app)).toEqual(['POST /predict 500 1', 'HEAD /models/:name 200 1', 'PUT /either 200 1', 'DELETE /either 200 1'])
  })

  test('as unmatched when no route fits, so that callers cannot make series', async () => {
    const app = await build()
    for (const url of ['/a', '/b', '/models/iris/c']) await app.inject(url)
    await app.inject({ method: 'DELETE', url: '/predict' })
    expect(await counted(app)).toEqual(['GET unmatched 404 3', 'DELETE unmatched 404 1'])
  })

  test('as OTHER when the method is not one that routes have', async () => {
    const app = await build()
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    await fetch(address, { method: 'PROPFIND' })
    expect(await counted(app)).toEqual(['OTHER unmatched 404 1'])
  })

  test('with the time it took', async () => {
    const app = await build()
    await app.inject('/models/iris')
    const { body } = await app.inject('/metrics')
    const seconds = valueOf(body, 'http_server_request_duration_seconds_sum', { route: '/models/:name' })
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThan(10)
  })
})

describe('GET /metrics', () => {
  test('answers Prometheus text', async () => {
    const { statusCode, headers, body } = await (await build()).inject('/metrics')
    expect(statusCode).toBe(200)
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(body).toContain('# TYPE modelport_requests_total counter\n')
  })

  test.each(['metrics', undefined] as const)('asks for the scope that it is given: %s', async scope => {
    const app = Fastify()
    apps.push(app)
    const scopes: unknown[] = []
    app.addHook('onRoute', ({ method, config }) => { if (method === 'GET') scopes.push((config as { scope?: string }).scope) })
    await app.register(metrics, { monitor: new Monitor() })
    await app.register(metricsRoute, { scope })
    await app.ready()
    expect(scopes).toEqual([scope])
  })

  test('is described in the OpenAPI document', async () => {
    const app = Fastify()
    apps.push(app)
    const { default: swagger } = await import('@fastify/swagger')
    await app.register(swagger, { openapi: { openapi: '3.1.0' } })
    await app.register(metrics, { monitor: new Monitor() })
    await app.register(metricsRoute, { scope: undefined })
    await app.ready()
    expect(app.swagger().paths?.['/metrics']?.get).toMatchObject({
      tags: ['Operations'], responses: { 200: { content: { 'text/plain': { schema: { type: 'string' } } } } },
    })
  })
})
