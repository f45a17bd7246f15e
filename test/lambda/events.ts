import type { LambdaContext } from '../../src/lambda/handler.ts'
import type { LambdaResult } from '../../src/lambda/result.ts'
import type { GatewayEvent } from '../../src/lambda/event.ts'

/** A request as its client sends it. */
export interface ClientRequest {
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface LambdaAnswer { readonly status: number, readonly headers: Headers, readonly bytes: Buffer }

/** Whoever calls, by the word of the gateway. */
export const sourceIp = '203.0.113.7'

type Write = (request: ClientRequest) => GatewayEvent

/** Every sender that the handler answers, with events as AWS documents them. */
export const senders = {
  'a REST API (payload 1.0)': request => restApi(request),
  'a REST API behind a base path of a custom domain': request => {
    const event = restApi(request)
    return { ...event, path: `/scoring/eu${event.path}` }
  },
  'an HTTP API (payload 1.0) with a stage': request => {
    const event = restApi(request)
    return { ...event, version: '1.0', path: `/prod${event.path}`, requestContext: { ...event.requestContext, stage: 'prod' } }
  },
  'an HTTP API (payload 2.0)': request => httpApi(request, '$default'),
  'an HTTP API (payload 2.0) with a stage': request => httpApi(request, 'prod'),
  'a function URL': functionUrl,
  'a load balancer': request => loadBalancer(request, false),
  'a load balancer with multi-value headers': request => loadBalancer(request, true),
} as const satisfies Record<string, Write>

export type Sender = keyof typeof senders

export function context (more: Partial<LambdaContext> = {}): LambdaContext {
  return { awsRequestId: '7f1f3f2a-52a9-4c51-9a39-6a1b1e0f2f11', getRemainingTimeInMillis: () => 29_000, ...more }
}

/** What the client of a gateway or load balancer gets to see of a result. */
export function received ({ statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded }: LambdaResult): LambdaAnswer {
  const all = new Headers(headers)
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) values.forEach(value => { all.append(name, value) })
  for (const cookie of cookies ?? []) all.append('set-cookie', cookie)
  return { status: statusCode, headers: all, bytes: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8') }
}

function restApi ({ method, url, headers = {}, body }: ClientRequest): GatewayEvent {
  const { path, query } = split(url)
  const sent = { 'X-Forwarded-For': sourceIp, 'X-Forwarded-Port': '443', 'X-Forwarded-Proto': 'https', ...titleCase(headers) }
  return {
    resource: path === '/' ? '/' : '/{proxy+}',
    path: decodeURI(path),
    httpMethod: method,
    headers: sent,
    multiValueHeaders: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]])),
    ...queries(query, decode),
    pathParameters: path === '/' ? null : { proxy: decodeURI(path.slice(1)) },
    requestContext: {
      stage: 'prod',
      identity: { sourceIp },
      ...{ resourcePath: '/{proxy+}', path: `/prod${path}`, httpMethod: method, protocol: 'HTTP/1.1', requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef', apiId: '1234567890', accountId: '123456789012' },
    },
    ...bodyOf(body, () => false),
  }
}

function httpApi ({ method, url, headers = {}, body }: ClientRequest, stage: string): GatewayEvent {
  const { path, query } = split(url)
  const rawPath = stage === '$default' ? path : `/${stage}${path}`
  return {
    version: '2.0',
    ...{ routeKey: '$default' },
    rawPath,
    rawQueryString: query,
    ...(headers['cookie'] === undefined ? {} : { cookies: headers['cookie'].split('; ') }),
    headers: { 'x-forwarded-for': sourceIp, 'x-forwarded-port': '443', 'x-forwarded-proto': 'https', ...headers },
    requestContext: {
      http: { method, sourceIp, ...{ path: rawPath, protocol: 'HTTP/1.1', userAgent: 'agent' } },
      stage,
      ...{ accountId: '123456789012', apiId: 'api-id', domainName: 'id.execute-api.us-east-1.amazonaws.com', domainPrefix: 'id', requestId: 'JKJaXmPLvHcESHA=', routeKey: '$default', time: '12/Mar/2020:19:03:58 +0000', timeEpoch: 1583348638390 },
    },
    ...bodyOf(body, type => !/^(text\/|application\/(json|xml|javascript))/.test(type), headers['content-type']),
  }
}

function functionUrl (request: ClientRequest): GatewayEvent {
  const event = httpApi(request, '$default')
  return { ...event, requestContext: { ...event.requestContext, ...{ apiId: 'urlid', domainName: 'urlid.lambda-url.eu-central-1.on.aws' } } }
}

function loadBalancer ({ method, url, headers = {}, body }: ClientRequest, many: boolean): GatewayEvent {
  const { path, query } = split(url)
  const sent: Record<string, string> = { host: 'lb-846800462.eu-central-1.elb.amazonaws.com', 'x-forwarded-for': sourceIp, 'x-forwarded-port': '443', 'x-forwarded-proto': 'https', ...headers }
  const { queryStringParameters, multiValueQueryStringParameters } = queries(query, text => text)
  return {
    requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/modelport/6d0ecf831eec9f09' } },
    httpMethod: method,
    path,
    ...(many ? { multiValueQueryStringParameters: multiValueQueryStringParameters ?? {} } : { queryStringParameters: queryStringParameters ?? {} }),
    ...(many ? { multiValueHeaders: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]])) } : { headers: sent }),
    ...bodyOf(body ?? '', type => !/^(text\/|application\/(json|xml|javascript))/.test(type), headers['content-type']),
  }
}

function split (url: string): { path: string, query: string } {
  const at = url.indexOf('?')
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) }
}

function decode (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function queries (query: string, read: (text: string) => string): Pick<GatewayEvent, 'queryStringParameters' | 'multiValueQueryStringParameters'> {
  if (query === '') return { queryStringParameters: null, multiValueQueryStringParameters: null }
  const all = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split('=').map(read)
    all.set(name, [...all.get(name) ?? [], value])
  }
  return { queryStringParameters: Object.fromEntries([...all].map(([name, values]) => [name, values.at(-1)])), multiValueQueryStringParameters: Object.fromEntries(all) }
}

function bodyOf (body: string | Uint8Array | undefined, isBinary: (type: string) => boolean, type = ''): Pick<GatewayEvent, 'body' | 'isBase64Encoded'> {
  if (body === undefined) return { body: null, isBase64Encoded: false }
  const isBase64Encoded = typeof body !== 'string' || (body !== '' && isBinary(type))
  return { body: isBase64Encoded ? Buffer.from(body).toString('base64') : body, isBase64Encoded }
}

/** REST APIs hand names on as the client wrote them; here one that likes capitals. */
function titleCase (headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase()), value]))
}
