import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { compiler } from '../schemas/json-schema-validator.ts'
import { lint } from '../schemas/openapi-lint.ts'

interface Media { schema: object, example?: unknown, examples?: Record<string, { value: unknown }> }
interface Operation { requestBody: { $ref: string }, responses: Record<string, { $ref?: string, content?: Record<string, Media> }> }

let service: TestApp
let document: { paths: Record<string, Record<string, Operation>> }
beforeAll(async () => {
  service = await startApp({}, { MODELS_DIR: 'models' })
  document = (await service.get('/docs/json')).body as typeof document
})
afterAll(async () => { await service.close() })

function at<T> (pointer: string): T {
  return pointer.split('/').slice(1).reduce((value: unknown, key) => (value as Record<string, unknown>)[key], document) as T
}

/** Whether an answer is as its status documents it. */
function expectDocumented (operation: Operation, { status, body }: { status: number, body: unknown }): void {
  const response = operation.responses[status]
  expect(response, `status ${status}`).toBeDefined()
  const { content } = response?.$ref === undefined ? response ?? {} : at<{ content?: Record<string, Media> }>(response.$ref)
  const [media] = Object.values(content ?? {})
  const validate = compiler(document)(media?.schema ?? {})
  expect([body, validate(body), validate.errors]).toEqual([body, true, null])
}

test('the document of the committed models is OpenAPI 3.1 without a fault', async () => {
  expect(await lint(document)).toEqual([])
})

test('every route of the service is in the document', () => {
  const documented = Object.keys(document.paths)
  expect(documented.slice(0, 3)).toEqual(['/predict', '/models/iris/predict', '/models/iris/versions/1.0.0/predict'])
  expect(documented).toEqual(expect.arrayContaining([
    '/models/penguins/predict', '/models/mpg/predict', '/models', '/models/{name}', '/models/{name}/versions/{version}',
    '/health', '/health/live', '/health/ready', '/metrics', '/docs', '/docs/json', '/docs/yaml', '/redoc',
  ]))
})

describe('what the document promises of each prediction', () => {
  const predictions = (): [string, Operation][] => Object.entries(document.paths).flatMap(([path, item]) => path.endsWith('/predict') && item['post'] !== undefined ? [[path, item['post']]] : [])

  test('every example body is answered as documented, and without a warning', async () => {
    expect(predictions().length).toBeGreaterThanOrEqual(7)
    for (const [path, operation] of predictions()) {
      const { content } = at<{ content: Record<string, Media> }>(operation.requestBody.$ref)
      for (const [type, { example, examples = { only: { value: example } } }] of Object.entries(content)) {
        for (const { value } of Object.values(examples)) {
          const answer = await service.post(path, value, { 'content-type': type })
          expect([path, type, answer.status, answer.body.warnings]).toEqual([path, type, 200, undefined])
          expectDocumented(operation, answer)
        }
      }
    }
  })

  test.each<[string, unknown, Record<string, string>, number]>([
    ['one bad row', { sepal_length: 'long' }, {}, 422],
    ['a body that is no JSON', '{', {}, 400],
    ['a content type that nobody reads', 'x', { 'content-type': 'application/xml' }, 415],
    ['no token', {}, { authorization: '' }, 401],
    ['an Accept that nobody can serve', {}, { accept: 'image/png' }, 406],
  ])('the answer to %s is as documented', async (_, body, headers, status) => {
    const answer = await service.post('/predict', body, headers)
    expect(answer.status).toBe(status)
    expectDocumented(document.paths['/predict']?.['post'] as Operation, answer)
  })

  test.each<[string, unknown]>([
    ['one bad row', { sepal_length: 'long' }],
    ['a good and a bad row', { instances: [{ features: [5.1, 3.5, 1.4, 0.2] }, {}] }],
    ['a row beyond what training saw', { features: [29, 3.5, 1.4, 0.2] }],
  ])('with partial=true the answer to %s is as documented', async (_, body) => {
    const answer = await service.post('/predict?partial=true', body)
    expect(answer.status).toBe(200)
    expectDocumented(document.paths['/predict']?.['post'] as Operation, answer)
  })
})
