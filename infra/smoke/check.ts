/** What a check knows of the service that it tries. */
export interface Service {
  /** Without a slash at its end. */
  readonly url: string
  /** Absent where the service asks for none. */
  readonly token?: string
  /** Absent: the default model. */
  readonly model?: string
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number
}

/** One thing that callers rely on. `run` says in a few words what it saw, and throws where that is wrong. */
export interface Check {
  readonly name: string
  readonly needsToken?: boolean
  readonly run: (service: Service) => Promise<string>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface Call {
  readonly method?: 'GET' | 'POST'
  readonly body?: unknown
  readonly authorized?: boolean
  readonly headers?: Record<string, string>
}

/** @throws Error that names the address, where no answer comes */
export async function call (service: Service, path: string, { method = 'GET', body, authorized = false, headers = {} }: Call = {}): Promise<Answer> {
  try {
    const answer = await fetch(service.url + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(service.timeoutMs),
      headers: {
        ...(authorized && service.token !== undefined && { authorization: `Bearer ${service.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  } catch (error) {
    throw new Error(`no answer from ${service.url}${path}: ${reasonOf(error)}`)
  }
}

function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : error.message
}

/** @throws Error that shows what came instead */
export function expectStatus (answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`expected status ${status}, got ${answer.status}: ${shortened(answer.text)}`)
}

/** @throws Error unless the body is a JSON object */
export function jsonOf ({ text }: Answer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  throw new Error(`expected a JSON object, got ${shortened(text)}`)
}

export function shortened (text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}
