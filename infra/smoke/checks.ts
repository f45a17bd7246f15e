import { randomUUID } from 'node:crypto'
import { type Answer, call, type Check, expectStatus, jsonOf, type Service, shortened } from './check.ts'

interface Feature {
  readonly name: string
  readonly example?: unknown
}

/** In the order in which a new service comes to life: what fails first is where to look. */
export const checks: readonly Check[] = [
  {
    name: 'it lives',
    run: async service => {
      const answer = await call(service, '/health/live')
      expectStatus(answer, 200)
      return 'GET /health/live is 200'
    },
  },
  {
    name: 'it is ready',
    run: async service => {
      expectStatus(await call(service, '/health/ready'), 200)
      return 'GET /health/ready is 200'
    },
  },
  {
    name: 'answers cannot be guessed at',
    run: async service => {
      const { headers } = await call(service, '/health')
      if (headers.get('x-content-type-options') !== 'nosniff') throw new Error('the header x-content-type-options: nosniff is missing')
      return 'x-content-type-options: nosniff'
    },
  },
  {
    name: 'a prediction without a token is refused',
    needsToken: true,
    run: async service => {
      const answer = await call(service, '/predict', { method: 'POST', body: {} })
      expectStatus(answer, 401)
      if (answer.headers.get('www-authenticate') === null) throw new Error('the header www-authenticate is missing')
      return 'POST /predict is 401'
    },
  },
  {
    name: 'metrics without a token are refused',
    needsToken: true,
    run: async service => {
      const answer = await call(service, '/metrics')
      if (isLoopback(service.url) && answer.text.includes('# TYPE modelport_requests_total ')) return 'GET /metrics is open on loopback, unless METRICS_AUTH=on'
      // A gateway that does not pass them on at all is as good.
      if (answer.status !== 404) expectStatus(answer, 401)
      return `GET /metrics is ${answer.status}`
    },
  },
  {
    name: 'the example of the manifest is predicted',
    run: async service => {
      const model = await modelOf(service)
      const features = featuresOf(model)
      if (features.length === 0) return `${model.name} takes tensors: nothing to send`
      const requestId = randomUUID()
      const answer = await call(service, `/models/${model.name}/predict`, {
        method: 'POST', body: exampleOf(features), authorized: true, headers: { 'x-request-id': requestId },
      })
      expectStatus(answer, 200)
      const body = jsonOf(answer)
      if (!('prediction' in body)) throw new Error(`there is no prediction in ${shortened(answer.text)}`)
      if (answer.headers.get('x-request-id') !== requestId) throw new Error('x-request-id is not the one that was sent')
      return `${model.name}: ${String(body.class_name ?? body.prediction)}`
    },
  },
  {
    name: 'two rows are predicted in one request',
    run: async service => {
      const model = await modelOf(service)
      const features = featuresOf(model)
      if (features.length === 0) return `${model.name} takes tensors: nothing to send`
      const row = exampleOf(features)
      const answer = await call(service, `/models/${model.name}/predict`, { method: 'POST', body: { instances: [row, row] }, authorized: true })
      expectStatus(answer, 200)
      const { predictions } = jsonOf(answer)
      if (!Array.isArray(predictions) || predictions.length !== 2) throw new Error(`expected two predictions, got ${shortened(answer.text)}`)
      return '2 predictions'
    },
  },
  {
    name: 'a wrong row is told what is wrong',
    run: async service => {
      const model = await modelOf(service)
      if (featuresOf(model).length === 0) return `${model.name} takes tensors: nothing to send`
      const answer = await call(service, `/models/${model.name}/predict`, { method: 'POST', body: { instances: [{ 'no such feature': 1 }] }, authorized: true })
      expectStatus(answer, 422)
      expectType(answer, 'application/problem+json')
      const { errors } = jsonOf(answer)
      if (!Array.isArray(errors) || errors.length === 0) throw new Error(`no errors are listed in ${shortened(answer.text)}`)
      return `422 with ${errors.length} fault${errors.length === 1 ? '' : 's'}`
    },
  },
  {
    name: 'the documents are there',
    run: async service => {
      const page = await call(service, '/docs')
      // A slash at the end is added by some.
      if (page.status >= 300 && page.status < 400) return `GET /docs leads to ${page.headers.get('location') ?? 'nowhere'}`
      expectStatus(page, 200)
      expectType(page, 'text/html')
      return 'GET /docs is a page'
    },
  },
  {
    name: 'the OpenAPI document names the routes',
    run: async service => {
      const answer = await call(service, '/docs/json')
      expectStatus(answer, 200)
      const { openapi, paths } = jsonOf(answer)
      if (typeof openapi !== 'string' || !openapi.startsWith('3.1')) throw new Error(`expected OpenAPI 3.1, got ${String(openapi)}`)
      const routes = Object.keys(paths ?? {})
      if (!routes.includes('/predict')) throw new Error('there is no /predict in it')
      return `OpenAPI ${openapi}, ${routes.length} paths`
    },
  },
]

interface Model {
  readonly name: string
  readonly answers?: { readonly manifest?: { readonly features?: readonly Feature[] } }
}

/** The model asked for, else the default one, else the first that serves. */
async function modelOf (service: Service): Promise<Model> {
  const list = await call(service, '/models', { authorized: true })
  expectStatus(list, 200)
  const models = (jsonOf(list).models ?? []) as { name: string, default: boolean, serving?: string | null }[]
  const name = service.model ?? (models.find(model => model.default) ?? models.find(({ serving }) => serving))?.name
  if (name === undefined) throw new Error('GET /models names no model that serves: upload one with `npm run upload-model`')
  const answer = await call(service, `/models/${encodeURIComponent(name)}`, { authorized: true })
  expectStatus(answer, 200)
  return jsonOf(answer) as unknown as Model
}

function featuresOf ({ answers }: Model): readonly Feature[] {
  return answers?.manifest?.features ?? []
}

/** @throws Error where a feature has no example */
function exampleOf (features: readonly Feature[]): Record<string, unknown> {
  const without = features.filter(({ example }) => example === undefined)
  if (without.length > 0) throw new Error(`the manifest has no example for ${without.map(({ name }) => name).join(', ')}`)
  return Object.fromEntries(features.map(({ name, example }) => [name, example]))
}

function expectType (answer: Answer, type: string): void {
  const got = answer.headers.get('content-type') ?? 'none'
  if (!got.startsWith(type)) throw new Error(`expected the content type ${type}, got ${got}`)
}

/** There the server shows its metrics to everybody, unless it is told otherwise. */
function isLoopback (url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}
