import fastify, { type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { ApiError } from '../../src/errors.ts'
import auth from '../../src/plugins/auth.ts'
import rateLimit from '../../src/plugins/rate-limit.ts'
import { trustProxy } from '../../src/plugins/trust-proxy.ts'

export const secret = 'a secret of at least thirty-two bytes'

export interface SecuredApp {
  app: FastifyInstance
  url: string
  /** Messages and data of what was logged so far, with the level's number. */
  logged: { level: number, msg: string, [field: string]: unknown }[]
  /** Calls `POST /predict`, or another route, with a token or none. */
  call: (token?: string, more?: { path?: string, method?: string, headers?: Record<string, string> }) => Promise<Answer>
}

export interface Answer { status: number, headers: Headers, body: Record<string, unknown> }

/** A listening server with both plugins, one route per scope and an open one. It ends with the test. */
export async function securedApp (env: Record<string, string> = {}): Promise<SecuredApp> {
  const config = loadConfig({ JWT_SECRET: secret, ...env })
  const logged: SecuredApp['logged'] = []
  const app = fastify({
    trustProxy: trustProxy(config.trustProxy),
    logger: { level: 'info', stream: { write: line => { logged.push(JSON.parse(line)) } } },
    forceCloseConnections: true,
  })
  onTestFinished(() => app.close())
  app.setErrorHandler<ApiError>((error, _request, reply) =>
    reply.code(error.status ?? 500).headers(error.headers ?? {}).send({ code: error.code, detail: error.message }))
  await app.register(auth, { config })
  await app.register(rateLimit, { config })
  app.post('/predict', { config: { scope: 'predict' } }, async request => ({ subject: request.subject ?? null }))
  app.get('/metrics', { config: { scope: 'metrics' } }, async () => ({}))
  app.get('/health', async request => ({ subject: request.subject ?? null }))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })

  const call: SecuredApp['call'] = async (token, { path = '/predict', method = 'POST', headers = {} } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...token === undefined ? {} : { authorization: `Bearer ${token}` }, ...headers },
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
  }
  return { app, url, logged, call }
}

export function warnings (logged: SecuredApp['logged']): string[] {
  return logged.filter(line => line.level >= 40).map(line => line.msg)
}
