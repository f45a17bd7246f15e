import Fastify, { type FastifyInstance } from 'fastify'
import Type from 'typebox'
import { parse } from 'yaml'
import { afterEach, expect, test } from 'vitest'
import docs from '../../src/plugins/docs.ts'
import security from '../../src/plugins/security.ts'
import type { DocumentedModel } from '../../src/schemas/openapi.ts'
import { iris, mpg } from '../schemas/manifests.ts'
import { lint } from '../schemas/openapi-lint.ts'

const apps: FastifyInstance[] = []
afterEach(async () => { await Promise.all(apps.splice(0).map(async app => app.close())) })

const loaded: readonly DocumentedModel[] = [{ manifest: iris, isDefault: true, isServing: true }]

async function start (describe: () => readonly DocumentedModel[] = () => loaded, auth: 'jwt' | 'off' = 'jwt'): Promise<FastifyInstance> {
  const app = Fastify()
  apps.push(app)
  await app.register(security, { config: { corsOrigin: undefined, trustProxy: false } })
  await app.register(docs, { config: { auth, maxRows: 10 }, describe, version: '1.2.3' })
  app.post('/predict', { config: { scope: 'predict' }, schema: { tags: ['Predictions'], summary: 'Predict' } }, async () => '')
  app.get('/models/:name', {
    config: { scope: 'predict' },
    schema: { tags: ['Models'], summary: 'One model', response: { 200: Type.Object({ name: Type.String() }) } },
  }, async () => ({ name: '' }))
  app.get('/health', { schema: { tags: ['Health'], summary: 'Liveness' } }, async () => '')
  await app.ready()
  return app
}

test('GET /docs/json is the document of the routes and the loaded models', async () => {
  const app = await start()
  const answer = await app.inject('/docs/json')
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(answer.json()).toMatchObject({ openapi: '3.1.0', info: { title: 'modelport', version: '1.2.3' }, servers: [{ url: '/' }] })
  expect(Object.keys(answer.json().paths as object)).toEqual([
    '/predict', '/models/iris/predict', '/models/iris/versions/1.0.0/predict', '/models/{name}', '/health', '/docs', '/docs/json', '/docs/yaml', '/redoc',
  ])
  expect(await lint(answer.json())).toEqual([])
})

test('a route\'s scope becomes its security', async () => {
  const { paths } = (await (await start()).inject('/docs/json')).json()
  expect(paths['/models/{name}'].get.security).toEqual([{ bearer: ['predict'] }])
  expect(paths['/health'].get.security).toEqual([])
})

test('with AUTH=off the document asks for no token', async () => {
  const { paths, components } = (await (await start(undefined, 'off')).inject('/docs/json')).json()
  expect(paths['/models/{name}'].get.security).toEqual([])
  expect(components).not.toHaveProperty('securitySchemes')
})

test('GET /docs/yaml is the same document', async () => {
  const app = await start()
  const answer = await app.inject('/docs/yaml')
  expect(answer.headers['content-type']).toMatch(/yaml/)
  expect(answer.body).not.toMatch(/[&*]a\d/)
  expect(parse(answer.body)).toEqual((await app.inject('/docs/json')).json())
})

test('the document follows the models, and is made anew only for others', async () => {
  let models: readonly DocumentedModel[] = []
  const app = await start(() => [...models])
  const before = app.swagger()
  expect(app.swagger()).toBe(before)
  expect(Object.keys(before.paths ?? {})).toContain('/predict')

  models = [{ manifest: mpg, isDefault: false, isServing: true }]
  const after = app.swagger()
  expect(app.swagger()).toBe(after)
  expect(Object.keys(after.paths ?? {})).toContain('/models/mpg/predict')
  expect(app.swagger({ yaml: true })).toContain('/models/mpg/predict:')
  expect((await app.inject('/docs/yaml')).body).not.toContain('/models/iris')
})

test.each(['/docs', '/docs/', '/redoc'])('%s is a page whose every address leads to a file of this server', async page => {
  const app = await start()
  const answer = await app.inject(page)
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  const addresses = [...answer.body.matchAll(/(?:src|href|spec-url)="([^"]+)"/g)].map(([, address]) => new URL(address ?? '', `http://here${page}`))
  expect(addresses.length).toBeGreaterThan(2)
  for (const { host, pathname } of addresses) expect([host, pathname, (await app.inject(pathname)).statusCode]).toEqual(['here', pathname, 200])
})

test('/redoc/ leads to /redoc', async () => {
  const { statusCode, headers } = await (await start()).inject('/redoc/')
  expect([statusCode, new URL(headers.location ?? '', 'http://here/redoc/').pathname]).toEqual([302, '/redoc'])
})

test.each(['/docs', '/docs/static/swagger-ui-bundle.js', '/docs/static/swagger-initializer.js', '/docs/json', '/redoc', '/redoc/redoc.standalone.js'])('%s may run its own scripts and nobody else\'s', async path => {
  const { headers } = await (await start()).inject(path)
  const policy = headers['content-security-policy'] as string
  expect(policy.split(';')).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]))
  expect(policy).not.toContain('http')
  expect(headers['x-content-type-options']).toBe('nosniff')
})

test('ReDoc fetches nothing from its maker and is sent once', async () => {
  const app = await start()
  const { body, headers } = await app.inject('/redoc/redoc.standalone.js')
  expect(body).toContain('Redoc')
  expect(body).not.toContain('cdn.redoc.ly')
  const again = await app.inject({ url: '/redoc/redoc.standalone.js', headers: { 'if-none-match': headers.etag as string } })
  expect([again.statusCode, again.body]).toEqual([304, ''])
})
