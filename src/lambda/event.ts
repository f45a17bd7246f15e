type Headers = Readonly<Record<string, string | undefined>>
type ManyHeaders = Readonly<Record<string, readonly string[] | undefined>>

/**
 * What API Gateway (REST APIs: payload 1.0; HTTP APIs: 1.0 or 2.0), function URLs (2.0) and Application Load
 * Balancers hand to a function for one HTTP request, as far as it is read here.
 */
export interface GatewayEvent {
  readonly version?: string
  readonly httpMethod?: string
  /** 1.0: the resource that matched, such as `/{proxy+}`. */
  readonly resource?: string
  readonly path?: string
  readonly rawPath?: string
  readonly rawQueryString?: string
  readonly cookies?: readonly string[] | null
  readonly headers?: Headers | null
  readonly multiValueHeaders?: ManyHeaders | null
  readonly queryStringParameters?: Headers | null
  readonly multiValueQueryStringParameters?: ManyHeaders | null
  readonly pathParameters?: Headers | null
  readonly body?: string | null
  readonly isBase64Encoded?: boolean
  readonly requestContext?: {
    readonly elb?: object
    readonly stage?: string
    readonly http?: { readonly method: string, readonly sourceIp?: string }
    readonly identity?: { readonly sourceIp?: string }
  }
}

/** In whose form the answer has to be. */
export interface AnswerForm {
  readonly sender: 'gateway-1' | 'gateway-2' | 'load-balancer'
  /** Every header as a list of its values: load balancers want the form in which they ask, and only that. */
  readonly manyHeaders: boolean
}

export interface LambdaRequest {
  readonly method: string
  /** Path and query, percent-encoded as a client sends them. */
  readonly url: string
  /** By lower-case name; as a list what was sent more than once. */
  readonly headers: Record<string, string | string[]>
  readonly body: Buffer | undefined
  /** Who connected to the gateway or load balancer, by its own word. */
  readonly remoteAddress: string
  readonly form: AnswerForm
}

/** @throws Error for anything but an HTTP request */
export function readEvent (event: GatewayEvent): LambdaRequest {
  // The console invokes with anything.
  const sender = senderOf(Object(event) as GatewayEvent)
  const context = event.requestContext ?? {}
  const headers = headersOf(event)
  const body = bodyOf(event)
  // What arrived may have been decoded on its way, and some senders leave it out.
  delete headers['content-length']
  delete headers['transfer-encoding']
  if (body !== undefined) headers['content-length'] = `${body.byteLength}`
  const source = context.http?.sourceIp ?? context.identity?.sourceIp
  return {
    method: event.httpMethod ?? context.http?.method ?? 'GET',
    url: urlOf(event, sender),
    headers,
    body,
    remoteAddress: takeSender(headers, source),
    form: { sender, manyHeaders: sender !== 'gateway-2' && event.multiValueHeaders != null },
  }
}

function senderOf ({ version, httpMethod, path, rawPath, requestContext }: GatewayEvent): AnswerForm['sender'] {
  if (requestContext?.elb !== undefined && httpMethod !== undefined) return 'load-balancer'
  if (version === '2.0' && rawPath !== undefined && requestContext?.http !== undefined) return 'gateway-2'
  if (httpMethod !== undefined && path !== undefined) return 'gateway-1'
  throw new Error('The event is not an HTTP request. The handler answers API Gateway (payload 1.0 and 2.0), function URLs and Application Load Balancers; to try it in the console, take the template "API Gateway HTTP API".')
}

function headersOf ({ headers, multiValueHeaders, cookies }: GatewayEvent): LambdaRequest['headers'] {
  const all: LambdaRequest['headers'] = {}
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined) all[name.toLowerCase()] = value
  }
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) {
    const [first] = values ?? []
    if (first !== undefined) all[name.toLowerCase()] = values?.length === 1 ? first : [...values ?? []]
  }
  if (cookies != null && cookies.length > 0) all['cookie'] = cookies.join('; ')
  return all
}

function bodyOf ({ body, isBase64Encoded }: GatewayEvent): Buffer | undefined {
  return body == null || body === '' ? undefined : Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8')
}

/**
 * Gateways and load balancers write whom they answer behind the X-Forwarded-For that they were sent. Here that one
 * takes the place of a connection's other end, so that TRUST_PROXY counts the proxies before the gateway.
 */
function takeSender (headers: LambdaRequest['headers'], source: string | undefined): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map(address => address.trim()).filter(address => address !== '')
  const last = forwarded.at(-1)
  if (last !== undefined && (source === undefined || last === source)) {
    forwarded.pop()
    if (forwarded.length === 0) delete headers['x-forwarded-for']
    else headers['x-forwarded-for'] = forwarded.join(', ')
  }
  // A balancer that was told to write no such header names nobody: all its callers are one.
  return source ?? last ?? '0.0.0.0'
}

function urlOf (event: GatewayEvent, sender: AnswerForm['sender']): string {
  const query = queryOf(event, sender)
  const path = encodePath(sender === 'gateway-1' ? resourcePath(event) : withoutStage(event.rawPath ?? event.path ?? '/', sender === 'gateway-2' ? event : {}))
  return query === '' ? path : `${path}?${query}`
}

/** Unlike `$default`, a stage with a name is part of an HTTP API's paths. */
function withoutStage (path: string, { requestContext: { stage = '$default' } = {} }: GatewayEvent): string {
  if (path === `/${stage}`) return '/'
  return path.startsWith(`/${stage}/`) ? path.slice(stage.length + 1) : path
}

/** Before what the resource matched, a path of payload 1.0 has the base path of a custom domain, or an HTTP API's stage. */
function resourcePath (event: GatewayEvent): string {
  const { path = '/', resource, pathParameters, version } = event
  const all = version === '1.0' ? withoutStage(path, event) : path
  if (resource === undefined || !resource.startsWith('/')) return all
  const matched = resource.replace(/\{([^}]+?)\+?\}/g, (_, name: string) => pathParameters?.[name] ?? '')
  const found = [matched, encodePath(matched)].find(end => all.endsWith(end) || all.endsWith(`${end}/`))
  if (matched === '/') return '/'
  return found === undefined ? all : all.slice(all.lastIndexOf(found))
}

/** Some senders have decoded the path, others have not: what cannot stand in one is encoded, and what is encoded stays. */
function encodePath (path: string): string {
  const whole = path.startsWith('/') ? path : `/${path}`
  return whole.replace(/%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]|[?#\\]/gu, part => encodeURIComponent(wellFormed(part)))
}

/** Load balancers hand on what they were sent, REST APIs have decoded it. */
function queryOf ({ rawQueryString, queryStringParameters, multiValueQueryStringParameters }: GatewayEvent, sender: AnswerForm['sender']): string {
  if (sender === 'gateway-2') return rawQueryString ?? ''
  const encode = sender === 'load-balancer'
    ? (text: string) => text.replace(/[^\x21-\x7e]|#/gu, part => encodeURIComponent(wellFormed(part)))
    : (text: string) => encodeURIComponent(wellFormed(text))
  const pairs = multiValueQueryStringParameters != null
    ? Object.entries(multiValueQueryStringParameters).flatMap(([name, values = []]) => values.map(value => [name, value] as const))
    : Object.entries(queryStringParameters ?? {}).map(([name, value = '']) => [name, value] as const)
  return pairs.map(([name, value]) => value === '' ? encode(name) : `${encode(name)}=${encode(value)}`).join('&')
}

/** Half a surrogate pair, which JSON can hold, is no character that could be encoded. */
function wellFormed (text: string): string {
  return Buffer.from(text).toString()
}
