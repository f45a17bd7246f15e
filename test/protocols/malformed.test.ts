import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { flowerFiles } from '../helpers/models.ts'
import { valueOf } from '../monitor/prometheus-text.ts'
import { echoFiles, sumFiles } from './tensor-models.ts'

const vertexRoute = '/vertex/predict'

/** The default model of each has features, one input, several inputs. */
let servers: TestApp[]

beforeAll(async () => {
  const models = { 'flower/1': flowerFiles('flower', '1'), 'echo/1': echoFiles('float32'), 'sum/1': sumFiles() }
  servers = await Promise.all(['flower', 'echo', 'sum'].map(name => startApp({ ...models, 'repository.json': JSON.stringify({ default: name }) }, { AUTH: 'off', RATE_LIMIT_MAX: '1000000', AIP_PREDICT_ROUTE: vertexRoute })))
})

afterAll(async () => {
  for (const server of servers) await server.close()
})

/** Words that mean something to one of the protocols, so that a body gets past its envelope. */
const words = ['instances', 'inputs', 'examples', 'context', 'dataframe_split', 'dataframe_records', 'columns', 'data', 'index', 'params', 'predict_method', 'predict_proba',
  'parameters', 'signature_name', 'serving_default', 'features', 'length', 'kind', 'age', 'red', 'X', 'a', 'tag', 'b64', '__proto__', 'constructor', 'toString']

const scalar = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(null, true, false, 'NaN', '9'.repeat(30), 'p\0q'), fc.constantFrom(...words))

const { content } = fc.letrec<{ content: unknown }>(tie => ({
  content: fc.oneof({ maxDepth: 5 }, { weight: 3, arbitrary: scalar }, fc.array(tie('content'), { maxLength: 4 }), fc.dictionary(fc.constantFrom(...words), tie('content'), { maxKeys: 4 })),
}))

const body = fc.oneof(
  fc.dictionary(fc.constantFrom(...words.slice(0, 14)), content, { minKeys: 1, maxKeys: 3 }).map(value => JSON.stringify(value)),
  content.map(value => JSON.stringify(value)),
  fc.tuple(content.map(value => JSON.stringify(value)), fc.nat(50)).map(([text, at]) => text.slice(0, at)),
  fc.string()
)

const types = ['application/json', 'text/csv', 'application/csv; header=absent', 'application/jsonlines', 'application/x-ndjson']

describe('whatever is sent, the answer is the caller\'s fault or a prediction, in the words of the protocol', () => {
  test.each<[route: string, error: object]>([
    ['/invocations', { error_code: expect.stringMatching(/^(BAD_REQUEST|INVALID_PARAMETER_VALUE)$/), message: expect.any(String) }],
    ['/v1/models/flower:predict', { error: expect.any(String) }],
    ['/v1/models/sum:predict', { error: expect.any(String) }],
    ['/v1/models/flower:classify', { error: expect.any(String) }],
    [vertexRoute, { error: { code: expect.any(Number), message: expect.any(String), status: 'INVALID_ARGUMENT' } }],
  ])('%s', async (url, error) => {
    await fc.assert(fc.asyncProperty(fc.nat(2), fc.constantFrom(...types), body, async (which, type, payload) => {
      const answer = await (servers[which] as TestApp).app.inject({ method: 'POST', url, headers: { 'content-type': url === '/invocations' ? type : 'application/json' }, payload })
      expect([200, 400, 413, 415, 422], `${answer.statusCode} ${answer.body}`).toContain(answer.statusCode)
      if (answer.statusCode !== 200) expect(answer.json()).toEqual(error)
    }), { numRuns: 400 })
  })
})

describe('a body that a protocol cannot read counts as one that the version refused', () => {
  test.each<[protocol: string, route: string, body: object]>([
    ['oip', '/v2/models/flower/infer', { inputs: 'none' }],
    ['mlflow', '/invocations', { rows: [] }],
    ['tfserving', '/v1/models/flower:predict', { rows: [] }],
    ['tfserving', '/v1/models/flower:classify', { examples: 'none' }],
    ['vertex', vertexRoute, { rows: [] }],
  ])('%s %s', async (protocol, url, body) => {
    const server = servers[0] as TestApp
    const labels = { model: 'flower', version: '1', protocol, outcome: 'invalid' }
    const count = async (): Promise<number> => valueOf((await server.get('/metrics')).text, 'modelport_requests_total', labels) ?? 0
    const before = await count()
    expect((await server.post(url, body)).status).toBe(400)
    expect(await count()).toBe(before + 1)
  })
})
